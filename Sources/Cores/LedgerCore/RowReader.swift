internal import Primitives
internal import Records

/// Reads the columns of a stored row, refusing values that no row of ours has.
struct RowReader {
  let row: Row

  var repeatedKey: RestoreError { RestoreError(row.table, .repeatedKey) }

  func bad(_ column: Int) -> RestoreError { RestoreError(row.table, .badValue(column: column)) }

  func expectColumns(of schema: TableSchema) throws(RestoreError) {
    guard row.values.count == schema.columns.count else { throw bad(row.values.count) }
  }

  /// One value.
  private func value(_ column: Int) -> ColumnValue {
    // order: an array of columns, no hash table.
    row.values[column]
  }

  func integer(_ column: Int, in range: ClosedRange<Int64>) throws(RestoreError) -> Int64 {
    guard case .integer(let number) = value(column), range.contains(number) else {
      throw bad(column)
    }
    return number
  }

  func integer(_ column: Int, _ range: ClosedRange<UInt64>) throws(RestoreError) -> Int64 {
    try integer(column, in: Int64(range.lowerBound)...Int64(range.upperBound))
  }

  func text(_ column: Int) throws(RestoreError) -> String {
    guard case .text(let text) = value(column) else { throw bad(column) }
    return text
  }

  func bytes(_ column: Int) throws(RestoreError) -> [UInt8] {
    guard case .bytes(let bytes) = value(column) else { throw bad(column) }
    return bytes
  }

  func identifier<Kind>(
    _ column: Int, of kind: Kind.Type = Kind.self
  ) throws(RestoreError) -> Identifier<Kind> {
    guard case .bytes(let bytes) = value(column), let value = Identifier<Kind>(bytes) else {
      throw bad(column)
    }
    return value
  }

  func digest(_ column: Int) throws(RestoreError) -> Digest {
    guard case .bytes(let bytes) = value(column), let value = Digest(bytes) else {
      throw bad(column)
    }
    return value
  }

  /// The stamp in four columns from `column` on.
  func stamp(_ column: Int) throws(RestoreError) -> OperationStamp {
    OperationStamp(
      time: HybridTime(
        raw: UInt64(bitPattern: try integer(column, in: .min ... .max))),
      lane: LaneID(digest: try digest(column + 1)),
      number: UInt64(bitPattern: try integer(column + 2, in: .min ... .max)),
      index: Int(try integer(column + 3, in: 0...Int64(UInt32.max))))
  }
}
