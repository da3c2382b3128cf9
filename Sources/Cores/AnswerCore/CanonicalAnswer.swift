internal import Crypto
package import Primitives

/// The kind of identifier that names a canonical answer.
package enum AnswerKeyKind: Sendable {}

/// A canonical answer in sixteen bytes: answers with equal keys say the same.
package typealias AnswerKey = Identifier<AnswerKeyKind>

/// The canonical form of an answer: what two answers must share to count as one.
///
/// In order: invisible scalars are dropped; typographic quotes, dashes and full-width letters
/// become plain; letters of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic become lower-case
/// and `ß` becomes `ss`; a letter followed by a combining mark becomes the letter of Latin-1, if
/// there is one; runs of white space become one space and none is left at either end; full stops
/// at the end are dropped; and a plain decimal number loses its plus sign, leading zeros and
/// trailing fraction zeros.
///
/// What is *not* folded: compatibility forms other than full-width ASCII (no NFKC), compositions
/// outside Latin-1, case outside the named blocks, thousands separators, exponents, units,
/// synonyms and any other punctuation. Everything is done by fixed tables, so that every node and
/// every version of the standard library agrees.
package enum CanonicalAnswer {
  /// The key of an answer: of its short value, or of its content when the value is empty.
  package static func key(value: String, content: String) -> AnswerKey {
    key(of: value.isEmpty ? content : value)
  }

  /// The key of one text: the first half of the digest of its canonical form.
  package static func key(of text: String) -> AnswerKey {
    AnswerKey(truncating: Blake2b.hash(bytes(of: text), .answerKey))
  }

  /// The canonical form as text, to be shown.
  package static func text(of text: String) -> String {
    String(decoding: bytes(of: text), as: UTF8.self)
  }

  /// The canonical form in UTF-8.
  static func bytes(of text: String) -> [UInt8] {
    var result = folded(text)
    while let last = result.last, last == UInt8(ascii: ".") || last == UInt8(ascii: " ") {
      result.removeLast()
    }
    return number(result) ?? result
  }

  /// Folds scalar by scalar and collapses white space; may leave one space at the end.
  private static func folded(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count + 1)
    // One scalar is held back, because a combining mark may follow and change it.
    var held: UInt32?
    for scalar in text.unicodeScalars {
      if CharacterTables.isInvisible(scalar.value) { continue }
      let current = CharacterTables.folded(CharacterTables.plain(scalar.value))
      if current >= 0x300, let base = held, let whole = CharacterTables.composed(base, current) {
        held = whole
        continue
      }
      if let base = held { append(base, to: &result) }
      held = current
    }
    if let base = held { append(base, to: &result) }
    return result
  }

  private static func append(_ scalar: UInt32, to result: inout [UInt8]) {
    if CharacterTables.isSpace(scalar) {
      if let last = result.last, last != UInt8(ascii: " ") { result.append(UInt8(ascii: " ")) }
    } else if scalar < 0x80 {
      result.append(UInt8(scalar))
    } else if scalar == 0xdf || scalar == 0x1e9e {
      result.append(UInt8(ascii: "s"))
      result.append(UInt8(ascii: "s"))
    } else if let scalar = Unicode.Scalar(scalar) {
      result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
  }

  /// The shortest form of a plain decimal number, or `nil` when the text is none.
  private static func number(_ text: [UInt8]) -> [UInt8]? {
    var rest = text[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    let isDigit = { (byte: UInt8) in byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
    let whole = rest.prefix(while: isDigit)
    var fraction = rest.dropFirst(whole.count)
    if fraction.first == UInt8(ascii: ".") {
      fraction = fraction.dropFirst()
    } else if !fraction.isEmpty {
      return nil
    }
    guard fraction.allSatisfy(isDigit), !(whole.isEmpty && fraction.isEmpty) else { return nil }
    while fraction.last == UInt8(ascii: "0") { fraction = fraction.dropLast() }
    let significant = whole.drop { $0 == UInt8(ascii: "0") }
    var result: [UInt8] = []
    if isNegative && !(significant.isEmpty && fraction.isEmpty) { result.append(UInt8(ascii: "-")) }
    result += significant.isEmpty ? [UInt8(ascii: "0")] : Array(significant)
    if !fraction.isEmpty { result += [UInt8(ascii: ".")] + fraction }
    return result
  }
}
