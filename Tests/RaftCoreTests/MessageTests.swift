import Primitives
import RaftCore
import Records
import Testing
import Wire

@Suite struct `Control log messages on the wire` {
  static let head = RaftSnapshot(
    index: 300, term: 4, configuration: Name.configuration(voters: [0, 1], learners: [2]),
    bytes: [1, 2, 3]
  ).head

  /// One of each kind, and some at their edges.
  static let bodies: [RaftMessage.Body] = [
    .preVote(lastIndex: 300, lastTerm: 4),
    .preVoteResponse(isGranted: true),
    .vote(lastIndex: 300, lastTerm: 4, isTransfer: true),
    .voteResponse(isGranted: false),
    .append(
      .init(
        previousIndex: 300, previousTerm: 4, commit: 299,
        entries: [
          Name.entry(301, term: 4, "ab"),
          RaftEntry(term: 5, index: 302, kind: .empty, payload: []),
        ])),
    .append(.init(previousIndex: 0, previousTerm: 0, commit: 0, entries: [])),
    .appendAccepted(index: 302, entryTerm: 5),
    .appendRejected(previousIndex: 300, hintIndex: 200, hintTerm: 3),
    .heartbeat(
      .init(
        commit: 299, lag: 3, round: 77, intervalMilliseconds: 15, ranks: [Name.id(2), Name.id(1)])),
    .heartbeatResponse(round: 77, isBehind: true),
    .probe,
    .timeoutNow,
    .readIndex(context: 1 << 61),
    .readIndexResponse(context: 1 << 61, index: 302),
    .snapshotOffer(head),
    .snapshotPull(index: 300, entryTerm: 4, chunk: 7),
    .snapshotChunk(index: 300, entryTerm: 4, chunk: 7, bytes: [9, 8, 7]),
  ]

  static let messages = bodies.map {
    RaftMessage(from: Name.id(0), to: Name.id(1), term: 5, body: $0)
  }

  @Test(arguments: messages) func `every message comes back as it was`(
    message: RaftMessage
  ) throws {
    #expect(try RaftMessage(decoding: message.encoded) == message)
  }

  @Test(arguments: messages) func `no beginning of a message is one`(message: RaftMessage) {
    let bytes = message.encoded
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try RaftMessage(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: WireError.trailingBytes) { try RaftMessage(decoding: bytes + [0]) }
  }

