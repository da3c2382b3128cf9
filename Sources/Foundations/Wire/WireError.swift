/// Why bytes are not a value of the expected type.
package enum WireError: Error, Hashable, Sendable {
  /// The bytes end before the value does.
  case truncated
  /// A length, count or number exceeds its stated limit.
  case overLimit
  /// The value could be written in fewer or other bytes; only one form is accepted.
  case notCanonical
  /// A tag names no known alternative.
  case unknownTag(UInt8)
  /// Bytes are left after the value.
  case trailingBytes
  /// Text is not UTF-8.
  case notUTF8
  /// A field breaks a rule of its type.
  case invalid(StaticReason)

  /// A rule in a few words, fixed at compile time.
  package struct StaticReason: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The rule that was broken.
    package let text: String

    package init(stringLiteral value: String) {
      text = value
    }
  }
}
