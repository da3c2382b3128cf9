import CoreKit
import Primitives
import Records
import SnapshotCore
import Testing
import Wire

/// A node that fetches a snapshot over a network of chance, from peers of whom some lie, with a
/// disk that keeps what it says it keeps over restarts.
struct World {
  enum Server {
    case good
    case bad(BadSnapshotServer)
  }

  /// What is under way.
  private enum Message {
    case answer(SnapshotRequestID, [UInt8]?, run: Int)
    case stored(Int, UInt64, run: Int)
  }

  var state: State
  let old: State
  let forged: State
  var servers: [Server]
  var fetch: SnapshotFetch
  var random: Xoshiro256
  var now = Instant.origin
  var effects = SnapshotFetch.Effects()
  private var underWay: [(at: Instant, order: Int, message: Message)] = []
  private var order = 0
  private var run = 0
  /// The disk.
  var manifest: SnapshotManifest?
  var disk = SortedMap<Int, [[UInt8]]>()
  var banned: [PeerIndex] = []
  var asked: [(peer: PeerIndex, request: SnapshotRequest)] = []
  var isComplete = false

  init(_ state: State, servers: [Server], seed: UInt64) throws {
    self.state = state
    old = try State(height: state.manifest.height - 3, rows: 50, seed: 77)
    var forged = try State(height: state.manifest.height + 9, rows: 50, seed: 78)
    let last = forged.manifest.links[forged.manifest.links.count - 1]
    forged.manifest = SnapshotManifest(
      block: forged.manifest.block, lanesRoot: forged.manifest.lanesRoot,
      links: forged.manifest.links,
      certificate: Place.certificate(
        Statement(
          kind: .finalize, chain: Place.chain, epoch: 1, view: last.view, hash: last.hash),
        Place.others),
      epochs: [], parts: forged.manifest.parts)
    self.forged = forged
    self.servers = servers
    random = Xoshiro256(seed: seed, purpose: "snapshot world")
    fetch = World.fetch(nil)
    connectAll()
  }

  private static func fetch(
    _ stored: (manifest: SnapshotManifest, parts: [Int])?
  ) -> SnapshotFetch {
    SnapshotFetch(
      chain: Place.chain, genesis: Place.set(Place.keys), tables: Place.tables, resuming: stored)
  }

  private mutating func connectAll() {
    for index in servers.indices { give(.connected(PeerIndex(UInt16(index)))) }
  }

  /// Kills the node; what is on the disk is all that is left.
  mutating func restart() {
    run += 1
    fetch = World.fetch(manifest.map { ($0, disk.entries.map(\.key)) })
    connectAll()
  }

  mutating func give(_ event: SnapshotFetch.Event) {
    fetch.handle(event, at: Moment(instant: now, wallMilliseconds: 0), into: &effects)
    if let broken = fetch.brokenInvariant { Issue.record("\(broken)") }
    carryOut()
  }

  private mutating func schedule(_ message: Message, after milliseconds: UInt64) {
    order += 1
    underWay.append((now + .milliseconds(milliseconds), order, message))
  }

  private mutating func carryOut() {
    let todo = effects
    effects.removeAll()
    if let begun = todo.begun {
      manifest = begun.manifest
      for key in disk.entries.map(\.key) where !begun.kept.contains(key) { disk[key] = nil }
    }
    for entry in todo.store {
      #expect(manifest?.height == entry.height)
      disk[entry.part] = entry.rows
      schedule(.stored(entry.part, entry.height, run: run), after: random.next() % 5)
    }
    banned += todo.banned.map(\.peer)
    if todo.isComplete { isComplete = true }
    for ask in todo.asks {
      asked.append((ask.peer, ask.request))
      let answer: [UInt8]?
      switch servers[Int(ask.peer.value)] {
      case .good: answer = GoodSnapshotServer.answer(ask.request, state)
      case .bad(let kind):
        answer = kind.answer(ask.request, state, old: old, forged: forged, &random)
        if answer == [] { continue }
      }
      schedule(.answer(ask.identifier, answer, run: run), after: 1 + random.next() % 40)
    }
  }

  /// One step: the next message or the deadline; false when nothing is left to happen.
  mutating func step() -> Bool {
    let next = underWay.indices.min {
      (underWay[$0].at, underWay[$0].order) < (underWay[$1].at, underWay[$1].order)
    }
    let deadline = fetch.nextDeadline
    guard let next, deadline.map({ underWay[next].at <= $0 }) ?? true else {
      guard let deadline else { return false }
      now = max(now, deadline)
      give(.deadline)
      return true
    }
    let entry = underWay.remove(at: next)
    now = max(now, entry.at)
    switch entry.message {
    case .answer(let id, let bytes, run):
      if let bytes { give(.answered(id, bytes)) } else { give(.failed(id)) }
    case .stored(let part, let height, run): give(.stored(part: part, height: height))
    case .answer, .stored: break
    }
    return true
  }

  /// Runs until everything is stored, for at most so many simulated seconds.
  mutating func finish(within seconds: UInt64 = 600, steps: Int = 200_000) {
    for _ in 0..<steps {
      if isComplete || now > .origin + .seconds(seconds) || !step() { break }
    }
  }

  /// Whether the disk holds the state, whole.
  var isWhole: Bool {
    guard isComplete, let manifest, manifest == state.manifest else { return false }
    return manifest.parts.indices.allSatisfy { index in
      manifest.parts[index].rowCount == 0
        || disk[index].map { SnapshotRows.encode($0) } == state.parts[index]
    }
  }
}
