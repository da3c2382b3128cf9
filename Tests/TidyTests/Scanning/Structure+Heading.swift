// Modifiers, attributes and documentation before a declaration.

extension Structure {
  /// What stands before a declaration's keyword.
  struct Heading {
    var isExposed = false
    var isHidden = false
    var isDocumented = false
  }

  private static let exposing: Set<String> = ["package", "public", "open"]
  private static let hiding: Set<String> = ["private", "fileprivate", "internal"]
  private static let modifiers: Set<String> = [
    "static", "final", "class", "mutating", "nonmutating", "nonisolated", "lazy", "weak",
    "unowned", "indirect", "override", "convenience", "required", "consuming", "borrowing",
    "dynamic", "prefix", "infix", "postfix", "async", "distributed", "isolated", "unsafe",
  ]

  func heading(before keyword: Int) -> Heading {
    var (heading, index) = (Heading(), keyword - 1)
    while index >= 0 {
      let token = tokens[index]
      switch token.kind {
      case .documentation:
        heading.isDocumented = true
        return heading
      case .comment: break
      case .punctuation where token.text == ")":
        guard let opening = openingParenthesis(of: index), opening > 0 else { return heading }
        // The group belongs to an attribute or a modifier such as `private(set)`: both are words.
        index = opening - 1
        guard tokens[index].kind == .word, isModifierOrAttribute(index) else { return heading }
        if index > 0, tokens[index - 1].isText("@") { index -= 1 }
      case .word where isModifierOrAttribute(index):
        if index > 0, tokens[index - 1].isText("@") {
          index -= 1
        } else if Self.exposing.contains(token.text) {
          heading.isExposed = true
        } else if Self.hiding.contains(token.text) {
          heading.isHidden = true
        }
      default: return heading
      }
      index -= 1
    }
    return heading
  }

  private func isModifierOrAttribute(_ index: Int) -> Bool {
    // A word after a dot is a member that happens to be called like a modifier: `.open`.
    if index > 0, tokens[index - 1].isText(".") { return false }
    let text = tokens[index].text
    return Self.exposing.contains(text) || Self.hiding.contains(text)
      || Self.modifiers.contains(text) || (index > 0 && tokens[index - 1].isText("@"))
  }

  private func openingParenthesis(of closing: Int) -> Int? {
    var (index, depth) = (closing, 0)
    while index >= 0 {
      if tokens[index].isText(")") { depth += 1 }
      if tokens[index].isText("(") { depth -= 1 }
      if depth == 0 { return index }
      index -= 1
    }
    return nil
  }
}
