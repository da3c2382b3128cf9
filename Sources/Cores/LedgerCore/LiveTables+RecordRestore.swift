internal import Primitives
internal import Records
internal import Wire

/// Loading of records.
extension LiveTables {
  mutating func restoreCollection(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.collectionSchema)
    let index = Int(index(ofCollection: try reader.text(0)))
    guard collections[index].defined == nil else { throw reader.repeatedKey }
    guard let policy = CollectionPolicy(rawValue: UInt8(try reader.integer(1, in: 0...255)))
    else { throw reader.bad(1) }
    let digest = reader.row.digest
    collections[index].defined = CollectionEntry.Defined(
      policy: policy, agent: try reader.identifier(2, of: AgentKind.self),
      stamp: compact(try reader.stamp(3)), rowDigest: digest)
    definedCollections += 1
    replaceDigest(nil, with: digest)
  }

  mutating func restoreRecord(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.recordSchema)
    let name = RecordName(collection: try reader.text(0), key: try reader.text(1))
    guard try reader.identifier(2, of: RecordKind.self) == name.record else { throw reader.bad(2) }
    let index = Int(index(ofRecord: name))
    guard records[index].rowDigest == nil else { throw reader.repeatedKey }
    let clock = try clock(reader, 6, siblings: LedgerLimits.siblingsPerLane)
    let conflict = LiveTables.conflictTime(of: clock)
    guard try reader.integer(3, in: .min ... .max) == conflict else { throw reader.bad(3) }
    let digest = reader.row.digest
    records[index].clock = clock
    records[index].total = try total(reader, 4)
    records[index].elements = UInt32(try reader.integer(5, in: 0...Int64(UInt32.max)))
    records[index].rowDigest = digest
    replaceDigest(nil, with: digest)
  }

  /// Writes are not kept in memory; a row that came twice would show in the set hash.
  mutating func restoreWrite(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.recordWriteSchema)
    _ = try reader.identifier(0, of: RecordKind.self)
    let stamp = try reader.stamp(1)
    _ = try reader.identifier(5, of: AgentKind.self)
    _ = try reader.integer(6, in: LiveTables.putKind...LiveTables.deleteKind)
    _ = try reader.text(7)
    _ = try reader.integer(8, LedgerLimits.priority)
    let bytes = try reader.bytes(9)
    let seen: [RecordDot]
    do throws(WireError) {
      var cursor = WireCursor()
      seen = try RecordDot.decodeList(from: bytes.span.bytes, at: &cursor)
      try cursor.expectEnd(bytes.span.bytes)
    } catch {
      throw reader.bad(9)
    }
    let resolves = seen.count > 1 ? Int64(bitPattern: stamp.time.raw) : 0
    guard try reader.integer(10, in: resolves...resolves) == resolves else { throw reader.bad(10) }
    replaceDigest(nil, with: reader.row.digest)
  }

  mutating func restoreElement(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.setElementSchema)
    let record = try reader.identifier(0, of: RecordKind.self)
    let key = LiveTables.elementKey(record, try reader.text(1))
    guard elements[key] == nil else { throw reader.repeatedKey }
    let digest = reader.row.digest
    let entry = ElementEntry(clock: try clock(reader, 3, siblings: 1), rowDigest: digest)
    guard try reader.integer(2, in: 0...1) == (entry.isPresent ? 1 : 0) else {
      throw reader.bad(2)
    }
    elements[key] = entry
    replaceDigest(nil, with: digest)
  }

  mutating func restoreRequest(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.recordRequestSchema)
    let key = LiveTables.requestKey(try reader.identifier(0), try reader.identifier(1))
    guard requests[key] == nil else { throw reader.repeatedKey }
    let digest = reader.row.digest
    let most = LedgerLimits.deltaMagnitude
    requests[key] = RequestEntry(
      fingerprint: try reader.identifier(2), delta: try reader.integer(3, in: -most...most),
      stamp: compact(try reader.stamp(4)), rowDigest: digest)
    replaceDigest(nil, with: digest)
  }

  private mutating func clock(
    _ reader: RowReader, _ column: Int, siblings: Int
  ) throws(RestoreError) -> RecordClock {
    let bytes = try reader.bytes(column)
    do throws(WireError) {
      return try RecordClock(decoding: bytes, siblings: siblings) { laneIndex(of: $0) }
    } catch {
      throw reader.bad(column)
    }
  }

  /// The most that 2^63 additions come to.
  private static var totalMagnitude: Int128 { 1 << 116 }

  private func total(_ reader: RowReader, _ column: Int) throws(RestoreError) -> Int128? {
    let text = try reader.text(column)
    if text.isEmpty { return nil }
    let most = LiveTables.totalMagnitude
    guard let total = Int128(text), String(total) == text, (-most...most).contains(total) else {
      throw reader.bad(column)
    }
    return total
  }
}
