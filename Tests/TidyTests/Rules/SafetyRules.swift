/// Rules about switching off the compiler's checks and about documenting what others use.
enum SafetyRules {
  private static let types: Set<String> = ["class", "struct", "enum", "extension", "actor"]

  /// Refuses `@unchecked Sendable` and `nonisolated(unsafe)` without `// Safe:` and the argument.
  static func unchecked(_ file: SourceFile) -> [Finding] {
    guard file.isSwift else { return [] }
    var findings: [Finding] = []
    for index in file.code.indices.dropFirst().dropLast() {
      let isUnchecked =
        file.code[index].isText("unchecked") && file.code[index - 1].isText("@")
      let isUnsafe =
        file.code[index - 1].isText("nonisolated") && file.code[index].isText("(")
        && file.code[index + 1].isText("unsafe")
      guard isUnchecked || isUnsafe else { continue }
      let keyword = isUnchecked ? file.code[..<index].last { types.contains($0.text) } : nil
      let line = keyword?.line ?? file.code[index].line
      guard !file.hasReason("Safe:", at: line) else { continue }
      let name = isUnchecked ? "@unchecked" : "nonisolated(unsafe)"
      findings.append(
        Finding(file, file.code[index].line, "`\(name)`: argue it above, after `// Safe:`"))
    }
    return findings
  }

  /// Refuses what other modules can use but nobody documented. Members named like a requirement
  /// of one of our protocols are documented there.
  static func documentation(_ tree: SourceTree) -> [Finding] {
    let files = tree.swiftFiles.filter { $0.isIn("Sources", "Simulations") }
    let requirements = Set(files.flatMap(\.structure.requirements))
    return files.flatMap { file in
      file.structure.exposed
        .filter { !$0.isDocumented && !($0.isMember && requirements.contains($0.name)) }
        .map { Finding(file, $0.line, "`\($0.name)` is used by modules: document it with `///`") }
    }
  }
}
