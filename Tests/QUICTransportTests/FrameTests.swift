import QUICTransport
import Reactor
import Synchronization
import Testing

/// A frame that says which one it is.
func numbered(_ number: Int, bytes: Int) -> [UInt8] {
  var frame = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes)
  for index in 0..<4 { frame[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
  return frame
}

@Suite struct FrameTests {
  @Test func `frames travel both ways on all channels`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    for (sender, receiver) in [(left, right), (right, left)] {
      let id = try #require(sender.connection(to: receiver))
      #expect(sender.transport.send(frame: [1, 2, 3], on: .control, to: id) == .queued)
      #expect(sender.transport.send(frame: [4], on: .bundles, to: id) == .queued)
      #expect(sender.transport.send(frame: [5, 6], on: .consensus, to: id) == .queued)
    }
    func arrived(_ node: TestNode) -> Int {
      node.control.count + node.bundles.count + node.consensus.count
    }
    try world.run("six frames arrive") { arrived(left) + arrived(right) == 6 }
    #expect(left.consensus == [[5, 6]] && right.consensus == [[5, 6]])
    #expect(left.counters.consensusFramesIn == 1 && left.counters.consensusFramesOut == 1)
    #expect(left.control == [[1, 2, 3]] && right.control == [[1, 2, 3]])
    #expect(left.bundles == [[4]] && right.bundles == [[4]])
  }

  @Test(arguments: Channel.allCases)
  func `twenty thousand frames arrive in order`(channel: Channel) throws {
    let count = 20_000
    let world = try World()
    let (sender, receiver) = (try world.node(1), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    var next = 0
    func push() {
      while next < count {
        let result = sender.transport.send(frame: numbered(next, bytes: 256), on: channel, to: id)
        guard result == .queued else { break }
        next += 1
      }
    }
    sender.onWritable = { _, _ in push() }
    var arrived = 0
    var firstWrong: Int?
    receiver.onFrame = { frame, _, _ in
      if frame != numbered(arrived, bytes: 256), firstWrong == nil { firstWrong = arrived }
      arrived += 1
    }
    push()
    try world.run("all frames arrive") { arrived == count }
    #expect(firstWrong == nil)
    #expect(sender.counters.sendsHeldBack > 0)
  }

  @Test(arguments: [1, 2, 1_200, 65_535, 65_536, 65_537, 300_000, 1 << 20])
  func `a frame of any permitted size arrives whole`(bytes: Int) throws {
    let world = try World()
    let (sender, receiver) = (try world.node(1), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    let frame = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8)) }
    #expect(sender.transport.send(frame: frame, on: .bundles, to: id) == .queued)
    try world.run("the frame arrives") { !receiver.bundles.isEmpty }
    #expect(receiver.bundles == [frame])
  }

  @Test func `a full channel says so and becomes writable when half is drained`() throws {
    let world = try World()
    let small: (inout QUICConfiguration) -> Void = { $0.bundleWindowBytes = 64 << 10 }
    let (sender, receiver) = (try world.node(1, configure: small), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    var queued = 0
    while sender.transport.send(frame: numbered(queued, bytes: 1_000), on: .bundles, to: id)
      == .queued
    {
      queued += 1
    }
    #expect(queued == (64 << 10) / 1_004)
    #expect(sender.writable.isEmpty)
    try world.run("the channel becomes writable") { !sender.writable.isEmpty }
    #expect(sender.writable == [.bundles])
    try world.run("what was queued arrives") { receiver.bundles.count == queued }
    #expect(sender.transport.send(frame: [1], on: .bundles, to: id) == .queued)
  }

  @Test func `a paused receiver holds bundles back but not control`() throws {
    let world = try World()
    let sender = try world.node(1) { $0.bundleWindowBytes = 1 << 20 }
    let receiver = try world.node(2) { $0.receiveWindowBytes = 128 << 10 }
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    let back = try #require(receiver.connection(to: sender))
    receiver.transport.pauseBundles(back)
    let total = 1_000
    for number in 0..<total {
      let result = sender.transport.send(
        frame: numbered(number, bytes: 1_000), on: .bundles, to: id)
      try #require(result == .queued)
    }
    // Round trips on the control channel show that the connection lives while bundles stand still.
    var stood = 0
    for round in 0..<20 {
      #expect(sender.transport.send(frame: [UInt8(round)], on: .control, to: id) == .queued)
      try world.run("control passes") { receiver.control.count == round + 1 }
      #expect(receiver.transport.send(frame: [UInt8(round)], on: .control, to: back) == .queued)
      try world.run("control returns") { sender.control.count == round + 1 }
      stood = receiver.bundles.count
    }
    #expect(stood < total && stood * 1_004 <= 128 << 10)
    receiver.transport.resumeBundles(back)
    try world.run("the rest arrives") { receiver.bundles.count == total }
    #expect(receiver.bundles.enumerated().allSatisfy { $1 == numbered($0, bytes: 1_000) })
  }

  @Test func `control overtakes bundles that were queued before it`() throws {
    let world = try World()
    let (sender, receiver) = (try world.node(1), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    for number in 0..<1_000 {
      _ = sender.transport.send(frame: numbered(number, bytes: 4_000), on: .bundles, to: id)
    }
    #expect(sender.transport.send(frame: [9], on: .control, to: id) == .queued)
    try world.run("control arrives") { !receiver.control.isEmpty }
    #expect(receiver.bundles.count < 100)
  }

  @Test func `a longer frame than the receiver allows closes the connection`() throws {
    let world = try World()
    let sender = try world.node(1)
    let receiver = try world.node(2) { $0.frameBytesMax = 1_000 }
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    let frame = [UInt8](repeating: 0, count: 1_001)
    #expect(sender.transport.send(frame: frame, on: .control, to: id) == .queued)
    try world.run("both sides hear of the end") {
      !sender.disconnected.isEmpty && !receiver.disconnected.isEmpty
    }
    #expect(receiver.disconnected[0].reason == .malformed("a frame of 1001 bytes"))
    guard case .closedByPeer(let code, _) = sender.disconnected[0].reason else {
      Issue.record("the sender heard \(sender.disconnected[0].reason)")
      return
    }
    #expect(code == ApplicationError.malformedFrame.rawValue)
    #expect(receiver.counters.malformedFrames == 1)
    #expect(sender.transport.send(frame: [1], on: .control, to: id) == .notConnected)
  }

  @Test func `datagrams arrive`() throws {
    let world = try World()
    let (left, right) = (try world.node(1), try world.node(2))
    try world.connect(left, to: right)
    let there = try #require(left.connection(to: right))
    let back = try #require(right.connection(to: left))
    let largest = [UInt8](repeating: 7, count: QUICConfiguration.datagramBytesMax)
    #expect(left.transport.send(datagram: largest, to: there) == .queued)
    #expect(right.transport.send(datagram: [8], to: back) == .queued)
    try world.run("both arrive") { left.datagrams.count == 1 && right.datagrams.count == 1 }
    #expect(right.datagrams == [largest] && left.datagrams == [[8]])
  }

  @Test func `datagrams beyond the queue are dropped and counted`() throws {
    let world = try World()
    let sender = try world.node(1) { $0.datagramsQueuedMax = 4 }
    let receiver = try world.node(2)
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    let results = (0..<6).map { sender.transport.send(datagram: [UInt8($0)], to: id) }
    #expect(results == [.queued, .queued, .queued, .queued, .full, .full])
    #expect(sender.counters.datagramsDropped == 2)
    try world.run("the queued ones arrive") { receiver.datagrams.count == 4 }
  }

  @Test func `nodes on loops of their own threads exchange frames`() throws {
    let world = try World()
    let dialler = try world.node(1)
    let place = Mutex<(key: PeerKey, address: SocketAddress)?>(nil)
    let thread = try LoopThread { loop in
      let bind = try #require(SocketAddress("127.0.0.1:0"))
      let node = try TestNode(
        configuration: QUICConfiguration(
          identitySeed: [UInt8](repeating: 2, count: 32), bindAddresses: [bind], jitterSeed: 2),
        loop: loop)
      node.onFrame = { [unowned node] frame, channel, id in
        _ = node.transport.send(frame: frame, on: channel, to: id)
      }
      loop.attach(node)
      place.withLock { $0 = (node.key, node.address) }
    }
    let echo = try #require(place.withLock { $0 })
    dialler.transport.connect(to: echo.address, expecting: echo.key)
    try world.run("the echo is connected") { !dialler.connected.isEmpty }
    for number in 0..<200 {
      let frame = numbered(number, bytes: 1_000)
      let id = dialler.connected[0].id
      #expect(dialler.transport.send(frame: frame, on: .control, to: id) == .queued)
      try world.run("the echo answers") { dialler.control.count == number + 1 }
      #expect(dialler.control[number] == frame)
    }
    try thread.stopAndJoin()
  }
}
