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
///
/// Two texts are equal when their bytes are: Swift's own equality of strings calls composed and
/// decomposed letters equal, and their digests would still differ.
package enum ColumnValue: Sendable {
  /// No value.
  case null
  /// A signed 64-bit integer.
  case integer(Int64)
  /// Text in UTF-8.
  case text(String)
  /// Bytes.
  case bytes([UInt8])
}

extension ColumnValue: Hashable {
  package static func == (left: ColumnValue, right: ColumnValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.integer(let left), .integer(let right)): left == right
    case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
    case (.bytes(let left), .bytes(let right)): left == right
    case (.null, _), (.integer, _), (.text, _), (.bytes, _): false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .integer(let value): hasher.combine(value)
    case .text(let value): hasher.combine(value)
    case .bytes(let value): hasher.combine(value)
    }
  }

  /// Whether a column of `type` may hold this value; null fits every type.
  package func fits(_ type: ColumnType) -> Bool {
    switch (self, type) {
    case (.null, _), (.integer, .integer), (.text, .text), (.bytes, .bytes): true
    case (.integer, _), (.text, _), (.bytes, _): false
    }
  }
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
      keyColumnCount > 0 && keyColumnCount <= columns.count,
      "table \(name) of \(columns.count) columns has a key of \(keyColumnCount)")
    precondition(
      indexes.joined().allSatisfy { name in columns.contains { $0.name == name } },
      "table \(name) indexes a column that it lacks")
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
  /// The digest of the row: table and every value, each with its type.
  ///
  /// The bytes are the table's number and per value a type byte (0 null, 1 integer, 2 text, 3
  /// bytes) with eight little-endian bytes of two's complement, or a length and the bytes. Kept,
  /// because tables, tries and databases each want it.
  package let digest: Digest

  /// Makes a row of `schema`; the values must fit its columns, and no key column may be null.
  package init(_ schema: TableSchema, _ values: [ColumnValue]) {
    precondition(
      values.count == schema.columns.count,
      "table \(schema.name) has \(schema.columns.count) columns, not \(values.count)")
    for (column, value) in zip(schema.columns, values) {
      precondition(
        value.fits(column.type), "column \(schema.name).\(column.name) does not take \(value)")
    }
    precondition(
      !values.prefix(schema.keyColumnCount).contains(.null), "table \(schema.name) has a null key")
    table = schema.number
    self.values = values
    digest = Row.digest(table: schema.number, values)
  }

  /// Makes a row of values from outside; `nil` when they do not fit the columns of `schema`.
  package init?(checking values: [ColumnValue], of schema: TableSchema) {
    guard values.count == schema.columns.count,
      zip(schema.columns, values).allSatisfy({ $1.fits($0.type) }),
      !values.prefix(schema.keyColumnCount).contains(.null)
    else { return nil }
    table = schema.number
    self.values = values
    digest = Row.digest(table: schema.number, values)
  }

  /// The digest of the row of a table with these values.
  package static func digest(table: UInt16, _ values: [ColumnValue]) -> Digest {
    Blake2b.hash(encoded(table: table, values), .row)
  }

  /// A table's number and values in the form that is hashed.
  static func encoded(table: UInt16, _ values: [ColumnValue]) -> [UInt8] {
    let byteCount = values.reduce(2) { sum, value in
      switch value {
      case .null: sum + 1
      case .integer: sum + 9
      case .text(let text): sum + 1 + WireWriter.byteCount(ofBytes: text.utf8.count)
      case .bytes(let bytes): sum + 1 + WireWriter.byteCount(ofBytes: bytes.count)
      }
    }
    var writer = WireWriter(capacity: byteCount)
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
    return writer.bytes
  }
}
