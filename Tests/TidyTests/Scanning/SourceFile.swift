/// One text file of the repository, read and split once.
struct SourceFile {
  /// The path from the top of the repository.
  let path: String
  let text: String
  let lines: [String]
  /// All tokens; empty unless the file is Swift or C.
  let tokens: [Token]
  /// The tokens without comments.
  let code: [Token]
  /// The declarations; empty unless the file is Swift.
  let structure: Structure
  /// False when the scanner lost its way in the file.
  let isScanned: Bool
  private let comments: [Int: String]
  private let codeLines: Set<Int>

  init(path: String, text: String) {
    self.path = path
    self.text = text
    lines = text.utf8.split(separator: Ascii.newline, omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    let language = Self.language(of: path)
    let lexer = language.map { Lexer(text, language: $0) }
    tokens = lexer?.tokens ?? []
    structure = Structure(of: language == .swift ? tokens : [])
    isScanned = (lexer?.isComplete ?? true) && structure.isBalanced
    code = tokens.filter(\.isCode)
    var comments: [Int: String] = [:]
    for token in tokens where !token.isCode {
      for line in token.line...token.endLine { comments[line, default: ""] += token.text }
    }
    self.comments = comments
    codeLines = Set(code.map(\.line))
  }

  private static func language(of path: String) -> Lexer.Language? {
    if path.hasSuffix(".swift") { return .swift }
    return path.hasSuffix(".c") || path.hasSuffix(".h") ? .c : nil
  }

  var isSwift: Bool { path.hasSuffix(".swift") }
  var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
  var isMarkdown: Bool { path.hasSuffix(".md") }
  var isShell: Bool {
    path.hasSuffix(".sh") || path.hasPrefix(".githooks/") || path == ".ci/run"
  }

  /// Whether the file lies in one of the folders.
  func isIn(_ folders: String...) -> Bool {
    folders.contains { path.hasPrefix($0 + "/") }
  }

  /// Whether the line, or the comment directly above it, gives a reason after `marker`.
  func hasReason(_ marker: String, at line: Int) -> Bool {
    if isReason(comments[line], marker) { return true }
    var above = line - 1
    while let comment = comments[above], !codeLines.contains(above) {
      if isReason(comment, marker) { return true }
      above -= 1
    }
    return false
  }

  private func isReason(_ comment: String?, _ marker: String) -> Bool {
    guard let comment, let range = comment.firstRange(of: marker) else { return false }
    return comment[range.upperBound...].contains { $0.isLetter }
  }
}
