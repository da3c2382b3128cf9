internal import Primitives
package import Wire

/// The name of a key or a lock: UTF-8 text of 1 to 512 bytes without control characters.
///
/// Names are ordered and equal by their bytes, never by Unicode's equivalences.
package struct ControlName: Hashable, Comparable, Sendable, WireCodable {
  /// The text in UTF-8.
  package let bytes: [UInt8]

  /// Takes text; `nil` when its length is wrong or it holds a control character.
  package init?(_ text: some StringProtocol) {
    self.init(validating: Array(text.utf8))
  }

  /// Takes bytes; `nil` when they are not UTF-8, too few or many, or hold a control character.
  package init?(validating bytes: [UInt8]) {
    guard ControlName.problem(of: bytes) == nil else { return nil }
    self.bytes = bytes
  }

  /// A bound for searches: any bytes, such as a prefix that names nothing.
  init(bound bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The name as text.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Whether the name starts with `prefix`, byte by byte.
  package func hasPrefix(_ prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }

  /// What is wrong with bytes as a name.
  private static func problem(of bytes: [UInt8]) -> WireError? {
    guard ControlLimits.nameBytes.contains(bytes.count) else { return .overLimit }
    var hasHighBytes = false
    for (index, byte) in bytes.enumerated() {
      if byte < 0x20 || byte == 0x7f { return .invalid("a control character in a name") }
      if byte < 0x80 { continue }
      hasHighBytes = true
      // U+0080 to U+009F are written C2 80 to C2 9F.
      if byte == 0xc2, index + 1 < bytes.count, bytes[index + 1] < 0xa0 {
        return .invalid("a control character in a name")
      }
    }
    if hasHighBytes, String(validating: bytes, as: UTF8.self) == nil { return .notUTF8 }
    return nil
  }

  package static func < (left: ControlName, right: ControlName) -> Bool {
    left.bytes.precedes(right.bytes)
  }

  package func encode(into writer: inout WireWriter) {
    writer.writeBytes(bytes)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    bytes = try cursor.readBytes(span, limit: ControlLimits.nameBytes.upperBound)
    if let problem = ControlName.problem(of: bytes) { throw problem }
  }
}

extension ControlName: CustomStringConvertible {
  package var description: String { text }
}

/// A lease: the revision at which it was granted.
package struct LeaseID: Hashable, Comparable, Sendable {
  /// The number, never zero.
  package let value: UInt64

  /// Takes a number from outside; `nil` for zero.
  package init?(_ value: UInt64) {
    guard value != 0 else { return nil }
    self.value = value
  }

  package static func < (left: LeaseID, right: LeaseID) -> Bool { left.value < right.value }
}

extension LeaseID: CustomStringConvertible {
  package var description: String { String(value) }
}
