import Foundation

/// Rules against words that admit unfinished work, and calls that make tests lie.
enum WordRules {
  private static let markers = ["TODO", "FIXME", "XXX"]
  private static let phrases = ["not implemented", "unimplemented", "for now", "dummy"]
  /// The reason phrase of the HTTP status, which is no admission.
  private static let statusPhrase = "Not Implemented"
  private static let sleeps: Set<String> = ["sleep", "usleep", "nanosleep"]

  /// The folder whose planted snippets hold the refused words.
  private static let ownFolder = "Tests/TidyTests"

  /// Refuses unfinished work in code, comments and strings.
  static func unfinished(_ file: SourceFile) -> [Finding] {
    guard file.isIn("Sources", "Tests", "Simulations"), !file.isIn(ownFolder) else { return [] }
    var findings: [Finding] = []
    for token in file.tokens {
      for word in words(in: token) {
        findings.append(Finding(file, token.line, "\"\(word)\": finish it, or leave it out"))
      }
    }
    return findings
  }

  private static func words(in token: Token) -> [String] {
    switch token.kind {
    case .punctuation, .number: return []
    case .word:
      if markers.contains(token.text) { return [token.text] }
      return token.text.lowercased().hasPrefix("dummy") ? ["dummy"] : []
    case .string, .comment, .documentation:
      if token.text == statusPhrase { return [] }
      let text = token.text.replacingOccurrences(of: "501 " + statusPhrase, with: "")
      let lowercased = text.lowercased()
      return markers.filter { holds(text, $0) } + phrases.filter { holds(lowercased, $0) }
    }
  }

  /// Whether the text holds the phrase as whole words.
  static func holds(_ text: String, _ phrase: String) -> Bool {
    var rest = text[...]
    while let range = rest.range(of: phrase) {
      let before = text[..<range.lowerBound].last
      let after = text[range.upperBound...].first
      if !isWordPart(before) && !isWordPart(after) { return true }
      rest = rest[range.upperBound...]
    }
    return false
  }

  private static func isWordPart(_ character: Character?) -> Bool {
    guard let character else { return false }
    return character.isLetter || character.isNumber || character == "_"
  }

  /// Refuses `try!` everywhere, and `fatalError` without `// Unreachable:` and a reason.
  static func crashes(_ file: SourceFile) -> [Finding] {
    guard file.isSwift else { return [] }
    var findings: [Finding] = []
    for index in file.code.indices.dropLast() {
      let (token, next) = (file.code[index], file.code[index + 1])
      if token.isText("try"), next.isText("!") {
        findings.append(Finding(file, token.line, "`try!`: throw, or handle the error"))
      }
      if token.isText("fatalError"), next.isText("("),
        !file.hasReason("Unreachable:", at: token.line)
      {
        findings.append(
          Finding(file, token.line, "`fatalError`: use a precondition, or `// Unreachable: why`"))
      }
    }
    return findings
  }

  /// Refuses waiting for the wall clock in tests and simulations.
  static func sleeping(_ file: SourceFile) -> [Finding] {
    guard file.isIn("Tests", "Simulations") else { return [] }
    return file.code.indices.dropLast()
      .filter { sleeps.contains(file.code[$0].text) && file.code[$0 + 1].isText("(") }
      .filter { file.code[$0].kind == .word }
      .map { Finding(file, file.code[$0].line, "a sleep: wait for the event itself") }
  }
}
