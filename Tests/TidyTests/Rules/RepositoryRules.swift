import Foundation

/// Rules about the repository as a whole: it holds one product and refers to nothing outside.
enum RepositoryRules {
  private static let topLevel: Set<String> = [
    "Package.swift", "README.md", "Sources", "Tests", "Simulations", "configs", "docs",
  ]

  /// Refuses anything else at the top, dot-files apart.
  static func topLevel(_ tree: SourceTree) -> [Finding] {
    tree.topLevel.filter { !topLevel.contains($0) && !$0.hasPrefix(".") }
      .map { Finding(path: $0, "does not belong at the top of the repository") }
  }

  /// Refuses prose that names a document, or a folder beside the repository, that is not here:
  /// whoever clones the repository cannot read it.
  static func outsideReferences(_ tree: SourceTree) -> [Finding] {
    let documents = Set(
      tree.paths.filter { $0.hasSuffix(".md") }.compactMap { $0.split(separator: "/").last })
    var findings: [Finding] = []
    for file in tree.files {
      for (text, line) in prose(of: file) {
        for match in text.split(whereSeparator: { !isPathPart($0) }) {
          let word = match.hasSuffix(".") ? match.dropLast() : match
          let isUnknown = isDocument(word) && !documents.contains(lastPart(of: word))
          guard isUnknown || leavesRepository(word, from: file) else { continue }
          findings.append(Finding(file, line, "`\(word)` is not in this repository"))
        }
      }
    }
    return findings
  }

  private static func prose(of file: SourceFile) -> [(String, Int)] {
    if file.isMarkdown || file.isShell || file.isIn("configs") {
      return file.lines.enumerated().map { ($1, $0 + 1) }
    }
    return file.tokens.filter { !$0.isCode }.map { ($0.text, $0.line) }
  }

  private static func isPathPart(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || "./-_*".contains(character)
  }

  private static func lastPart(of word: Substring) -> Substring {
    word.split(separator: "/").last ?? word
  }

  /// Whether the word names a document of a repository: its stem is in capitals, or a path leads
  /// to it. `report.md` and `decisions/*.md` are examples, not references.
  private static func isDocument(_ word: Substring) -> Bool {
    guard word.hasSuffix(".md"), !word.contains("*") else { return false }
    let stem = lastPart(of: word).dropLast(3)
    return word.hasPrefix("docs/") || (!stem.isEmpty && stem.allSatisfy { $0.isUppercase })
  }

  /// Whether a relative path climbs out of the repository, or an absolute one names somebody's
  /// home.
  private static func leavesRepository(_ word: Substring, from file: SourceFile) -> Bool {
    if ["/work/", "/home/", "/Users/"].contains(where: { word.hasPrefix($0) }) { return true }
    guard word.hasPrefix("../") else { return false }
    let climbs = word.split(separator: "/").prefix { $0 == ".." }.count
    let depth = file.path.split(separator: "/").count - 1
    return climbs > depth || !file.isMarkdown
  }
}
