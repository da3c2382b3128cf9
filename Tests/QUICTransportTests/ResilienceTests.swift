import QUICTransport
import Reactor
import Testing

@Suite struct ResilienceTests {
  private static let quick: @Sendable (inout QUICConfiguration) -> Void = {
    $0.keepAliveInterval = 50_000_000
    $0.reconnectDelayMin = 10_000_000
    $0.reconnectDelayMax = 50_000_000
  }

  @Test(arguments: [false, true])
  func `a dialler reconnects when the acceptor restarts on its port`(crashes: Bool) throws {
    let world = try World()
    let dialler = try world.node(1, configure: ResilienceTests.quick)
    let first = try world.node(2, configure: ResilienceTests.quick)
    let address = first.address
    try world.connect(dialler, to: first)
    if crashes {
      first.crash()
    } else {
      var farewell = false
      first.transport.shutdown { farewell = true }
      try world.run("the farewell is sent") { farewell }
      first.crash()
    }
    let second = try world.node(2, bind: "\(address)", configure: ResilienceTests.quick)
    try world.run("the dialler is back") { second.connection(to: dialler) != nil }
    try world.run("the dialler knows") { dialler.connected.count == 2 }
    #expect(dialler.disconnected.count == 1)
    if crashes {
      #expect(dialler.disconnected[0].reason == .reset)
      #expect(second.counters.statelessResetsSent >= 1)
    } else {
      let expected = ApplicationError.shutDown.rawValue
      guard case .closedByPeer(expected, _) = dialler.disconnected[0].reason else {
        Issue.record("the dialler heard \(dialler.disconnected[0].reason)")
        return
      }
    }
    let id = try #require(dialler.connection(to: second))
    #expect(dialler.transport.send(frame: [5], on: .control, to: id) == .queued)
    try world.run("frames pass again") { second.control == [[5]] }
  }

  @Test func `a peer that lost a connection is let in at once when it dials`() throws {
    let world = try World()
    // Without probes, so that only the peer's own dial can tell that the connection is dead.
    let patient: @Sendable (inout QUICConfiguration) -> Void = {
      $0.keepAliveInterval = 60_000_000_000
      $0.idleTimeout = 120_000_000_000
      $0.handshakeTimeout = 500_000_000
    }
    let nodes = [try world.node(1, configure: patient), try world.node(2, configure: patient)]
    let seeds: [UInt8] = nodes[0].key < nodes[1].key ? [1, 2] : [2, 1]
    let survivor = nodes[Int(seeds[0]) - 1]
    let victim = nodes[Int(seeds[1]) - 1]
    try world.connect(survivor, to: victim)
    var isOld = false
    world.loop.schedule(at: world.loop.now() + 600_000_000) { isOld = true }
    try world.run("the connection is older than a handshake") { isOld }
    victim.crash()
    let second = try world.node(seeds[1], configure: patient)
    second.transport.connect(to: survivor.address, expecting: survivor.key)
    try world.run("the peer is back") {
      second.connection(to: survivor) != nil && survivor.connected.count == 2
    }
    #expect(survivor.disconnected.map(\.reason) == [.replaced])
  }

  @Test func `a forgotten peer is not dialled again`() throws {
    let world = try World()
    let dialler = try world.node(1, configure: ResilienceTests.quick)
    let acceptor = try world.node(2)
    try world.connect(dialler, to: acceptor)
    dialler.transport.forget(acceptor.key)
    try world.run("both sides hear of it") {
      dialler.disconnected.count == 1 && acceptor.disconnected.count == 1
    }
    #expect(dialler.disconnected[0].reason == .closedHere)
    // Another peer is connected and lost twice meanwhile, which takes longer than a redial.
    let other = try world.node(3, configure: ResilienceTests.quick)
    try world.connect(dialler, to: other)
    for round in 1...2 {
      let id = try #require(other.connection(to: dialler))
      other.transport.disconnect(id)
      try world.run("the other is back") {
        other.connected.count == round + 1 && other.connection(to: dialler) != nil
      }
    }
    #expect(acceptor.connected.count == 1)
  }

