internal import Crypto
package import Primitives
internal import Wire

/// The type of a column.
package enum ColumnType: Hashable, Sendable {
  /// A signed 64-bit integer.
  case integer
  /// Text in UTF-8.
  case text
  /// Bytes.
  case bytes
}

/// One value of a row.
package enum ColumnValue: Hashable, Sendable {
  /// No value.
  case null
  /// A signed 64-bit integer.
  case integer(Int64)
  /// Text in UTF-8.
  case text(String)
  /// Bytes.
  case bytes([UInt8])
}

/// A table of the live state: what storage creates and every row of it must fit.
package struct TableSchema: Hashable, Sendable {
  /// The number under which rows name their table; never reused.
  package let number: UInt16
  /// The name in SQL: lower-case letters and underscores.
  package let name: String
  /// The columns in order, key columns first.
  package let columns: [Column]
  /// How many of the first columns form the primary key.
  package let keyColumnCount: Int
  /// Secondary indexes: the columns of each, in order.
  package let indexes: [[String]]

  /// A column's name and type.
  package struct Column: Hashable, Sendable {
    /// The name in SQL.
    package let name: String
    /// The type.
    package let type: ColumnType

    /// Declares a column.
    package init(_ name: String, _ type: ColumnType) {
      self.name = name
      self.type = type
    }
  }

  /// Declares a table.
  package init(
    number: UInt16, name: String, columns: [Column], keyColumnCount: Int, indexes: [[String]] = []
  ) {
    precondition(
      (1...columns.count).contains(keyColumnCount), "table \(name) has key \(keyColumnCount)")
    self.number = number
    self.name = name
    self.columns = columns
    self.keyColumnCount = keyColumnCount
    self.indexes = indexes
  }
}

/// A row of the live state that replaces the row with the same key, if any.
package struct Row: Hashable, Sendable {
  /// The number of the table.
  package let table: UInt16
  /// The values, one per column.
  package let values: [ColumnValue]

  /// Makes a row of `schema`; the values must fit its columns.
  package init(_ schema: TableSchema, _ values: [ColumnValue]) {
    precondition(
      values.count == schema.columns.count,
      "table \(schema.name) has \(schema.columns.count) columns, not \(values.count)")
    table = schema.number
    self.values = values
  }

  /// The digest of the row: table and every value, each with its type.
  package var digest: Digest {
    var writer = WireWriter(capacity: 256)
    writer.write(table)
    for value in values {
      switch value {
      case .null:
        writer.write(UInt8(0))
      case .integer(let number):
        writer.write(UInt8(1))
        writer.write(UInt64(bitPattern: number))
      case .text(let text):
        writer.write(UInt8(2))
        writer.writeText(text)
      case .bytes(let bytes):
        writer.write(UInt8(3))
        writer.writeBytes(bytes)
      }
    }
    return Blake2b.hash(writer.bytes, .row)
  }
}
