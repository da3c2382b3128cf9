import QUICTransport
import Reactor
import Testing

/// What goes first, and what cannot be held back by the rest.
@Suite struct PriorityTests {
  @Test func `consensus overtakes control and bundles that were queued before it`() throws {
    let world = try World()
    let (sender, receiver) = (try world.node(1), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    for number in 0..<200 {
      _ = sender.transport.send(frame: numbered(number, bytes: 4_000), on: .bundles, to: id)
      _ = sender.transport.send(frame: numbered(number, bytes: 4_000), on: .control, to: id)
    }
    #expect(sender.transport.send(frame: [9], on: .consensus, to: id) == .queued)
    try world.run("consensus arrives") { !receiver.consensus.isEmpty }
    #expect(receiver.control.count < 40 && receiver.bundles.isEmpty)
  }

  @Test func `bulk that fills the connection does not hold urgent frames back`() throws {
    let world = try World()
    let full: (inout QUICConfiguration) -> Void = {
      $0.bufferedBytesMax = 2 << 20
      $0.bundleWindowBytes = 4 << 20
    }
    let (sender, receiver) = (try world.node(1, configure: full), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    var queued = 0
    while sender.transport.send(frame: numbered(queued, bytes: 4_000), on: .bundles, to: id)
      == .queued
    {
      queued += 1
    }
    #expect(queued < (2 << 20) / 4_000)
    #expect(sender.transport.send(frame: [1], on: .control, to: id) == .queued)
    let large = numbered(7, bytes: 1 << 20)
    #expect(sender.transport.send(frame: large, on: .consensus, to: id) == .queued)
    try world.run("all of it arrives") {
      receiver.control == [[1]] && receiver.consensus == [large] && receiver.bundles.count == queued
    }
  }

  @Test func `a stream without bytes of its own hears when others have drained`() throws {
    let world = try World()
    let small: (inout QUICConfiguration) -> Void = {
      $0.bufferedBytesMax = 64 << 10
      $0.frameBytesMax = 32 << 10
    }
    let (sender, receiver) = (try world.node(1), try world.node(2, configure: small))
    try world.connect(sender, to: receiver)
    let back = try #require(receiver.connection(to: sender))
    let there = try #require(sender.connection(to: receiver))
    guard case .sent = sender.transport.request([1], to: there) else {
      Issue.record("the request was not sent")
      return
    }
    try world.run("the request arrives") { receiver.requests.count == 1 }
    while receiver.transport.send(frame: numbered(0, bytes: 4_000), on: .bundles, to: back)
      == .queued
    {}
    let request = receiver.requests[0].id
    let frame = numbered(1, bytes: 8_000)
    #expect(receiver.transport.respond(to: request, frame: frame, last: true) == .full)
    try world.run("the response may go on") { receiver.writableResponses == [request] }
    #expect(receiver.transport.respond(to: request, frame: frame, last: true) == .queued)
    try world.run("it ends") { sender.ends.values.contains(.complete) }
  }

  @Test func `a full consensus channel says so and becomes writable`() throws {
    let world = try World()
    let small: (inout QUICConfiguration) -> Void = { $0.consensusWindowBytes = 64 << 10 }
    let (sender, receiver) = (try world.node(1, configure: small), try world.node(2))
    try world.connect(sender, to: receiver)
    let id = try #require(sender.connection(to: receiver))
    var queued = 0
    while sender.transport.send(frame: numbered(queued, bytes: 1_000), on: .consensus, to: id)
      == .queued
    {
      queued += 1
    }
    #expect(queued == (64 << 10) / 1_004)
    try world.run("the channel becomes writable") { sender.writable == [.consensus] }
    try world.run("what was queued arrives") { receiver.consensus.count == queued }
  }

  @Test func `a datagram does not wait for the bulk of several connections`() throws {
    let world = try World()
    let sender = try world.node(1)
    let receivers = try (2...4).map { try world.node(UInt8($0)) }
    for receiver in receivers { try world.connect(sender, to: receiver) }
    let ids = try receivers.map { try #require(sender.connection(to: $0)) }
    var seen: [Int] = []
    for (place, receiver) in receivers.enumerated() {
      receiver.onFrame = { _, _, _ in seen.append(place) }
    }
    for number in 0..<200 {
      for id in ids {
        _ = sender.transport.send(frame: numbered(number, bytes: 4_000), on: .bundles, to: id)
      }
    }
    let last = receivers[2]
    #expect(sender.transport.send(datagram: [7], to: ids[2]) == .queued)
    #expect(sender.transport.send(frame: [8], on: .consensus, to: ids[2]) == .queued)
    // Both leave with the first bursts, not after all bundles.
    try world.run("the datagram arrives") { last.datagrams == [[7]] }
    #expect(seen.count <= 3 * 2 * 63_000 / 4_000)
    try world.run("everything arrives") { seen.count == 601 }
  }
}
