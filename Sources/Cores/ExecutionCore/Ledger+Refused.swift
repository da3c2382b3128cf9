package import LedgerCore
internal import Primitives
package import Records

/// What execution refused and the live tables took all the same.
///
/// The tables 1 to 11 of the final state hold accepted operations alone, the live tables hold all
/// of them, the smallest stamp first. Both are joins, so whoever has the rows and the refused
/// operations has the live tables at the cut too, without the lanes that led there (decision 0013).
extension Ledger {
  /// Operations that were refused for another reason than that they are none; `time` is the bit
  /// pattern of the stamp's.
  package static let refusedSchema = TableSchema(
    number: 39, name: "refused",
    columns: [
      .init("lane", .bytes), .init("number", .integer), .init("place", .integer),
      .init("time", .integer), .init("code", .integer), .init("operation", .bytes),
    ], keyColumnCount: 3)

  mutating func refuse(_ operation: [UInt8], at stamp: OperationStamp, _ code: ResultCode) {
    put(
      Row(
        Ledger.refusedSchema,
        [
          .bytes(stamp.lane.digest.bytes), .integer(Int64(bitPattern: stamp.number)),
          .integer(Int64(stamp.index)), .integer(Int64(bitPattern: stamp.time.raw)),
          .integer(Int64(code.rawValue)), .bytes(operation),
        ]))
  }

  /// The operation that a row of `refusedSchema` holds.
  static func refused(
    _ columns: FinalColumns
  ) throws(RestoreError) -> (stamp: OperationStamp, operation: [UInt8]) {
    try columns.expect(refusedSchema)
    guard let raw = UInt8(exactly: try columns.count(4)), let code = ResultCode(rawValue: raw),
      code != .accepted, code != .invalid
    else { throw columns.bad(4) }
    let stamp = OperationStamp(
      time: HybridTime(raw: try columns.pattern(3)), lane: LaneID(digest: try columns.digest(0)),
      number: UInt64(try columns.count(1)),
      index: Int(try columns.count(2, limit: Int64(UInt32.max))))
    return (stamp, try columns.bytes(5))
  }
}

/// The live tables at the cut of a final state, made from the state's rows: what a node's own live
/// tables hold when it has applied every bundle below the cut and no other.
package struct LiveTablesAtCut {
  private var tables = LiveTables()
  private var refused: [(stamp: OperationStamp, operation: [UInt8])] = []

  /// Begins without rows.
  package init() {}

  /// Takes a row of the final state, checked against its root; in any order, each once.
  package mutating func add(_ row: Row) throws(RestoreError) {
    if row.table < Ledger.accountSchema.number {
      try tables.restore(row)
    } else if row.table == Ledger.refusedSchema.number {
      refused.append(try Ledger.refused(FinalColumns(row: row)))
    }
  }

  /// Ends with the last row.
  ///
  /// - Parameter changes: takes the rows of the live tables that are not among those of the final
  ///   state, or stand for one of them; a later one replaces an earlier one.
  /// - Returns: the tables.
  /// - Throws: what `LiveTables` finds wrong with rows that no ledger wrote.
  package consuming func finish(into changes: inout [Row]) throws(RestoreError) -> LiveTables {
    try tables.finishRestore()
    // In an order in which each lane ascends (I8 of the tables); beyond that none matters.
    refused.sort { $0.stamp < $1.stamp }
    for entry in refused { tables.apply(entry.operation, at: entry.stamp, into: &changes) }
    return tables
  }
}
