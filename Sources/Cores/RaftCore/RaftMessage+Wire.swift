internal import Records
package import Wire

extension RaftMessage: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(body.tag)
    writer.write(from.value)
    writer.write(to.value)
    writer.writeVariable(term)
    body.encode(into: &writer)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    from = try RaftMessage.readID(span, &cursor)
    to = try RaftMessage.readID(span, &cursor)
    term = try RaftMessage.readNumber(span, &cursor)
    body = try RaftMessage.Body(tag: tag, from: span, at: &cursor)
  }

  /// Reads a term, an index or a round.
  fileprivate static func readNumber(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> UInt64 {
    try cursor.readVariable(span, limit: RaftLimits.numberMax)
  }

  fileprivate static func readFlag(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> Bool {
    switch try cursor.readUInt8(span) {
    case 0: return false
    case 1: return true
    // open set: a byte has other values
    default: throw .notCanonical
    }
  }

  fileprivate static func readID(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RaftID {
    guard let id = RaftID(try cursor.readUInt64(span)) else {
      throw .invalid("a member without a name")
    }
    return id
  }
}

extension RaftMessage.Body {
  fileprivate var tag: UInt8 {
    switch self {
    case .preVote: 1
    case .preVoteResponse: 2
    case .vote: 3
    case .voteResponse: 4
    case .append: 5
    case .appendAccepted: 6
    case .appendRejected: 7
    case .heartbeat: 8
    case .heartbeatResponse: 9
    case .probe: 10
    case .timeoutNow: 11
    case .readIndex: 12
    case .readIndexResponse: 13
    case .snapshotOffer: 14
    case .snapshotPull: 15
    case .snapshotChunk: 16
    }
  }

  fileprivate func encode(into writer: inout WireWriter) {
    switch self {
    case .probe, .timeoutNow:
      break
    case .preVoteResponse(let isGranted), .voteResponse(let isGranted):
      writer.write(UInt8(isGranted ? 1 : 0))
    case .readIndex(let context):
      writer.writeVariable(context)
    case .heartbeatResponse(let round, let isBehind):
      writer.writeVariable(round)
      writer.write(UInt8(isBehind ? 1 : 0))
    case .preVote(let first, let second), .appendAccepted(let first, let second),
      .readIndexResponse(let first, let second):
      writer.writeVariable(first)
      writer.writeVariable(second)
    case .vote(let lastIndex, let lastTerm, let isTransfer):
      writer.writeVariable(lastIndex)
      writer.writeVariable(lastTerm)
      writer.write(UInt8(isTransfer ? 1 : 0))
    case .append(let append):
      append.encode(into: &writer)
    case .appendRejected(let previousIndex, let hintIndex, let hintTerm):
      writer.writeVariable(previousIndex)
      writer.writeVariable(hintIndex)
      writer.writeVariable(hintTerm)
    case .heartbeat(let heartbeat):
      heartbeat.encode(into: &writer)
    case .snapshotOffer(let head):
      head.encode(into: &writer)
    case .snapshotPull(let index, let entryTerm, let chunk):
      writer.writeVariable(index)
      writer.writeVariable(entryTerm)
      writer.write(chunk)
    case .snapshotChunk(let index, let entryTerm, let chunk, let bytes):
      writer.writeVariable(index)
      writer.writeVariable(entryTerm)
      writer.write(chunk)
      writer.writeBytes(bytes)
    }
  }

  fileprivate init(
    tag: UInt8, from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    switch tag {
    case 1, 6, 13:
      let first = try RaftMessage.readNumber(span, &cursor)
      let second = try RaftMessage.readNumber(span, &cursor)
      self =
        tag == 1
        ? .preVote(lastIndex: first, lastTerm: second)
        : tag == 6
          ? .appendAccepted(index: first, entryTerm: second)
          : .readIndexResponse(context: first, index: second)
    case 2: self = .preVoteResponse(isGranted: try RaftMessage.readFlag(span, &cursor))
    case 3:
      let lastIndex = try RaftMessage.readNumber(span, &cursor)
      let lastTerm = try RaftMessage.readNumber(span, &cursor)
      let isTransfer = try RaftMessage.readFlag(span, &cursor)
      self = .vote(lastIndex: lastIndex, lastTerm: lastTerm, isTransfer: isTransfer)
    case 4: self = .voteResponse(isGranted: try RaftMessage.readFlag(span, &cursor))
    case 5: self = .append(try RaftMessage.Append(from: span, at: &cursor))
    case 7:
      let previousIndex = try RaftMessage.readNumber(span, &cursor)
      let hintIndex = try RaftMessage.readNumber(span, &cursor)
      let hintTerm = try RaftMessage.readNumber(span, &cursor)
      self = .appendRejected(
        previousIndex: previousIndex, hintIndex: hintIndex, hintTerm: hintTerm)
    case 8: self = .heartbeat(try RaftMessage.Heartbeat(from: span, at: &cursor))
    case 9:
      let round = try RaftMessage.readNumber(span, &cursor)
      let isBehind = try RaftMessage.readFlag(span, &cursor)
      self = .heartbeatResponse(round: round, isBehind: isBehind)
    case 10: self = .probe
    case 11: self = .timeoutNow
    case 12: self = .readIndex(context: try RaftMessage.readNumber(span, &cursor))
    case 14:
      let head = try RaftSnapshotHead(from: span, at: &cursor)
      guard head.index <= RaftLimits.numberMax, head.term <= RaftLimits.numberMax else {
        throw .overLimit
      }
      self = .snapshotOffer(head)
    case 15, 16: self = try RaftMessage.Body.readChunk(tag, span, &cursor)
    // open set: tags of later versions
    default: throw .unknownTag(tag)
    }
  }

  private static func readChunk(
    _ tag: UInt8, _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RaftMessage.Body {
    let index = try RaftMessage.readNumber(span, &cursor)
    let entryTerm = try RaftMessage.readNumber(span, &cursor)
    let chunk = try cursor.readUInt32(span)
    guard chunk < UInt32(RaftSnapshotHead.chunksMax) else { throw .overLimit }
    if tag == 15 { return .snapshotPull(index: index, entryTerm: entryTerm, chunk: chunk) }
    let bytes = try cursor.readBytes(span, limit: RaftSnapshotHead.chunkBytes)
    return .snapshotChunk(index: index, entryTerm: entryTerm, chunk: chunk, bytes: bytes)
  }
}

extension RaftMessage.Append: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(previousIndex)
    writer.writeVariable(previousTerm)
    writer.writeVariable(commit)
    writer.writeVariable(UInt64(entries.count))
    for entry in entries { entry.encode(into: &writer) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    previousIndex = try RaftMessage.readNumber(span, &cursor)
    previousTerm = try RaftMessage.readNumber(span, &cursor)
    commit = try RaftMessage.readNumber(span, &cursor)
    let count = try cursor.readCount(
      span, limit: RaftLimits.entriesPerMessageMax, bytesEach: 4)
    var read: [RaftEntry] = []
    read.reserveCapacity(count)
    var term = previousTerm
    for offset in 0..<UInt64(count) {
      let entry = try RaftEntry(from: span, at: &cursor)
      // Both sums fit: an index read here is at most 2^62, a count at most 65,536.
      guard entry.index == previousIndex + 1 + offset else {
        throw .invalid("appended entries with a gap")
      }
      guard entry.term >= term, entry.term <= RaftLimits.numberMax,
        entry.index <= RaftLimits.numberMax
      else { throw .invalid("appended entries whose terms fall") }
      term = entry.term
      read.append(entry)
    }
    entries = read
  }
}

extension RaftMessage.Heartbeat: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(commit)
    writer.writeVariable(lag)
    writer.writeVariable(round)
    writer.write(intervalMilliseconds)
    writer.writeVariable(UInt64(ranks.count))
    for id in ranks { writer.write(id.value) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    commit = try RaftMessage.readNumber(span, &cursor)
    lag = try RaftMessage.readNumber(span, &cursor)
    round = try RaftMessage.readNumber(span, &cursor)
    intervalMilliseconds = try cursor.readUInt16(span)
    let count = try cursor.readCount(span, limit: RaftLimits.ranksMax, bytesEach: 8)
    var read: [RaftID] = []
    for _ in 0..<count { read.append(try RaftMessage.readID(span, &cursor)) }
    ranks = read
  }
}
