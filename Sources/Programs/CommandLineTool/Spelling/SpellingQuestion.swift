/// The one sentence in which a misspelling is asked about.
///
/// Programs that answer it need no understanding of English, only this form:
/// `Which English word is meant by the misspelling ‘accomodate’? Answer with the one word.`
package struct SpellingQuestion: Hashable, Sendable {
  /// The most letters of a word.
  package static let lettersMax = 64

  private static let start = "Which English word is meant by the misspelling ‘"
  private static let end = "’? Answer with the one word."

  /// The misspelt word: ASCII letters.
  package let misspelling: String

  /// Asks about a word, or returns `nil` unless it is 1 to 64 ASCII letters.
  package init?(misspelling: String) {
    guard SpellingQuestion.isWord(misspelling.utf8) else { return nil }
    self.misspelling = misspelling
  }

  /// Reads the sentence, or returns `nil` when the text is any other.
  package init?(text: String) {
    guard text.hasPrefix(SpellingQuestion.start), text.hasSuffix(SpellingQuestion.end),
      text.utf8.count > SpellingQuestion.start.utf8.count + SpellingQuestion.end.utf8.count
    else { return nil }
    let word = text.dropFirst(SpellingQuestion.start.count).dropLast(SpellingQuestion.end.count)
    self.init(misspelling: String(word))
  }

  /// The sentence.
  package var text: String { SpellingQuestion.start + misspelling + SpellingQuestion.end }

  /// Whether some bytes are 1 to 64 ASCII letters.
  static func isWord(_ bytes: some Collection<UInt8>) -> Bool {
    (1...lettersMax).contains(bytes.count)
      && bytes.allSatisfy { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
  }
}