  @Test(arguments: messages) func `a changed byte is refused or is another message`(
    message: RaftMessage
  ) {
    var random = Xoshiro256(seed: 9, purpose: "mutations")
    let bytes = message.encoded
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= UInt8(random.next(in: 1...255))
      // Refused, or another message: one form for each.
      if let other = try? RaftMessage(decoding: changed) {
        #expect(other != message && other.encoded == changed, "byte \(index)")
      }
    }
  }

  @Test func `what travels unordered fits a datagram`() {
    let ranks = (0..<RaftLimits.ranksMax).map { Name.id($0) }
    let largest = RaftMessage.Heartbeat(
      commit: RaftLimits.numberMax, lag: RaftLimits.numberMax, round: RaftLimits.numberMax,
      intervalMilliseconds: .max,
      ranks: ranks)
    let message = RaftMessage(
      from: Name.id(0), to: Name.id(1), term: RaftLimits.numberMax, body: .heartbeat(largest))
    #expect(message.encoded.count <= RaftLimits.datagramBytesMax)
    for message in Self.messages where message.prefersDatagram {
      #expect(message.encoded.count <= RaftLimits.datagramBytesMax)
    }
  }

  @Test func `what is sent fits a frame`() {
    let settings = RaftSettings(seed: 1)
    let payload = [UInt8](repeating: 1, count: RaftEntry.payloadBytesMax)
    let count = settings.entriesBytesPerMessageMax / (payload.count + RaftEntry.overheadBytes)
    let entries = (0..<max(1, count)).map { number in
      RaftEntry(term: 1 << 62, index: UInt64(number) + 1, kind: .command, payload: payload)
    }
    let append = RaftMessage.Append(
      previousIndex: 0, previousTerm: 0, commit: 0, entries: entries)
    let chunk = [UInt8](repeating: 1, count: RaftSnapshotHead.chunkBytes)
    for body: RaftMessage.Body in [
      .append(append), .snapshotChunk(index: 1, entryTerm: 1, chunk: 0, bytes: chunk),
    ] {
      let message = RaftMessage(from: Name.id(0), to: Name.id(1), term: 1 << 62, body: body)
      #expect(message.encoded.count <= RaftLimits.messageBytesMax)
    }
  }

  @Test(arguments: [UInt64(1) << 62 + 1, .max]) func `numbers beyond 2^62 are refused`(
    number: UInt64
  ) {
    let entry = RaftEntry(term: number, index: 1, kind: .empty, payload: [])
    let bodies: [RaftMessage.Body] = [
      .preVote(lastIndex: number, lastTerm: 1),
      .vote(
        lastIndex: 1, lastTerm: number, isTransfer: false),
      .append(.init(previousIndex: number, previousTerm: 1, commit: 1, entries: [])),
      .append(.init(previousIndex: 0, previousTerm: number, commit: 1, entries: [])),
      .append(.init(previousIndex: 0, previousTerm: 0, commit: number, entries: [])),
      .append(.init(previousIndex: 0, previousTerm: 0, commit: 0, entries: [entry])),
      .appendAccepted(index: number, entryTerm: 1),
      .appendRejected(previousIndex: 1, hintIndex: number, hintTerm: 1),
      .heartbeatResponse(round: number, isBehind: false), .readIndex(context: number),
      .readIndexResponse(context: 1, index: number),
      .snapshotPull(index: number, entryTerm: 1, chunk: 1),
    ]
    for body in bodies {
      let message = RaftMessage(from: Name.id(0), to: Name.id(1), term: 5, body: body)
      #expect(throws: WireError.self) { try RaftMessage(decoding: message.encoded) }
    }
    let message = RaftMessage(from: Name.id(0), to: Name.id(1), term: number, body: .probe)
    #expect(throws: WireError.overLimit) { try RaftMessage(decoding: message.encoded) }
  }

  @Test func `entries with a gap or falling terms are refused`() {
    for entries in [
      [Name.entry(3, term: 1)], [Name.entry(2, term: 1), Name.entry(4, term: 1)],
      [Name.entry(2, term: 3), Name.entry(3, term: 2)], [Name.entry(2, term: 0)],
    ] {
      let append = RaftMessage.Append(
        previousIndex: 1, previousTerm: 1, commit: 0, entries: entries)
      let message = RaftMessage(
        from: Name.id(0), to: Name.id(1), term: 5, body: .append(append))
      #expect(throws: WireError.self) { try RaftMessage(decoding: message.encoded) }
    }
  }

  @Test func `nameless members, odd flags and unknown tags are refused`() {
    var bytes = RaftMessage(
      from: Name.id(0), to: Name.id(1), term: 5, body: .voteResponse(isGranted: true)
    ).encoded
    bytes[bytes.count - 1] = 2
    #expect(throws: WireError.notCanonical) { try RaftMessage(decoding: bytes) }
    bytes[bytes.count - 1] = 1
    bytes[0] = 77
    #expect(throws: WireError.unknownTag(77)) { try RaftMessage(decoding: bytes) }
    bytes[0] = 4
    for place in 1...8 { bytes[place] = 0 }
    #expect(throws: WireError.self) { try RaftMessage(decoding: bytes) }
  }

  @Test func `the bytes of each kind are these`() {
    let names = zip(Self.messages, Self.golden)
    #expect(Self.messages.count == Self.golden.count)
    for (message, golden) in names {
      #expect(Hexadecimal.text(message.encoded) == golden, "\(message.body)")
    }
  }
}
