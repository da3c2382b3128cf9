import QUICTransport
import Reactor
import Testing

/// How soon nodes are connected again after one of them was gone.
@Suite struct RedialTests {
  /// Delays that no test would survive: what connects here does so without waiting.
  private static let patient: @Sendable (inout QUICConfiguration) -> Void = {
    $0.reconnectDelayMin = 3_600_000_000_000
    $0.reconnectDelayMax = 3_600_000_000_000
    $0.handshakeTimeout = 3_600_000_000_000
    $0.answerTimeout = 3_600_000_000_000
  }

  @Test(arguments: [true, false], [true, false])
  func `a restarted peer is let in by its first dial`(
    survivorDialled: Bool, survivorIsSmaller: Bool
  ) throws {
    let world = try World()
    let nodes = [
      try world.node(1, configure: RedialTests.patient),
      try world.node(2, configure: RedialTests.patient),
    ]
    let isInOrder = (nodes[0].key < nodes[1].key) == survivorIsSmaller
    let (survivor, victim) = isInOrder ? (nodes[0], nodes[1]) : (nodes[1], nodes[0])
    let (seed, address): (UInt8, SocketAddress) = (isInOrder ? 2 : 1, victim.address)
    if survivorDialled {
      try world.connect(survivor, to: victim)
    } else {
      try world.connect(victim, to: survivor)
    }
    victim.crash()
    let second = try world.node(seed, bind: "\(address)", configure: RedialTests.patient)
    second.transport.connect(to: survivor.address, expecting: survivor.key)
    try world.run("the peer is back") {
      second.connection(to: survivor) != nil && survivor.connected.count == 2
    }
    #expect(survivor.disconnected.map(\.reason) == [.replaced])
    #expect(second.disconnected.isEmpty && second.failures.isEmpty)
    let id = try #require(survivor.connection(to: second))
    #expect(survivor.transport.send(frame: [1], on: .consensus, to: id) == .queued)
    try world.run("frames pass") { second.consensus == [[1]] }
  }

  @Test func `a peer that has forgotten the connection is dialled at once`() throws {
    let world = try World()
    let survivor = try world.node(1, configure: RedialTests.patient)
    let victim = try world.node(2)
    let address = victim.address
    try world.connect(survivor, to: victim)
    victim.crash()
    let second = try world.node(2, bind: "\(address)")
    let id = try #require(survivor.connection(to: second))
    #expect(survivor.transport.send(datagram: [1], to: id) == .queued)
    try world.run("the survivor has dialled again") {
      survivor.connected.count == 2 && second.connection(to: survivor) != nil
    }
    #expect(survivor.disconnected.map(\.reason) == [.reset])
  }

  @Test func `a refused dial is repeated long before it would time out`() throws {
    let world = try World()
    let quick: (inout QUICConfiguration) -> Void = {
      RedialTests.patient(&$0)
      $0.reconnectDelayMin = 5_000_000
      $0.reconnectDelayMax = 20_000_000
    }
    let early = try world.node(1, configure: quick)
    let late = try world.node(2)
    let (address, key) = (late.address, late.key)
    late.crash()
    early.transport.connect(to: address, expecting: key)
    try world.run("three attempts are refused") { early.failures.count == 3 }
    #expect(early.failures.allSatisfy { $0.reason == .unreachable("nobody listens there") })
    let second = try world.node(2, bind: "\(address)")
    try world.run("the dialled one is there") { second.connection(to: early) != nil }
    try world.run("both know") { early.connection(to: second) != nil }
    #expect(early.counters.connections == 1)
  }

  @Test func `a peer that does not answer at all is given up sooner than a slow one`() throws {
    let world = try World()
    let dialler = try world.node(1) {
      $0.answerTimeout = 20_000_000
      $0.handshakeTimeout = 3_600_000_000_000
    }
    let (silent, other) = (try world.tap(), try world.node(2))
    dialler.transport.connect(to: silent.address, expecting: other.key)
    try world.run("the attempt ends") { !dialler.failures.isEmpty }
    #expect(dialler.failures[0].reason == .handshakeTimedOut)
  }

  @Test func `a handshake that the other side never confirms is given up`() throws {
    let world = try World()
    let (dialler, acceptor) = (
      try world.node(1) { $0.handshakeTimeout = 100_000_000 }, try world.node(2)
    )
    // Lets the acceptor's first flight through and nothing after it.
    let (front, back) = (try world.tap(), try world.tap())
    var diallerAddress: SocketAddress?
    var isCut = false
    front.onDatagram = { bytes, from in
      if diallerAddress != nil, bytes[0] & 0x80 == 0 { isCut = true }
      diallerAddress = from
      if !isCut { back.send(bytes, to: acceptor.address) }
    }
    back.onDatagram = { bytes, _ in
      let isShort = bytes[0] & 0x80 == 0
      if let diallerAddress, !isShort { front.send(bytes, to: diallerAddress) }
    }
    dialler.transport.connect(to: front.address, expecting: acceptor.key)
    try world.run("the attempt ends") { !dialler.failures.isEmpty }
    #expect(dialler.failures[0].reason == .handshakeTimedOut)
    #expect(dialler.connected.isEmpty)
  }

  @Test(arguments: [true, false])
  func `an abandoned connection is dropped and dialled again`(byDialler: Bool) throws {
    let world = try World()
    let quick: (inout QUICConfiguration) -> Void = {
      $0.reconnectDelayMin = 1_000_000
      $0.reconnectDelayMax = 5_000_000
    }
    let (dialler, acceptor) = (try world.node(1, configure: quick), try world.node(2))
    try world.connect(dialler, to: acceptor)
    let who = byDialler ? dialler : acceptor
    let id = try #require(who.connection(to: byDialler ? acceptor : dialler))
    who.transport.abandon(id)
    #expect(who.transport.send(datagram: [1], to: id) == .notConnected)
    who.transport.abandon(id)
    try world.run("both are connected again") {
      dialler.connected.count == 2 && acceptor.connected.count == 2
    }
    #expect(who.disconnected.map(\.reason) == [.abandoned] && who.counters.abandoned == 1)
    #expect(dialler.connection(to: acceptor) != nil && acceptor.connection(to: dialler) != nil)
  }

  @Test func `a refusal hint and an abandoned connection lead to the peer's next life`() throws {
    let world = try World()
    let quick: (inout QUICConfiguration) -> Void = {
      $0.reconnectDelayMin = 5_000_000
      $0.reconnectDelayMax = 10_000_000
      $0.idleTimeout = 3_600_000_000_000
    }
    let survivor = try world.node(1, configure: quick)
    let victim = try world.node(2)
    let address = victim.address
    try world.connect(survivor, to: victim)
    survivor.onRefusal = { [unowned survivor] id in survivor.transport.abandon(id) }
    let id = try #require(survivor.connection(to: victim))
    victim.crash()
    #expect(survivor.transport.send(datagram: [1], to: id) == .queued)
    try world.run("the survivor gives up") { survivor.disconnected.count == 1 }
    try world.run("it tries again in vain") { survivor.failures.count >= 2 }
    let second = try world.node(2, bind: "\(address)")
    try world.run("the peer is back") {
      second.connection(to: survivor) != nil && survivor.connection(to: second) != nil
    }
  }
}
