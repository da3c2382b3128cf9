import QUICTransport
import Reactor
import Testing

/// Hints that a peer's process is gone, and that errors of one peer's packets are no one else's.
@Suite struct CrashHintTests {
  @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
  func `a peer whose port is closed is reported within a turn or two`(bind: String) throws {
    let world = try World()
    let survivor = try world.node(1, bind: bind)
    let victim = try world.node(2, bind: bind)
    try world.connect(survivor, to: victim)
    let id = try #require(survivor.connection(to: victim))
    // What the victim still had to say is taken first.
    #expect(
      victim.transport.send(datagram: [1], to: try #require(victim.connection(to: survivor)))
        == .queued)
    try world.run("the pair is quiet") { survivor.datagrams == [[1]] }
    victim.crash()
    #expect(survivor.transport.send(datagram: [2], to: id) == .queued)
    let before = world.loop.metrics.turns
    try world.run("the hint comes") { !survivor.refusals.isEmpty }
    #expect(world.loop.metrics.turns - before <= 4)
    #expect(survivor.refusals.count == 1 && survivor.counters.refusalHints == 1)
    // A hint proves nothing: the connection stays.
    #expect(survivor.disconnected.isEmpty)
    #expect(survivor.transport.send(datagram: [3], to: id) == .queued)
  }

  @Test func `hints about a peer are rare however often its host refuses`() throws {
    let world = try World()
    let patient: (inout QUICConfiguration) -> Void = { $0.refusalInterval = 3_600_000_000_000 }
    let (survivor, victim) = (try world.node(1, configure: patient), try world.node(2))
    try world.connect(survivor, to: victim)
    let id = try #require(survivor.connection(to: victim))
    victim.crash()
    var sent: UInt64 = 0
    try world.run("many packets are refused") {
      if survivor.transport.send(datagram: [1], to: id) == .queued { sent += 1 }
      return survivor.counters.socketErrors >= 30
    }
    #expect(survivor.refusals.count == 1)
  }

  @Test func `the same port works again once a peer has it`() throws {
    let world = try World()
    let (survivor, victim) = (try world.node(1), try world.node(2))
    let (address, key) = (victim.address, victim.key)
    try world.connect(survivor, to: victim)
    let id = try #require(survivor.connection(to: victim))
    victim.crash()
    _ = survivor.transport.send(datagram: [1], to: id)
    try world.run("the hint comes") { survivor.refusals == [key] }
    let second = try world.node(2, bind: "\(address)")
    second.transport.connect(to: survivor.address, expecting: survivor.key)
    try world.run("the peer is back") {
      second.connection(to: survivor) != nil && survivor.connected.count == 2
    }
    let fresh = try #require(survivor.connection(to: second))
    #expect(survivor.transport.send(frame: [5], on: .consensus, to: fresh) == .queued)
    #expect(survivor.transport.send(datagram: [6], to: fresh) == .queued)
    try world.run("both arrive") { second.consensus == [[5]] && second.datagrams == [[6]] }
  }

  @Test func `refused packets of dead peers disturb no other connection`() throws {
    let world = try World()
    let eager: (inout QUICConfiguration) -> Void = { $0.refusalInterval = 1 }
    let survivor = try world.node(1, configure: eager)
    let victims = try (10..<16).map { try world.node(UInt8($0)) }
    let friend = try world.node(2)
    for peer in victims + [friend] { try world.connect(survivor, to: peer) }
    let dead = victims.compactMap { survivor.connection(to: $0) }
    for victim in victims { victim.crash() }
    let alive = try #require(survivor.connection(to: friend))
    let back = try #require(friend.connection(to: survivor))
    let count = 5_000
    var next = 0
    var echoed = 0
    var firstWrong: Int?
    friend.onFrame = { frame, _, _ in
      #expect(friend.transport.send(frame: frame, on: .control, to: back) == .queued)
    }
    survivor.onFrame = { frame, _, _ in
      if frame != numbered(echoed, bytes: 200), firstWrong == nil { firstWrong = echoed }
      echoed += 1
    }
    try world.run("all frames come back") {
      for _ in 0..<8 where next < count && next - echoed < 200 {
        for id in dead { _ = survivor.transport.send(datagram: [1], to: id) }
        let frame = numbered(next, bytes: 200)
        if survivor.transport.send(frame: frame, on: .consensus, to: alive) == .queued { next += 1 }
      }
      return echoed == count
    }
    #expect(firstWrong == nil)
    #expect(survivor.counters.refusalHints > 6)
    #expect(survivor.counters.sendFailures == 0)
    #expect(survivor.disconnected.isEmpty && friend.disconnected.isEmpty)
    let statistics = try #require(survivor.transport.statistics(alive))
    #expect(statistics.congestionWindowBytes > 10_000)
  }

  @Test func `a closed port that no connection leads to is nobody's hint`() throws {
    let world = try World()
    let survivor = try world.node(1)
    let (friend, gone) = (try world.node(2), try world.node(3))
    let (address, key) = (gone.address, gone.key)
    try world.connect(survivor, to: friend)
    gone.crash()
    survivor.transport.connect(to: address, expecting: key)
    try world.run("the dial is refused") { survivor.counters.socketErrors > 0 }
    #expect(survivor.refusals.isEmpty && survivor.disconnected.isEmpty)
  }

  @Test func `a loop with a refusing peer still sleeps`() throws {
    let world = try World()
    let (survivor, victim) = (try world.node(1), try world.node(2))
    try world.connect(survivor, to: victim)
    let id = try #require(survivor.connection(to: victim))
    victim.crash()
    _ = survivor.transport.send(datagram: [1], to: id)
    try world.run("the hint comes") { !survivor.refusals.isEmpty }
    var isOver = false
    world.loop.schedule(at: world.loop.now() + 200_000_000) { isOver = true }
    let before = world.loop.metrics.turns
    try world.run("a while passes") { isOver }
    // Probes back off; an error queue left full would wake the loop without end.
    #expect(world.loop.metrics.turns - before < 100)
  }
}
