/// The targets that `Package.swift` declares, read from its text.
///
/// Understands `module(…)`, `tests(…)` and the `.target` family with literal names.
struct Manifest {
  /// The names each target lists as dependencies.
  let dependencies: [String: Set<String>]

  private static let constructors: Set<String> = [
    "module", "tests", "target", "executableTarget", "testTarget", "systemLibrary",
  ]

  init(_ file: SourceFile) {
    let tokens = file.code
    var dependencies: [String: Set<String>] = [:]
    var end = 0
    for index in tokens.indices.dropLast() where index >= end {
      guard Self.constructors.contains(tokens[index].text), tokens[index].kind == .word,
        tokens[index + 1].isText("(")
      else { continue }
      let arguments = Self.group(tokens, opening: index + 1)
      guard let name = Self.name(arguments) else { continue }
      dependencies[name] = Self.listed(arguments)
      // A `.target(name:)` among the arguments refers to a target and declares none.
      end = arguments.endIndex
    }
    self.dependencies = dependencies
  }

  /// The tokens between a bracket and its partner.
  private static func group(_ tokens: [Token], opening: Int) -> ArraySlice<Token> {
    var depth = 0
    for index in opening..<tokens.count where tokens[index].kind == .punctuation {
      if "([{".contains(tokens[index].text) { depth += 1 }
      if ")]}".contains(tokens[index].text) { depth -= 1 }
      if depth == 0 { return tokens[(opening + 1)..<index] }
    }
    return tokens[(opening + 1)...]
  }

  /// The literal name: the first argument, or the one labelled `name:`.
  private static func name(_ arguments: ArraySlice<Token>) -> String? {
    let start = arguments.startIndex
    if let first = arguments.first, first.kind == .string { return first.text }
    guard arguments.count > 2, arguments[start].isText("name"),
      arguments[start + 2].kind == .string
    else { return nil }
    return arguments[start + 2].text
  }

  /// The strings of the list labelled `dependencies:`, or of the first list without a label.
  private static func listed(_ arguments: ArraySlice<Token>) -> Set<String> {
    for index in arguments.indices.dropFirst() where arguments[index].isText("[") {
      let before = arguments[index - 1]
      let isLabelled =
        before.isText(":") && index - 2 >= arguments.startIndex
        && arguments[index - 2].isText("dependencies")
      guard isLabelled || before.isText(",") else { continue }
      let list = group(Array(arguments), opening: index - arguments.startIndex)
      return Set(list.filter { $0.kind == .string }.map(\.text))
    }
    return []
  }
}
