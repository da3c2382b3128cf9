import Foundation

/// Rules about documents: titles, links, and what they promise to list.
enum DocumentRules {
  /// Refuses a document that does not start with its only title.
  static func title(_ file: SourceFile) -> [Finding] {
    guard file.isMarkdown else { return [] }
    let titles = prose(file).filter { $0.text.hasPrefix("# ") }
    if titles.count == 1, titles[0].line == 1 { return [] }
    return [Finding(file, 1, "\(titles.count) titles: one `# Title`, on the first line")]
  }

  /// Refuses relative links that lead nowhere.
  static func links(_ tree: SourceTree) -> [Finding] {
    var findings: [Finding] = []
    for file in tree.files where file.isMarkdown {
      for (text, line) in prose(file) {
        for target in targets(in: text) where !tree.paths.contains(resolve(target, from: file)) {
          findings.append(Finding(file, line, "the link to \(target) leads nowhere"))
        }
      }
    }
    return findings
  }

  /// The lines outside code blocks, without code spans.
  static func prose(_ file: SourceFile) -> [(text: String, line: Int)] {
    var isCodeBlock = false
    var lines: [(String, Int)] = []
    for (index, line) in file.lines.enumerated() {
      if line.drop(while: { $0 == " " }).hasPrefix("```") {
        isCodeBlock.toggle()
      } else if !isCodeBlock {
        let pieces = line.split(separator: "`", omittingEmptySubsequences: false)
        let text = stride(from: 0, to: pieces.count, by: 2).map { pieces[$0] }
        lines.append((text.joined(separator: "code"), index + 1))
      }
    }
    return lines
  }

  /// The relative paths a line links to, without their anchors.
  private static func targets(in text: String) -> [String] {
    var targets = text.components(separatedBy: "](").dropFirst()
      .map { String($0.prefix { $0 != ")" && $0 != " " }) }
    if text.hasPrefix("["), let range = text.range(of: "]: ") {
      targets.append(String(text[range.upperBound...].prefix { $0 != " " }))
    }
    return targets.map { String($0.prefix { $0 != "#" }) }
      .filter { !$0.isEmpty && !$0.contains(":") }
  }

  private static func resolve(_ target: String, from file: SourceFile) -> String {
    var parts = target.hasPrefix("/") ? [] : file.path.split(separator: "/").dropLast().map { $0 }
    for part in target.split(separator: "/") where part != "." {
      if part == "..", parts.last.map({ $0 != ".." }) ?? false {
        parts.removeLast()
      } else {
        parts.append(part)
      }
    }
    // A link to the top itself is a link to a folder that exists.
    return parts.isEmpty ? "README.md" : parts.joined(separator: "/")
  }

  /// Refuses a README without the command that shows the program and the one that tests it.
  static func readme(_ tree: SourceTree) -> [Finding] {
    guard let readme = tree.file("README.md") else {
      return [Finding(path: "README.md", "is missing")]
    }
    return ["swift run", "swift test"].filter { !readme.text.contains($0) }
      .map { Finding(readme, 1, "does not say how to `\($0)`") }
  }

  /// Refuses metrics that `docs/reference/metrics.md` does not list.
  static func metrics(_ tree: SourceTree) -> [Finding] {
    let path = "docs/reference/metrics.md"
    let document = tree.file(path)
    let documented = Set(document?.lines.flatMap(metricNames) ?? [])
    var findings = document == nil ? [Finding(path: path, "is missing")] : []
    for file in tree.files where file.isIn("Sources") {
      for token in file.tokens where token.kind == .string {
        for name in metricNames(in: token.text) where !documented.contains(name) {
          findings.append(Finding(file, token.line, "`\(name)` is not in \(path)"))
        }
      }
    }
    return findings
  }

  /// The metric names a text holds: the product's prefix and what follows it.
  private static func metricNames(in text: String) -> [String] {
    let prefix = "swarmoracle_"
    return text.components(separatedBy: prefix).dropFirst()
      .map { $0.prefix { ($0.isASCII && $0.isLowercase) || $0.isNumber || $0 == "_" } }
      .filter { !$0.isEmpty }.map { prefix + $0 }
  }
}
