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

  /// Refuses what other modules can use but nobody documented.
  static func documentation(_ file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isIn("Sources", "Simulations") else { return [] }
    return file.structure.exposed.filter { !$0.isDocumented }.map {
      Finding(file, $0.line, "`\($0.name)` is visible to other modules: document it with `///`")
    }
  }
}
