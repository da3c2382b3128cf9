/// Rules about the size and shape of files.
enum LayoutRules {
  /// What a reader can hold: measured in lines and columns.
  enum Limits {
    static let fileLines = 500
    static let usualFileLines = 250
    /// How many of a hundred Swift files may be longer than usual.
    static let longFilesPerHundred = 12
    static let bodyLines = 50
    static let columns = 100
    static let proseColumns = 120
  }

  /// Refuses files beyond the limit.
  static func fileLength(_ file: SourceFile) -> [Finding] {
    guard file.isSwift || file.isC, file.lines.count - 1 > Limits.fileLines else { return [] }
    return [
      Finding(file, 1, "\(file.lines.count - 1) lines: split it, \(Limits.fileLines) at most")
    ]
  }

  /// Refuses a tree in which too many files are longer than usual.
  static func longFiles(_ tree: SourceTree) -> [Finding] {
    let long = tree.swiftFiles.filter { $0.lines.count - 1 > Limits.usualFileLines }
    let allowed = tree.swiftFiles.count * Limits.longFilesPerHundred / 100
    guard long.count > allowed else { return [] }
    let limit = Limits.usualFileLines
    return long.map {
      Finding(
        $0, 1, "\($0.lines.count - 1) lines: \(long.count) files exceed \(limit), \(allowed) may")
    }
  }

  /// Refuses bodies of functions, initializers and computed properties beyond the limit.
  static func bodyLength(_ file: SourceFile) -> [Finding] {
    let bodies = file.isSwift ? file.structure.bodies : file.isC ? bodiesOfC(file) : []
    return bodies.filter { $0.length > Limits.bodyLines }.map {
      Finding(file, $0.line, "`\($0.name)` has \($0.length) lines: \(Limits.bodyLines) at most")
    }
  }

  /// The functions of a C file: what opens after `)` outside all braces.
  private static func bodiesOfC(_ file: SourceFile) -> [Structure.Body] {
    var (bodies, depth, start, name): ([Structure.Body], Int, Int?, String) = ([], 0, nil, "")
    for (index, token) in file.code.enumerated() where token.kind != .string {
      if depth == 0, token.text == "(", index > 0 { name = file.code[index - 1].text }
      if token.text == "{" {
        if depth == 0, index > 0, file.code[index - 1].isText(")") { start = token.line }
        depth += 1
      } else if token.text == "}" {
        depth -= 1
        if depth == 0, let opened = start {
          let length = max(0, token.line - opened - 1)
          bodies.append(Structure.Body(name: name, line: opened, length: length))
          start = nil
        }
      }
    }
    return bodies
  }

  /// Refuses files the scanner cannot follow, in which the other rules would see nothing.
  static func scannable(_ file: SourceFile) -> [Finding] {
    file.isScanned ? [] : [Finding(file, 1, "brackets or quotes that the checks cannot pair")]
  }

  /// Refuses tabs, trailing space, and a missing or doubled newline at the end.
  static func whitespace(_ file: SourceFile) -> [Finding] {
    guard file.isSwift || file.isC || file.isMarkdown || file.isShell, !file.text.isEmpty else {
      return []
    }
    var findings: [Finding] = []
    for (index, line) in file.lines.enumerated() {
      if line.utf8.contains(9) { findings.append(Finding(file, index + 1, "a tab")) }
      if let last = line.utf8.last, last == 32 || last == 13 {
        findings.append(Finding(file, index + 1, "space at the end of the line"))
      }
    }
    let ends = file.lines.suffix(2)
    if ends.last != "" || ends.first == "" {
      findings.append(Finding(file, file.lines.count, "must end with one newline"))
    }
    return findings
  }

  /// Refuses lines wider than the limit: 100 columns in code, 120 in prose. Lines with a link,
  /// tables and code blocks of documents are as wide as they must be.
  static func columns(_ file: SourceFile) -> [Finding] {
    guard file.isSwift || file.isC || file.isMarkdown || file.isShell else { return [] }
    let limit = file.isMarkdown ? Limits.proseColumns : Limits.columns
    var isCodeBlock = false
    var findings: [Finding] = []
    for (index, line) in file.lines.enumerated() {
      if file.isMarkdown, line.hasPrefix("```") { isCodeBlock.toggle() }
      guard line.utf8.count > limit, line.count > limit, !line.contains("://") else { continue }
      if file.isMarkdown, isCodeBlock || line.hasPrefix("|") || line.contains("](") { continue }
      findings.append(Finding(file, index + 1, "\(line.count) columns: \(limit) at most"))
    }
    return findings
  }
}
