internal import Primitives
internal import Records
package import Wire

/// The canonical form of what is done to records; see `LedgerOperation` for the tags.
///
/// ```
/// define: name | policy 1 | agent 16
/// change: agent 16 | has request 1 | [request 16] | collection | key | action
/// put:    value | priority 1 | seen        insert, remove: element | seen
/// delete: priority 1 | seen                add: delta, zigzag in base 128
/// seen:   count | (lane 32 | time 8)..., strictly ascending
/// ```
extension CollectionDefinition {
  func encode(into writer: inout WireWriter) {
    writer.writeText(name)
    writer.write(policy.rawValue)
    writer.write(agent)
  }

  init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let name = try cursor.readText(span, limit: LedgerLimits.collection.upperBound)
    let tag = try cursor.readUInt8(span)
    guard let policy = CollectionPolicy(rawValue: tag) else { throw .unknownTag(tag) }
    self.init(
      name: name, policy: policy, agent: try cursor.readIdentifier(span, of: AgentKind.self))
  }
}

extension RecordChange {
  func encode(into writer: inout WireWriter) {
    writer.write(agent)
    writer.write(UInt8(request == nil ? 0 : 1))
    if let request { writer.write(request) }
    writer.writeText(name.collection)
    writer.writeText(name.key)
    action.encode(into: &writer)
  }

  /// Reads a change whose action `readAction` reads.
  init(
    from span: borrowing RawSpan, at cursor: inout WireCursor,
    _ readAction: (borrowing RawSpan, inout WireCursor) throws(WireError) -> RecordAction
  ) throws(WireError) {
    let agent = try cursor.readIdentifier(span, of: AgentKind.self)
    var request: RecordRequestID?
    switch try cursor.readUInt8(span) {
    case 0: break
    case 1: request = try cursor.readIdentifier(span)
    case let tag: throw .unknownTag(tag)
    }
    let collection = try cursor.readText(span, limit: LedgerLimits.collection.upperBound)
    let key = try cursor.readText(span, limit: LedgerLimits.recordKeyBytes.upperBound)
    self.init(
      name: RecordName(collection: collection, key: key), agent: agent, request: request,
      action: try readAction(span, &cursor))
  }
}

extension RecordAction {
  func encode(into writer: inout WireWriter) {
    switch self {
    case .put(let value, let priority, let seen):
      writer.writeText(value)
      writer.write(priority)
      RecordDot.encode(seen, into: &writer)
    case .delete(let priority, let seen):
      writer.write(priority)
      RecordDot.encode(seen, into: &writer)
    case .add(let delta):
      writer.writeVariable(UInt64(bitPattern: delta << 1 ^ delta >> 63))
    case .insert(let element, let seen), .remove(let element, let seen):
      writer.writeText(element)
      RecordDot.encode(seen, into: &writer)
    }
  }

  static func putting(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RecordAction {
    let value = try cursor.readText(span, limit: LedgerLimits.recordValueBytes.upperBound)
    let priority = try cursor.readUInt8(span)
    return .put(
      value: value, priority: priority, seen: try RecordDot.decodeList(from: span, at: &cursor))
  }

  static func deletion(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RecordAction {
    let priority = try cursor.readUInt8(span)
    return .delete(
      priority: priority, seen: try RecordDot.decodeList(from: span, at: &cursor))
  }

  static func addition(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RecordAction {
    let zigzag = try cursor.readVariable(span)
    return .add(delta: Int64(bitPattern: zigzag >> 1) ^ -Int64(zigzag & 1))
  }

  static func insertion(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RecordAction {
    let element = try cursor.readText(span, limit: LedgerLimits.elementBytes.upperBound)
    return .insert(element: element, seen: try RecordDot.decodeList(from: span, at: &cursor))
  }

  static func removal(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> RecordAction {
    let element = try cursor.readText(span, limit: LedgerLimits.elementBytes.upperBound)
    return .remove(element: element, seen: try RecordDot.decodeList(from: span, at: &cursor))
  }
}

extension RecordDot {
  /// Appends a count and the dots.
  package static func encode(_ dots: [RecordDot], into writer: inout WireWriter) {
    writer.writeVariable(UInt64(dots.count))
    for dot in dots {
      writer.write(dot.lane.digest)
      writer.write(dot.time.raw)
    }
  }

  /// Reads what `encode` writes: at most `LedgerLimits.seenCount`, strictly ascending.
  package static func decodeList(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> [RecordDot] {
    let count = try cursor.readCount(
      span, limit: LedgerLimits.seenCount.upperBound, bytesEach: 40)
    var dots: [RecordDot] = []
    dots.reserveCapacity(count)
    for _ in 0..<count {
      let lane = LaneID(digest: try cursor.readDigest(span))
      let dot = RecordDot(lane: lane, time: HybridTime(raw: try cursor.readUInt64(span)))
      if let last = dots.last, last >= dot { throw .notCanonical }
      dots.append(dot)
    }
    return dots
  }
}
