internal import Primitives
internal import Records

/// Changes `state.db`: rows, how far they reflect the lanes, and the hash over them, all or
/// nothing.
struct StateWriter {
  let connection: SQLiteConnection
  private let tables: [UInt16: Table]
  private var applied: Frontier
  private var rowSet: [UInt8]

  private struct Table {
    let schema: TableSchema
    let upsert: String
  }

  /// The key of a row, for finding an earlier change of it in the same group.
  private struct RowKey: Hashable {
    let table: UInt16
    let values: ArraySlice<ColumnValue>
  }

  /// Takes over an opened file with these tables, whose rows have this hash and reflect this much.
  init(
    connection: SQLiteConnection, tables: [TableSchema], rowSet: [UInt8], applied: Frontier
  ) {
    self.connection = connection
    self.rowSet = rowSet
    self.applied = applied
    self.tables = Dictionary(
      uniqueKeysWithValues: tables.map {
        ($0.number, Table(schema: $0, upsert: StateSchema.upsert(into: $0)))
      })
  }

  /// Applies the rows of every step of `group` and records `applied` in one transaction.
  mutating func commit(_ group: [StorageBatch], applied: [LaneID: UInt64]) throws(SQLiteError) {
    let rows = lastRows(of: group)
    guard !rows.isEmpty || !applied.isEmpty else { return }
    if let state = group.last(where: { !$0.rowSet.isEmpty })?.rowSet { rowSet = state }
    for (lane, number) in applied { self.applied[lane] = number }
    let sealed = Seal.stored(rowSet, applied: self.applied)
    try connection.transaction { () throws(SQLiteError) in
      for row in rows {
        guard let table = tables[row.table] else {
          preconditionFailure("row of an unknown table \(row.table)")
        }
        try connection.cached(table.upsert).run(row.values)
      }
      let advance = try connection.cached(
        """
        INSERT INTO applied VALUES (?, ?)
        ON CONFLICT (lane) DO UPDATE SET number = excluded.number
        """)
      for (lane, number) in applied {
        try advance.run([.bytes(lane.digest.bytes), .integer(Int64(bitPattern: number))])
      }
      let store = try connection.cached(
        "INSERT INTO row_set VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state")
      try store.run([.bytes(sealed)])
    }
  }

  /// The last change of each row, in the order in which rows first changed.
  private func lastRows(of group: [StorageBatch]) -> [Row] {
    var rows: [Row] = []
    var places: [RowKey: Int] = [:]
    rows.reserveCapacity(group.reduce(0) { $0 + $1.rows.count })
    for batch in group {
      for row in batch.rows {
        let keyColumnCount = tables[row.table]?.schema.keyColumnCount ?? 0
        let key = RowKey(table: row.table, values: row.values.prefix(keyColumnCount))
        if let place = places.updateValue(rows.count, forKey: key) {
          rows[place] = row
          places[key] = place
        } else {
          rows.append(row)
        }
      }
    }
    return rows
  }
}