  @Test(arguments: 0..<8)
  func `two nodes that dial each other keep the smaller key's connection`(seed: Int) throws {
    let world = try World()
    let left = try world.node(UInt8(10 + 2 * seed))
    let right = try world.node(UInt8(11 + 2 * seed))
    left.transport.connect(to: right.address, expecting: right.key)
    right.transport.connect(to: left.address, expecting: left.key)
    let (smaller, larger) = left.key < right.key ? (left, right) : (right, left)
    func settled() -> Bool {
      guard let here = smaller.connection(to: larger), let there = larger.connection(to: smaller)
      else { return false }
      return smaller.counters.connections == 1 && larger.counters.connections == 1
        && smaller.transport.statistics(here)?.role == .dialler
        && larger.transport.statistics(there)?.role == .acceptor
    }
    try world.run("one connection is left", until: settled)
    for node in [smaller, larger] {
      #expect(node.connected.count == node.disconnected.count + 1)
      #expect(node.disconnected.allSatisfy { $0.reason == .duplicate })
    }
    let id = try #require(larger.connection(to: smaller))
    #expect(larger.transport.send(frame: [1], on: .control, to: id) == .queued)
    try world.run("it carries frames") { smaller.control == [[1]] }
  }

  @Test(arguments: [3, 5, 10, 20])
  func `frames arrive in order although every n-th packet is lost`(period: Int) throws {
    let world = try World()
    let (sender, receiver) = (try world.node(1), try world.node(2))
    let proxy = try LossyProxy(world: world, to: receiver.address, losingEvery: period)
    sender.transport.connect(to: proxy.address, expecting: receiver.key)
    try world.run("both sides announce the connection") {
      sender.connection(to: receiver) != nil && receiver.connection(to: sender) != nil
    }
    let id = try #require(sender.connection(to: receiver))
    let count = 300
    for number in 0..<count {
      let channel: Channel = number.isMultiple(of: 3) ? .control : .bundles
      let result = sender.transport.send(
        frame: numbered(number, bytes: 500), on: channel, to: id)
      try #require(result == .queued)
    }
    try world.run("all frames arrive") {
      receiver.control.count + receiver.bundles.count == count
    }
    let all = (0..<count).map { numbered($0, bytes: 500) }
    #expect(receiver.control == stride(from: 0, to: count, by: 3).map { all[$0] })
    #expect(receiver.bundles == (0..<count).filter { !$0.isMultiple(of: 3) }.map { all[$0] })
    #expect(proxy.lost > 0)
  }

