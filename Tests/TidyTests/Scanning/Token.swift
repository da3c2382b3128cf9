/// One lexical piece of a Swift or C file, as far as the checks need to tell pieces apart.
struct Token {
  /// What a piece is.
  enum Kind {
    /// An identifier or keyword; a raw identifier keeps its backticks.
    case word
    case number
    /// One character of punctuation.
    case punctuation
    /// A string or character literal; `text` is its content, each interpolation left out.
    case string
    case comment
    /// A comment that documents the declaration below it.
    case documentation
  }

  var kind: Kind
  var text: String
  /// The line it starts on, counted from one.
  var line: Int
  /// The line it ends on.
  var endLine: Int

  /// Whether the piece is part of the program, not of its prose.
  var isCode: Bool {
    switch kind {
    case .word, .number, .punctuation, .string: true
    case .comment, .documentation: false
    }
  }

  /// Whether the piece is the given keyword, name or punctuation (never a string's content).
  func isText(_ expected: String) -> Bool {
    switch kind {
    case .word, .number, .punctuation: text == expected
    case .string, .comment, .documentation: false
    }
  }
}
