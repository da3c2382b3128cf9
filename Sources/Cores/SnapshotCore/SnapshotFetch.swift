package import CoreKit
internal import Merkle
internal import Primitives
package import Records
internal import Wire

/// A request under way, named by a number that is never used twice.
package struct SnapshotRequestID: Hashable, Comparable, Sendable {
  /// The number.
  package let value: UInt64

  package static func < (left: SnapshotRequestID, right: SnapshotRequestID) -> Bool {
    left.value < right.value
  }
}

/// Fetches a snapshot from several peers at once, of whom any may lie.
///
/// ```
///  peers ── offer ──► the highest ── manifest ──► checked against genesis ──► parts, in parallel
///    ▲                    │ a lie: banned              │ a lie: banned           │ a lie: banned
///    └── again, when nobody serves it any more ◄───────┴─────────────────────────┘
/// ```
///
/// Peers are asked what they have, and one of those with the highest snapshot for its manifest.
/// When that leads from the validators of the genesis to a state, every part is asked for once, of
/// the peer with the fewest requests, and checked as it comes. Validators sign the root over the
/// rows, not how many parts there are nor how many rows each has; so who sends a part that does not
/// fit may be right and the manifest wrong: it is asked for no more parts of this manifest, and
/// banned only when the manifest is its own. A manifest by which nothing has come for a while is
/// given up, and one of those who have given fewer such is asked next. A part counts when the owner
/// has stored it, so that a node that starts again asks for the rest only. When nobody has the
/// snapshot any more another one is begun, and parts that are equal in both are kept.
///
/// After "Snapshots in Tendermint" (ADR 053, 2020) and the parallel bootstrap of CometBFT, with one
/// difference: parts are subtrees under the root that validators signed, so each is checked by
/// itself and a liar is known at once, not when all is restored.
///
/// Invariants:
/// - N1: what is stored hashes to what its manifest names, and the manifest was checked.
/// - N2: at one peer at most `perPeerMax` requests are under way, in all at most `requestsMax`.
/// - N3: a peer that is banned is asked nothing.
/// - N4: each part is missing, asked for once, being stored, or stored.
package struct SnapshotFetch: ProtocolCore {
  /// What happened.
  package enum Event: Sendable {
    /// A peer can be asked.
    case connected(PeerIndex)
    /// A peer cannot be asked any more; requests at it have failed.
    case disconnected(PeerIndex)
    /// A request was answered whole.
    case answered(SnapshotRequestID, [UInt8])
    /// A request broke, or was refused.
    case failed(SnapshotRequestID)
    /// A part is durable.
    case stored(part: Int, height: UInt64)
    /// Time has passed.
    case deadline
  }

  /// What the owner is to do, in this order: store, then send.
  package struct Effects: Sendable {
    /// A request to send.
    package struct Ask: Sendable {
      /// Its name.
      package let identifier: SnapshotRequestID
      /// Whom to ask.
      package let peer: PeerIndex
      /// What to ask.
      package let request: SnapshotRequest
    }

    /// A manifest was checked: to be stored in place of an earlier one. Of what is stored only the
    /// parts listed belong to it.
    package var begun: (manifest: SnapshotManifest, kept: [Int])?
    /// Parts that were checked, to be stored.
    package var store: [(part: Int, height: UInt64, rows: [[UInt8]])] = []
    /// Requests to send.
    package var asks: [Ask] = []
    /// Requests whose answers are of no use any more.
    package var cancelled: [SnapshotRequestID] = []
    /// Peers that lied, and how: they are to be disconnected.
    package var banned: [(peer: PeerIndex, lie: SnapshotLie)] = []
    /// Everything is stored.
    package var isComplete = false

    /// No effects.
    package init() {}

    /// Forgets everything.
    package mutating func removeAll() { self = Effects() }
  }

  enum Phase: Sendable {
    case seeking
    case fetching(SnapshotManifest)
  }

  enum PartState: UInt8, Sendable {
    case missing, asked, storing, stored
  }

  struct Peer: Sendable {
    let index: PeerIndex
    var isConnected = false
    var isBanned = false
    /// The height that it says it has; `nil` when it has not said.
    var offer: UInt64?
    /// Whether a part that it sent does not fit the manifest at work.
    var isSetAside = false
    /// Manifests that it gave and by which nothing came any more.
    var stalls = 0
    var pending = 0
    var failures = 0
    var notBefore = Instant.origin
    /// When it was last asked for an offer.
    var offerAsked: Instant?
  }

  struct Pending: Sendable {
    let peer: PeerIndex
    let request: SnapshotRequest
    let deadline: Instant
  }

  let chain: ChainID
  let genesis: ValidatorSet
  let form: SnapshotRows
  /// The bounds.
  package let limits: SnapshotLimits
  var phase = Phase.seeking
  var peers: [Peer] = []
  var requests = SortedMap<SnapshotRequestID, Pending>()
  var nextRequest: UInt64 = 1
  var states: [PartState] = []
  /// Nothing before this part is missing.
  var firstMissing = 0
  /// Parts that are being stored, and that are stored.
  var storing = 0
  var storedCount = 0
  /// Who gave the manifest at work; `nil` when an earlier run fetched it.
  var source: PeerIndex?
  /// When something of it last came.
  var progressAt: Instant?
  /// What was stored of a snapshot that nobody serves any more.
  var abandoned: (manifest: SnapshotManifest, stored: [Int])?
  /// When offers came long enough for a choice to be made.
  var chooseAt: Instant?
  /// What was counted.
  package internal(set) var counters = SnapshotCounters()

  /// Begins, or goes on with a manifest that an earlier run had checked and stored, and the parts
  /// of it that were found whole.
  package init(
    chain: ChainID, genesis: ValidatorSet, tables: [TableSchema],
    resuming stored: (manifest: SnapshotManifest, parts: [Int])? = nil,
    limits: SnapshotLimits = SnapshotLimits()
  ) {
    self.chain = chain
    self.genesis = genesis
    form = SnapshotRows(tables)
    self.limits = limits
    if let stored { begin(stored.manifest, keeping: stored.parts) }
  }

  /// The manifest at work.
  package var manifest: SnapshotManifest? {
    switch phase {
    case .seeking: nil
    case .fetching(let manifest): manifest
    }
  }

  /// Parts that are stored, and parts in all.
  package var progress: (stored: Int, all: Int) { (storedCount, states.count) }

  /// Whether all who could be asked have said that they have nothing.
  package var hasNoOffer: Bool {
    guard case .seeking = phase, requests.count == 0 else { return false }
    let usable = peers.filter { $0.isConnected && !$0.isBanned }
    return !usable.isEmpty
      && usable.allSatisfy { $0.offerAsked != nil && $0.offer == nil && $0.failures == 0 }
  }

  /// Whether there is no snapshot at work, nor anybody who has said to have one.
  package var isSeekingInVain: Bool {
    guard case .seeking = phase else { return false }
    return !peers.contains { $0.isConnected && !$0.isBanned && $0.offer != nil }
  }

  /// Whether everything is stored.
  package var isComplete: Bool { !states.isEmpty && storedCount == states.count }

  /// Takes one step.
  package mutating func handle(
    _ event: consuming Event, at now: Moment, into effects: inout Effects
  ) {
    let wasComplete = isComplete
    switch event {
    case .connected(let peer): connect(peer)
    case .disconnected(let peer): disconnect(peer, at: now.instant)
    case .answered(let id, let bytes): take(bytes, for: id, at: now.instant, into: &effects)
    case .failed(let id): fail(id, at: now.instant)
    case .stored(let part, let height): noteStored(part, height)
    case .deadline: expire(at: now.instant, into: &effects)
    }
    if isComplete {
      if !wasComplete { finish(into: &effects) }
      return
    }
    advance(at: now.instant, into: &effects)
  }

  mutating func begin(_ manifest: SnapshotManifest, keeping parts: [Int]) {
    phase = .fetching(manifest)
    states = Array(repeating: .missing, count: manifest.parts.count)
    for (index, part) in manifest.parts.enumerated() where part.rowCount == 0 {
      states[index] = .stored
    }
    for index in parts where states.indices.contains(index) { states[index] = .stored }
    storedCount = states.count { $0 == .stored }
    storing = 0
    firstMissing = 0
    chooseAt = nil
    source = nil
    progressAt = nil
    for index in peers.indices { peers[index].isSetAside = false }
  }

  private mutating func noteStored(_ part: Int, _ height: UInt64) {
    guard manifest?.height == height, states.indices.contains(part), states[part] == .storing
    else { return }
    states[part] = .stored
    storing -= 1
    storedCount += 1
    progressAt = nil
  }

  private mutating func finish(into effects: inout Effects) {
    effects.isComplete = true
    effects.cancelled += requests.entries.map(\.key)
    requests.removeAll()
    for index in peers.indices { peers[index].pending = 0 }
  }
}

/// How a peer lied.
package enum SnapshotLie: Hashable, Sendable {
  /// What it sent is no answer, or the answer to something else.
  case garbage
  /// Its manifest is not to be believed.
  case manifest(SnapshotManifest.Fault)
  /// Its manifest is that of another height than it offered.
  case otherHeight
  /// What it sent is not the part.
  case part(Int)
}

/// What was counted while a snapshot was fetched.
package struct SnapshotCounters: Hashable, Sendable {
  /// Requests sent.
  package var requests: UInt64 = 0
  /// Requests that failed, were refused or took too long.
  package var failures: UInt64 = 0
  /// Parts that were right.
  package var parts: UInt64 = 0
  /// Bytes of those.
  package var bytes: UInt64 = 0
  /// Parts that did not fit the manifest.
  package var misfits: UInt64 = 0
  /// Peers that lied.
  package var liars: UInt64 = 0
  /// Times another snapshot was begun because the one at work did not come.
  package var restarts: UInt64 = 0

  /// Nothing counted.
  package init() {}
}
