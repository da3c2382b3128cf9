import CoreKit
import Primitives
import SnapshotCore
import Testing

@Suite struct `Fetching a snapshot` {
  private static func state(_ seed: UInt64 = 0, height: UInt64 = 1_024) throws -> State {
    try State(height: height, rows: 250, seed: seed, depth: 5, textBytes: 20)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `from honest peers it comes in parallel, each part once`(seed: UInt64) throws {
    var world = try World(Self.state(), servers: [.good, .good, .good], seed: seed)
    world.finish()
    #expect(world.isWhole && world.banned.isEmpty)
    var parts: [UInt32: Int] = [:]
    for entry in world.asked {
      if case .part(_, let index) = entry.request { parts[index, default: 0] += 1 }
    }
    #expect(parts.count == 32 && parts.values.allSatisfy { $0 == 1 })
    for peer in 0..<3 { #expect(world.asked.count { $0.peer.value == peer } > 5) }
    #expect(world.fetch.progress == (32, 32))
    #expect(world.fetch.nextDeadline == nil)
  }

  @Test(arguments: BadSnapshotServer.allCases, 1...3 as ClosedRange<UInt64>)
  func `a bad snapshot server is found out, and the state is whole`(
    bad: BadSnapshotServer, seed: UInt64
  ) throws {
    var world = try World(
      Self.state(), servers: [.bad(bad), .good, .bad(bad), .good, .bad(bad)], seed: seed)
    world.finish()
    #expect(world.isWhole)
    #expect(world.banned.allSatisfy { $0.value.isMultiple(of: 2) }, "an honest peer is banned")
    if bad.isCaught { #expect(!world.banned.isEmpty) }
    #expect(Set(world.banned).count == world.banned.count)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `one honest peer among all kinds of bad ones is enough`(seed: UInt64) throws {
    var servers = BadSnapshotServer.allCases.map { World.Server.bad($0) }
    var random = Xoshiro256(seed: seed)
    servers.insert(.good, at: random.next(below: servers.count + 1))
    var world = try World(Self.state(), servers: servers, seed: seed)
    world.finish(within: 3_600)
    #expect(world.isWhole)
  }

  @Test(arguments: BadSnapshotServer.allCases)
  func `bad servers alone never make a state`(bad: BadSnapshotServer) throws {
    var world = try World(Self.state(), servers: [.bad(bad), .bad(bad)], seed: 3)
    world.finish(within: 120, steps: 3_000)
    #expect(!world.isComplete)
    for entry in world.disk.entries {
      #expect(SnapshotRows.encode(entry.value) == world.state.parts[entry.key])
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `a node that starts again asks for the rest only`(seed: UInt64) throws {
    var world = try World(
      Self.state(), servers: [.good, .bad(.breaking), .good, .bad(.wrongPart)], seed: seed)
    var random = Xoshiro256(seed: seed)
    for _ in 0..<5 {
      for _ in 0..<(10 + random.next(below: 40)) where !world.isComplete { _ = world.step() }
      if world.isComplete { break }
      let held = Set(world.disk.entries.map(\.key))
      world.asked = []
      world.restart()
      world.finish(within: 3_600, steps: 60)
      for entry in world.asked {
        if case .part(_, let index) = entry.request { #expect(!held.contains(Int(index))) }
      }
    }
    world.finish()
    #expect(world.isWhole)
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a snapshot that nobody serves any more gives way, and equal parts stay`(
    seed: UInt64
  ) throws {
    var world = try World(Self.state(), servers: [.good, .good], seed: seed)
    while world.disk.count < 20 { _ = world.step() }
    let newer = try Self.state(9, height: 2_048)
    let equal = Set(world.state.parts.indices.filter { world.state.parts[$0] == newer.parts[$0] })
    let before = Set(world.disk.entries.map(\.key))
    world.state = newer
    world.asked = []
    world.finish()
    #expect(world.isWhole)
    #expect(world.fetch.counters.restarts == 1)
    for entry in world.asked {
      guard case .part(2_048, let index) = entry.request else { continue }
      #expect(!(equal.contains(Int(index)) && before.contains(Int(index))))
    }
  }

  @Test func `an older snapshot is taken when the one at work is gone`() throws {
    var world = try World(Self.state(), servers: [.good, .good], seed: 4)
    while world.disk.count < 10 { _ = world.step() }
    world.state = try Self.state(3, height: 512)
    world.finish()
    #expect(world.isWhole && world.fetch.manifest?.height == 512)
    #expect(world.fetch.counters.restarts == 1 && world.banned.isEmpty)
  }

  @Test func `a resumed manifest that nobody serves any more gives way`() throws {
    var world = try World(Self.state(), servers: [.good], seed: 5)
    while world.disk.count < 10 { _ = world.step() }
    world.state = try Self.state(3, height: 512)
    world.restart()
    world.finish()
    #expect(world.isWhole && world.banned.isEmpty)
  }

  @Test func `requests stay within their bounds`() throws {
    var limits = SnapshotLimits()
    limits.requestsMax = 3
    limits.perPeerMax = 2
    limits.unstoredMax = 2
    var fetch = SnapshotFetch(
      chain: Place.chain, genesis: Place.set(Place.keys), tables: Place.tables,
      resuming: (try Self.state().manifest, []), limits: limits)
    var effects = SnapshotFetch.Effects()
    let state = try Self.state()
    func give(_ event: SnapshotFetch.Event) {
      fetch.handle(event, at: Moment(instant: .origin, wallMilliseconds: 0), into: &effects)
      #expect(fetch.brokenInvariant == nil)
    }
    for peer in 0..<3 { give(.connected(PeerIndex(UInt16(peer)))) }
    #expect(effects.asks.map(\.request) == [.offer, .offer, .offer])
    var answered = 0
    var stored = 0
    while answered < effects.asks.count {
      let ask = effects.asks[answered]
      answered += 1
      give(.answered(ask.identifier, GoodSnapshotServer.answer(ask.request, state)))
      #expect(effects.asks.count - answered <= 3)
      #expect(effects.store.count - stored <= 2 + 3)
      if answered.isMultiple(of: 2), stored < effects.store.count {
        give(.stored(part: effects.store[stored].part, height: 1_024))
        stored += 1
      }
      while answered == effects.asks.count, stored < effects.store.count {
        give(.stored(part: effects.store[stored].part, height: 1_024))
        stored += 1
      }
    }
    #expect(effects.isComplete && effects.store.count == 32)
  }

  @Test func `an empty state is complete with its manifest`() throws {
    var world = try World(State(height: 9, rows: 0), servers: [.good], seed: 1)
    world.finish()
    #expect(world.isWhole)
  }
}
