internal import Crypto
internal import Primitives
package import Records
package import Wire

/// How rows stand in the ledger's database.
///
/// The value is what `Row.digest` hashes, so that a stored row can be hashed as it is. The key's
/// bytes order like the key's columns.
package enum RowCoding {
  /// The key of `values`, the key columns in order. Integers are eight big-endian bytes with the
  /// sign turned; texts and bytes end with two zeros, a zero inside is followed by 255.
  package static func key(_ values: some Sequence<ColumnValue>) -> [UInt8] {
    var bytes: [UInt8] = []
    for value in values {
      switch value {
      case .null: bytes.append(0)
      case .integer(let number):
        bytes.append(1)
        let turned = UInt64(bitPattern: number) ^ (1 << 63)
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
          bytes.append(UInt8(truncatingIfNeeded: turned >> shift))
        }
      case .text(let text):
        bytes.append(2)
        append(text.utf8, to: &bytes)
      case .bytes(let content):
        bytes.append(3)
        append(content, to: &bytes)
      }
    }
    return bytes
  }

  private static func append(_ content: some Sequence<UInt8>, to bytes: inout [UInt8]) {
    for byte in content {
      bytes.append(byte)
      if byte == 0 { bytes.append(255) }
    }
    bytes.append(contentsOf: [0, 0])
  }

  /// The bytes of a row.
  package static func value(_ row: Row) -> [UInt8] {
    var writer = WireWriter()
    writer.write(row.table)
    for value in row.values {
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

  /// The row of one of `tables` that `bytes` stand for.
  package static func row(
    decoding bytes: [UInt8], tables: [TableSchema]
  ) throws(WireError) -> Row {
    let span = bytes.span.bytes
    var cursor = WireCursor()
    let number = try cursor.readUInt16(span)
    guard let schema = tables.first(where: { $0.number == number }) else {
      throw .invalid("a row of an unknown table")
    }
    var values: [ColumnValue] = []
    for (index, column) in schema.columns.enumerated() {
      let value = try value(span, at: &cursor, limit: bytes.count)
      guard value.fits(column.type), index >= schema.keyColumnCount || value != .null else {
        throw .invalid("a value that its column does not take")
      }
      values.append(value)
    }
    try cursor.expectEnd(span)
    return Row(schema, values)
  }

  private static func value(
    _ span: borrowing RawSpan, at cursor: inout WireCursor, limit: Int
  ) throws(WireError) -> ColumnValue {
    let type = try cursor.readUInt8(span)
    switch type {
    case 0: return .null
    case 1: return .integer(Int64(bitPattern: try cursor.readUInt64(span)))
    case 2: return .text(try cursor.readText(span, limit: limit))
    case 3: return .bytes(try cursor.readBytes(span, limit: limit))
    default: throw .unknownTag(type)
    }
  }

  /// What `Row.digest` is for a row with these bytes.
  static func digest(_ value: [UInt8]) -> Digest { Blake2b.hash(value, .row) }
}
