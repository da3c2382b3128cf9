/// A JSON text as a value (RFC 8259): exact numbers, object members in their written order.
///
/// Numbers never pass through floating point. An integer literal that fits is `.integer`; every
/// other number keeps its text in `.decimal`, to be read with `fixedPoint(scale:)`.
package enum JSONValue: Equatable, Sendable {
  /// The literal `null`.
  case null
  /// The literal `true` or `false`.
  case bool(Bool)
  /// A number written without fraction and exponent that fits 64 signed bits; `-0` is 0.
  case integer(Int64)
  /// Any other number, kept as written.
  case decimal(JSONDecimal)
  /// A string with its escapes resolved.
  case string(String)
  /// The elements in order.
  case array([JSONValue])
  /// The members in written order; keys are unique by their bytes.
  case object([JSONMember])
}

/// One key and its value inside an object.
package struct JSONMember: Equatable, Sendable {
  /// The key with its escapes resolved.
  package var key: String
  /// The value behind the key.
  package var value: JSONValue

  /// Makes a member.
  package init(key: String, value: JSONValue) {
    self.key = key
    self.value = value
  }

  /// Compares keys by bytes, as RFC 8259 section 8.3 advises, not by canonical equivalence.
  package static func == (left: JSONMember, right: JSONMember) -> Bool {
    left.key.utf8.elementsEqual(right.key.utf8) && left.value == right.value
  }
}

extension JSONValue {
  /// The value behind `key` when this is an object that has it; keys are compared by bytes.
  package subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.key.utf8.elementsEqual(key.utf8) { return member.value }
    return nil
  }

  /// The text when this is a string.
  package var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The number when this is an integer of 64 signed bits.
  package var integer: Int64? {
    if case .integer(let number) = self { number } else { nil }
  }

  /// The truth value when this is `true` or `false`.
  package var bool: Bool? {
    if case .bool(let truth) = self { truth } else { nil }
  }

  /// The elements when this is an array.
  package var array: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members when this is an object.
  package var object: [JSONMember]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// Whether this is the literal `null`.
  package var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The number times ten to the power of `scale`, or `nil` unless that is exactly an `Int64`.
  ///
  /// `0.95` at scale 6 is 950,000. A number with more decimals than `scale` is not rounded.
  /// `scale`, the decimals to keep, is 0 to 18.
  package func fixedPoint(scale: Int) -> Int64? {
    precondition((0...18).contains(scale), "scale \(scale) is outside 0...18")
    switch self {
    case .integer(let number):
      return JSONDecimal.scaled(
        magnitude: number.magnitude, isNegative: number < 0, exponent: scale)
    case .decimal(let decimal):
      return decimal.fixedPoint(scale: scale)
    case .null, .bool, .string, .array, .object:
      return nil
    }
  }
}
