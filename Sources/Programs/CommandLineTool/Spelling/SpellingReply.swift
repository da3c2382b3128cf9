/// What a spelling checker says about one word.
package enum SpellingReply: Hashable, Sendable {
  /// The word is in its dictionary.
  case accepted
  /// The word is not, and these may be meant; best first, at least one.
  case suggestions([String])
  /// The word is not, and nothing resembles it.
  case nothing

  /// The most bytes of a suggestion that is taken.
  private static let suggestionBytesMax = 100

  /// Reads the answer to one word in the form of `ispell -a` in its terse mode, or returns `nil`
  /// when the text is of another form.
  ///
  /// After the banner that starts with `@`, an accepted word gives no line, and others give
  /// `& word count offset: miss, …`, `? word 0 offset: guess, …` or `# word offset` (ispell(1)).
  package init?(pipe text: String, word: String) {
    let lines = text.split(separator: "\n")
    guard lines.first?.first == "@" else { return nil }
    for line in lines.dropFirst() {
      let fields = line.split(separator: " ", maxSplits: 2)
      guard fields.count > 1, fields[1] == word else { return nil }
      switch fields[0] {
      case "#":
        self = .nothing
        return
      case "&", "?":
        guard let colon = line.firstIndex(of: ":") else { return nil }
        self = SpellingReply(list: line[line.index(after: colon)...])
        return
      default:
        return nil
      }
    }
    self = .accepted
  }

  /// Reads the answer of nuspell to one word, or returns `nil` when the text is of another form:
  /// `& Wrong: word. How about: miss, …`, `# Wrong: word. No suggestions.` or `* OK`.
  package init?(nuspell text: String, word: String) {
    let prompt = "Enter some text: "
    let wrong = "& Wrong: \(word). How about: "
    for line in text.split(separator: "\n") {
      let line = line.hasPrefix(prompt) ? line.dropFirst(prompt.count) : line
      if line.hasPrefix(wrong) {
        self = SpellingReply(list: line.dropFirst(wrong.count))
        return
      }
      if line == "# Wrong: \(word). No suggestions." {
        self = .nothing
        return
      }
      if line == "* OK" {
        self = .accepted
        return
      }
    }
    return nil
  }

  /// Reads words between commas.
  private init(list: Substring) {
    let words = list.split(separator: ",").compactMap { entry -> String? in
      let word = entry.drop { $0 == " " }
      let isUsable = !word.isEmpty && word.utf8.count <= SpellingReply.suggestionBytesMax
      return isUsable ? String(word) : nil
    }
    self = words.isEmpty ? .nothing : .suggestions(words)
  }
}