  @Test(arguments: 0..<16)
  func `garbage never harms a node and is counted`(seed: UInt64) throws {
    let world = try World()
    let victim = try world.node(2)
    let dialler = try world.node(1)
    let tap = try world.tap()
    // A genuine first packet, caught on its way, is the start of the worst garbage.
    let catcher = try world.tap()
    dialler.transport.connect(to: catcher.address, expecting: victim.key)
    try world.run("a first packet is caught") { !catcher.received.isEmpty }
    dialler.transport.forget(victim.key)
    let initial = catcher.received[0]
    var random = SplitMix(seed: seed)
    var sent: UInt64 = 0
    for _ in 0..<200 {
      var bytes: [UInt8]
      switch random.next() % 4 {
      case 0:
        bytes = (0..<Int(1 + random.next() % 1_400)).map { _ in
          UInt8(truncatingIfNeeded: random.next())
        }
      case 1:
        bytes = Array(initial.prefix(Int(1 + random.next() % 1_199)))
      case 2:
        bytes = initial
        for _ in 0..<(1 + random.next() % 8) {
          bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 + random.next() % 255)
        }
      default:
        bytes = [0xc0 | UInt8(random.next() & 0x3f), 0, 0, 0, 1, UInt8(random.next() % 40)]
        bytes += (0..<1_300).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      }
      tap.send(bytes, to: victim.address)
      sent += 1
    }
    try world.run("the garbage is read") { victim.counters.packetsIn >= sent }
    #expect(victim.counters.packetsDropped > 0)
    #expect(victim.connected.isEmpty)
    let friend = try world.node(3)
    try world.connect(friend, to: victim)
  }

  @Test func `a packet of an unknown version is answered with the known ones`() throws {
    let world = try World()
    let node = try world.node(1)
    let tap = try world.tap()
    var packet: [UInt8] = [0xc0, 0xab, 0xcd, 0xef, 0x01, 8, 1, 2, 3, 4, 5, 6, 7, 8, 4, 9, 8, 7, 6]
    tap.send(packet, to: node.address)
    packet += [UInt8](repeating: 0, count: 1_200 - packet.count)
    tap.send(packet, to: node.address)
    try world.run("an answer comes") { !tap.received.isEmpty }
    // RFC 9000, section 17.2.1: version 0, our ids swapped, then the versions.
    let answer = tap.received[0]
    #expect(Array(answer[1...4]) == [0, 0, 0, 0])
    #expect(Array(answer[5...9]) == [4, 9, 8, 7, 6])
    #expect(answer.suffix(4) == [0, 0, 0, 1])
    #expect(tap.received.count == 1 && node.counters.versionNegotiationsSent == 1)
  }

  @Test func `a stranger's packet is answered with a shorter stateless reset`() throws {
    let world = try World()
    let node = try world.node(1)
    let tap = try world.tap()
    tap.send([0x40] + [UInt8](repeating: 3, count: 99), to: node.address)
    try world.run("an answer comes") { !tap.received.isEmpty }
    #expect(tap.received[0].count < 100)
    #expect(tap.received[0][0] & 0xc0 == 0x40)
    #expect(node.counters.statelessResetsSent == 1)
  }

  @Test func `many handshakes at once go through a retry`() throws {
    let world = try World()
    let acceptor = try world.node(100) { $0.handshakesBeforeRetry = 0 }
    let diallers = try (1...5).map { try world.node(UInt8($0)) }
    for dialler in diallers {
      dialler.transport.connect(to: acceptor.address, expecting: acceptor.key)
    }
    try world.run("all are connected") {
      diallers.allSatisfy { acceptor.connection(to: $0) != nil }
    }
    #expect(acceptor.counters.retriesSent == 5)
  }

  @Test func `a token that this node did not make is refused`() throws {
    let world = try World()
    let (dialler, acceptor) = (try world.node(1), try world.node(2))
    let other = try world.node(3) { $0.handshakesBeforeRetry = 0 }
    // The other node's Retry reaches the dialler; its answer goes to the acceptor.
    let front = try world.tap()
    let back = try world.tap()
    var diallerAddress: SocketAddress?
    var passed = 0
    front.onDatagram = { bytes, from in
      diallerAddress = from
      passed += 1
      back.send(bytes, to: passed == 1 ? other.address : acceptor.address)
    }
    back.onDatagram = { bytes, _ in
      if let diallerAddress { front.send(bytes, to: diallerAddress) }
    }
    dialler.transport.connect(to: front.address, expecting: acceptor.key)
    try world.run("the attempt fails") { !dialler.failures.isEmpty }
    #expect(other.counters.retriesSent == 1)
    #expect(acceptor.counters.connections == 0)
    // INVALID_TOKEN (RFC 9000, section 20.1).
    guard case .protocolFailure(let what) = dialler.failures[0].reason else {
      Issue.record("the dialler heard \(dialler.failures[0].reason)")
      return
    }
    #expect(what.contains("transport error 11"))
  }

  @Test func `shutting down tells every peer and accepts nobody more`() throws {
    let world = try World()
    let leaver = try world.node(1)
    let peers = try (2...4).map { try world.node(UInt8($0)) }
    for peer in peers { try world.connect(leaver, to: peer) }
    var done = false
    leaver.transport.shutdown { done = true }
    try world.run("all hear of it") { done && peers.allSatisfy { $0.disconnected.count == 1 } }
    #expect(leaver.disconnected.count == 3 && leaver.counters.connections == 0)
    let late = try world.node(9)
    late.transport.connect(to: leaver.address, expecting: leaver.key)
    try world.run("the late one is refused") { !late.failures.isEmpty }
  }

  @Test func `an idle connection is kept by its keep-alives`() throws {
    let world = try World()
    let lively: (inout QUICConfiguration) -> Void = {
      $0.keepAliveInterval = 30_000_000
      $0.idleTimeout = 150_000_000
    }
    let (left, right) = (
      try world.node(1, configure: lively), try world.node(2, configure: lively)
    )
    try world.connect(left, to: right)
    let before = left.counters.packetsIn
    let turns = world.loop.metrics.turns
    try world.run("ten keep-alives pass") { left.counters.packetsIn >= before + 10 }
    #expect(left.disconnected.isEmpty && right.disconnected.isEmpty)
    // A handful of turns per packet: the loop sleeps in between instead of spinning.
    #expect(world.loop.metrics.turns - turns < 200)
  }

  @Test func `statistics name the peer and its round trip`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    let id = try #require(left.connection(to: right))
    let statistics = try #require(left.transport.statistics(id))
    #expect(statistics.key == right.key)
    #expect(statistics.address == right.address)
    #expect(statistics.role == .dialler)
    #expect(statistics.smoothedRoundTripNanoseconds > 0)
    left.transport.disconnect(id)
    #expect(left.transport.statistics(id) == nil)
  }
}

struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
