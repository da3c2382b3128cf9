import Crypto
import GossipCore
import Primitives
import Records
import Testing
import Wire

@Suite struct `Gossip messages on the wire` {
  static func messages() -> [GossipMessage] {
    var random = Xoshiro256(seed: 5, purpose: "messages")
    let progress = (0..<5).map { _ in
      let applied = random.next(in: 1...1_000_000)
      return LaneProgress(
        lane: LaneID(
          digest: Digest(words: random.next(), random.next(), random.next(), random.next())),
        applied: applied, synced: random.next(in: 0...applied), mark: random.next())
    }.sorted { $0.lane < $1.lane }
    var one = Author(4)
    var other = one
    let proof = EquivocationProof(
      checking: one.write("a").value.signedHeader, against: other.write("b").value.signedHeader)
    return [
      .hello(
        .init(
          version: GossipMessage.version, cluster: Place.cluster, swarm: Place.swarm,
          progress: progress)),
      .hello(.init(version: 7, cluster: Place.cluster, swarm: Place.swarm, progress: [])),
      .progress(progress), .progress([]),
    ] + [proof.map { .proof($0) }].compactMap(\.self)
  }

  @Test(arguments: messages()) func `every message comes back as it was`(
    message: GossipMessage
  ) throws {
    #expect(try GossipMessage(decoding: message.encoded) == message)
  }

  @Test(arguments: messages()) func `no beginning of a message is one`(message: GossipMessage) {
    let bytes = message.encoded
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try GossipMessage(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: WireError.trailingBytes) { try GossipMessage(decoding: bytes + [0]) }
  }

  @Test(arguments: messages()) func `a changed byte is refused or is another message`(
    message: GossipMessage
  ) {
    var random = Xoshiro256(seed: 9, purpose: "mutations")
    let bytes = message.encoded
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= UInt8(random.next(in: 1...255))
      // Refused, or another message: one form for each.
      if let other = try? GossipMessage(decoding: changed) {
        #expect(other != message, "byte \(index)")
      }
    }
  }

  @Test func `progress out of order, synced beyond applied or of nothing is refused`() {
    let low = LaneID(digest: Digest(words: 1, 0, 0, 0))
    let high = LaneID(digest: Digest(words: 2, 0, 0, 0))
    func encoded(_ entries: [(LaneID, UInt64, UInt64)]) -> [UInt8] {
      var writer = WireWriter()
      writer.write(UInt8(2))
      writer.writeVariable(UInt64(entries.count))
      for (lane, applied, lag) in entries {
        writer.write(lane.digest)
        writer.writeVariable(applied)
        writer.writeVariable(lag)
        writer.write(UInt64(0))
      }
      return writer.bytes
    }
    #expect(throws: Never.self) {
      try GossipMessage(decoding: encoded([(low, 2, 1), (high, 1, 0)]))
    }
    let wrong: [[(LaneID, UInt64, UInt64)]] = [
      [(high, 1, 0), (low, 1, 0)], [(low, 1, 0), (low, 1, 0)], [(low, 1, 2)], [(low, 0, 0)],
    ]
    for bad in wrong {
      #expect(throws: WireError.self) { try GossipMessage(decoding: encoded(bad)) }
    }
  }

  @Test func `a proof of nothing is refused`() {
    var one = Author(4)
    let header = one.write("a").value.signedHeader
    var writer = WireWriter()
    header.encode(into: &writer)
    header.encode(into: &writer)
    var message = WireWriter()
    message.write(UInt8(3))
    message.writeBytes(writer.bytes)
    #expect(throws: WireError.self) { try GossipMessage(decoding: message.bytes) }
  }

  @Test func `an unknown tag is refused by name`() {
    #expect(throws: WireError.unknownTag(77)) { try GossipMessage(decoding: [77]) }
  }

  @Test func `a pull request comes back as it was and no beginning of it is one`() throws {
    let request = PullRequest(
      swarm: Place.swarm, lane: Author(2).lane, first: 300, last: 70_000, bytesMax: 1 << 20)
    let bytes = request.encoded
    #expect(bytes.count <= PullRequest.encodedBytesMax)
    #expect(try PullRequest(decoding: bytes) == request)
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try PullRequest(decoding: Array(bytes[..<count])) }
    }
  }

  @Test(arguments: [(UInt64(0), UInt64(5)), (6, 5)]) func `an empty pull is refused`(
    first: UInt64, last: UInt64
  ) {
    var writer = WireWriter()
    writer.write(Place.swarm.identifier)
    writer.write(Author(2).lane.digest)
    writer.writeVariable(first)
    writer.writeVariable(last)
    writer.write(UInt32(1))
    #expect(throws: WireError.self) { try PullRequest(decoding: writer.bytes) }
  }
}
