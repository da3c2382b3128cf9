import QUICTransport
import Reactor
import Testing

/// Networks that are bad on purpose.
@Suite struct FaultTests {
  private static let quick: @Sendable (inout QUICConfiguration) -> Void = {
    $0.reconnectDelayMin = 5_000_000
    $0.reconnectDelayMax = 20_000_000
  }

  /// Lets packets and timers go on, as long as another pair takes for some round trips.
  private func pass(_ rounds: Int, in world: World, _ left: TestNode, _ right: TestNode) throws {
    let id = try #require(left.connection(to: right))
    let back = try #require(right.connection(to: left))
    for round in 0..<rounds {
      let before = (left.control.count, right.control.count)
      #expect(left.transport.send(frame: [UInt8(round % 256)], on: .control, to: id) == .queued)
      try world.run("there") { right.control.count == before.1 + 1 }
      #expect(right.transport.send(frame: [1], on: .control, to: back) == .queued)
      try world.run("and back") { left.control.count == before.0 + 1 }
    }
  }

  @Test func `a blocked peer hears nothing, and everything once the block ends`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    let (near, far) = (try world.node(3), try world.node(4))
    try world.connect(left, to: right)
    try world.connect(near, to: far)
    let there = try #require(left.connection(to: right))
    let back = try #require(right.connection(to: left))
    left.transport.setFaults([.block(right.key), .block(near.key)])
    for number in 0..<50 {
      let frame = numbered(number, bytes: 400)
      #expect(left.transport.send(frame: frame, on: .consensus, to: there) == .queued)
      #expect(right.transport.send(frame: frame, on: .bundles, to: back) == .queued)
    }
    try pass(200, in: world, near, far)
    #expect(left.bundles.isEmpty && right.consensus.isEmpty)
    #expect(left.counters.faultsBlocked > 0 && right.counters.faultsBlocked == 0)
    left.transport.setFaults([])
    try world.run("what waited arrives") {
      left.bundles.count == 50 && right.consensus.count == 50
    }
    #expect(right.consensus == (0..<50).map { numbered($0, bytes: 400) })
    #expect(left.disconnected.isEmpty && right.disconnected.isEmpty)
    #expect(left.connected.count == 1 && right.connected.count == 1)
  }

  @Test(arguments: [true, false])
  func `a block of one direction leaves the other`(outwards: Bool) throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    let (near, far) = (try world.node(3), try world.node(4))
    try world.connect(left, to: right)
    try world.connect(near, to: far)
    let there = try #require(left.connection(to: right))
    let back = try #require(right.connection(to: left))
    var fault = PeerFault(key: right.key)
    if outwards { fault.blocksOut = true } else { fault.blocksIn = true }
    left.transport.setFaults([fault])
    #expect(left.transport.send(frame: [1], on: .control, to: there) == .queued)
    #expect(right.transport.send(frame: [2], on: .control, to: back) == .queued)
    try world.run("the open direction works") {
      outwards ? left.control == [[2]] : right.control == [[1]]
    }
    try pass(100, in: world, near, far)
    #expect(outwards ? right.control.isEmpty : left.control.isEmpty)
    left.transport.setFaults([])
    try world.run("both work") { left.control == [[2]] && right.control == [[1]] }
  }

  @Test func `a blocked peer that dials is never announced until the block ends`() throws {
    let world = try World()
    let configure: (inout QUICConfiguration) -> Void = {
      FaultTests.quick(&$0)
      $0.handshakeTimeout = 100_000_000
    }
    let acceptor = try world.node(1, configure: configure)
    let dialler = try world.node(2, configure: configure)
    acceptor.transport.setFaults([.block(dialler.key)])
    dialler.transport.connect(to: acceptor.address, expecting: acceptor.key)
    try world.run("two attempts fail") { dialler.failures.count == 2 }
    #expect(dialler.failures.allSatisfy { $0.reason == .handshakeTimedOut })
    #expect(acceptor.connected.isEmpty && dialler.connected.isEmpty)
    #expect(acceptor.counters.faultsBlocked > 0)
    acceptor.transport.setFaults([])
    try world.run("both are connected") {
      acceptor.connection(to: dialler) != nil && dialler.connection(to: acceptor) != nil
    }
  }

  @Test func `a dial to a blocked peer sends nothing`() throws {
    let world = try World()
    let dialler = try world.node(1) {
      FaultTests.quick(&$0)
      $0.answerTimeout = 20_000_000
    }
    let (target, other) = (try world.tap(), try world.node(2))
    dialler.transport.setFaults([.block(other.key)])
    dialler.transport.connect(to: target.address, expecting: other.key)
    try world.run("two attempts fail") { dialler.failures.count == 2 }
    #expect(target.received.isEmpty && dialler.counters.packetsOut == 0)
    dialler.transport.connect(to: other.address, expecting: other.key)
    dialler.transport.setFaults([])
    try world.run("the peer is reached") { dialler.connection(to: other) != nil }
  }

  @Test func `a connection that a block outlasts is made anew`() throws {
    let world = try World()
    let configure: (inout QUICConfiguration) -> Void = {
      FaultTests.quick(&$0)
      $0.keepAliveInterval = 30_000_000
      $0.idleTimeout = 150_000_000
      $0.handshakeTimeout = 100_000_000
      $0.answerTimeout = 50_000_000
    }
    let (left, right) = (
      try world.node(1, configure: configure), try world.node(2, configure: configure)
    )
    try world.connect(left, to: right)
    right.transport.setFaults([.block(left.key)])
    try world.run("both give up") { left.disconnected.count == 1 && right.disconnected.count == 1 }
    #expect(left.disconnected[0].reason == .idle && right.disconnected[0].reason == .idle)
    try world.run("a dial fails") { !left.failures.isEmpty }
    right.transport.setFaults([])
    try world.run("they find each other") {
      left.connected.count == 2 && right.connected.count == 2
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `frames arrive in order although a fifth of the packets is lost`(seed: UInt64) throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    var fault = PeerFault(key: right.key)
    fault.lossMillionths = 200_000
    left.transport.setFaults([fault], seed: seed)
    let there = try #require(left.connection(to: right))
    for number in 0..<300 {
      let frame = numbered(number, bytes: 500)
      #expect(left.transport.send(frame: frame, on: .bundles, to: there) == .queued)
    }
    try world.run("all arrive") { right.bundles.count == 300 }
    #expect(right.bundles.enumerated().allSatisfy { $1 == numbered($0, bytes: 500) })
    #expect(left.counters.faultsLost > 0 && left.counters.faultsBlocked == 0)
  }

  @Test func `a total loss is a block`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    var fault = PeerFault(key: right.key)
    fault.lossMillionths = 1_000_000
    left.transport.setFaults([fault])
    let there = try #require(left.connection(to: right))
    let sent = left.counters.packetsOut
    #expect(left.transport.send(frame: [1], on: .control, to: there) == .queued)
    try world.run("packets are lost") { left.counters.faultsLost >= 3 }
    #expect(left.counters.packetsOut == sent && right.control.isEmpty)
  }

  @Test func `a delay is in every round trip and keeps the order of frames`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    var fault = PeerFault(key: right.key)
    fault.delayNanoseconds = 10_000_000
    fault.jitterNanoseconds = 5_000_000
    left.transport.setFaults([fault], seed: 7)
    try world.connect(left, to: right)
    let there = try #require(left.connection(to: right))
    for number in 0..<200 {
      let frame = numbered(number, bytes: 500)
      #expect(left.transport.send(frame: frame, on: .consensus, to: there) == .queued)
    }
    try world.run("all arrive") { right.consensus.count == 200 }
    #expect(right.consensus.enumerated().allSatisfy { $1 == numbered($0, bytes: 500) })
    let statistics = try #require(left.transport.statistics(there))
    #expect(statistics.minimumRoundTripNanoseconds >= 10_000_000)
    #expect(left.counters.faultsDelayed > 0 && left.counters.faultsDelayDropped == 0)
  }

  @Test func `delayed packets are few at once`() throws {
    let world = try World()
    let left = try world.node(1) { $0.delayedPacketsMax = 3 }
    let right = try world.node(2)
    try world.connect(left, to: right)
    var fault = PeerFault(key: right.key)
    fault.delayNanoseconds = 3_600_000_000_000
    left.transport.setFaults([fault])
    let there = try #require(left.connection(to: right))
    let sent = left.counters.packetsOut
    for _ in 0..<8 {
      let queued = left.counters.faultsDelayed + left.counters.faultsDelayDropped
      #expect(left.transport.send(datagram: [1], to: there) == .queued)
      try world.run("it is taken") {
        left.counters.faultsDelayed + left.counters.faultsDelayDropped > queued
      }
    }
    #expect(left.counters.faultsDelayed == 3 && left.counters.faultsDelayDropped >= 5)
    #expect(left.counters.packetsOut == sent)
  }

  @Test func `faults without limits are only losses`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    var fault = PeerFault(key: right.key)
    fault.delayNanoseconds = .max
    fault.jitterNanoseconds = .max
    fault.lossMillionths = .max
    left.transport.setFaults([PeerFault(key: right.key), fault])
    let there = try #require(left.connection(to: right))
    #expect(left.transport.send(datagram: [1], to: there) == .queued)
    try world.run("it is lost") { left.counters.faultsLost > 0 }
  }

  @Test func `a closed connection of a blocked peer says nothing to it`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    let sent = left.counters.packetsOut
    left.transport.setFaults([.block(right.key)])
    left.transport.forget(right.key)
    let back = try #require(right.connection(to: left))
    let before = left.counters.packetsIn
    #expect(right.transport.send(frame: [1], on: .control, to: back) == .queued)
    try world.run("the peer keeps trying") { left.counters.packetsIn >= before + 3 }
    #expect(left.counters.packetsOut == sent && right.disconnected.isEmpty)
  }

  @Test func `a silent peer is sent few datagrams, and all of them once it answers`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    let there = try #require(left.connection(to: right))
    left.transport.setFaults([.block(right.key)])
    var isOver = false
    var beat: TimerToken?
    var sent = 0
    let timer = world.loop.makeTimer {
      if left.transport.send(datagram: [1], to: there) == .queued { sent += 1 }
      if let beat { world.loop.arm(beat, at: world.loop.now() + 5_000_000) }
    }
    beat = timer
    world.loop.arm(timer, at: world.loop.now())
    world.loop.schedule(at: world.loop.now() + 900_000_000) { isOver = true }
    try world.run("a while passes") { isOver }
    #expect(left.counters.datagramsWithheld > 0)
    #expect(sent < 120)
    #expect(left.transport.statistics(there)?.unansweredNanoseconds ?? 0 > 500_000_000)
    left.transport.setFaults([])
    let before = right.datagrams.count
    try world.run("datagrams arrive") { right.datagrams.count >= before + 20 }
    world.loop.cancel(timer)
    try world.run("nothing is unanswered") {
      left.transport.statistics(there)?.unansweredNanoseconds == 0
    }
    #expect(left.disconnected.isEmpty)
  }
}
