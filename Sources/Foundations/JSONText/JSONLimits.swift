/// What a JSON text may cost its reader; a text beyond any limit is refused with `JSONError`.
package struct JSONLimits: Equatable, Sendable {
  /// Containers that may be open at once; 0 admits scalars only.
  package var depth = 32
  /// Bytes of the whole text.
  package var bytesMax = 1 << 20
  /// Array elements and object members, summed over the whole text.
  package var membersMax = 65_536
  /// UTF-8 bytes of one string or key after its escapes are resolved.
  package var stringBytesMax = 1 << 18
  /// Bytes of one number as written.
  package var numberBytesMax = 128

  /// The default limits.
  package init() {}
}

/// Why and where a text is not acceptable JSON.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The rule that the text breaks.
  package enum Reason: Equatable, Sendable {
    /// The text ends inside a value.
    case unexpectedEnd
    /// A byte that the grammar does not allow here.
    case unexpectedByte(UInt8)
    /// Bytes behind the value other than white space.
    case trailingBytes
    /// A string holds bytes that are not UTF-8.
    case invalidUTF8
    /// A backslash is followed by something other than the escapes of RFC 8259 section 7.
    case invalidEscape
    /// A `\u` escape names half of a surrogate pair.
    case loneSurrogate
    /// A string holds an unescaped byte below 0x20.
    case controlCharacter(UInt8)
    /// A digit or the text around it breaks the number grammar.
    case invalidNumber
    /// An object names the same key twice.
    case duplicateKey
    /// More containers are open than `JSONLimits.depth`.
    case tooDeep(limit: Int)
    /// The text is longer than `JSONLimits.bytesMax`.
    case tooLong(limit: Int)
    /// More elements and members than `JSONLimits.membersMax`.
    case tooManyMembers(limit: Int)
    /// A string longer than `JSONLimits.stringBytesMax`.
    case stringTooLong(limit: Int)
    /// A number longer than `JSONLimits.numberBytesMax`.
    case numberTooLong(limit: Int)
  }

  /// The byte offset into the text where the rule is broken.
  package let offset: Int
  /// The broken rule.
  package let reason: Reason

  /// Makes an error.
  package init(offset: Int, reason: Reason) {
    self.offset = offset
    self.reason = reason
  }

  /// A sentence for people, such as `the key is repeated (byte 12)`.
  package var description: String {
    let sentence =
      switch reason {
      case .unexpectedEnd: "the text ends inside a value"
      case .unexpectedByte(let byte): "unexpected byte 0x\(String(byte, radix: 16))"
      case .trailingBytes: "bytes follow the value"
      case .invalidUTF8: "a string is not valid UTF-8"
      case .invalidEscape: "a backslash starts no known escape"
      case .loneSurrogate: "an escape names half of a surrogate pair"
      case .controlCharacter(let byte):
        "a string holds the control character 0x\(String(byte, radix: 16))"
      case .invalidNumber: "the number is malformed"
      case .duplicateKey: "the key is repeated"
      case .tooDeep(let limit): "more than \(limit) containers are nested"
      case .tooLong(let limit): "the text is longer than \(limit) bytes"
      case .tooManyMembers(let limit): "the text has more than \(limit) members"
      case .stringTooLong(let limit): "a string is longer than \(limit) bytes"
      case .numberTooLong(let limit): "a number is longer than \(limit) bytes"
      }
    return "\(sentence) (byte \(offset))"
  }
}
