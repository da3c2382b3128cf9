/// The declarations of a Swift file: bodies with their lengths, and what other modules can see.
///
/// One walk over the tokens with a stack of scopes. It knows keywords and brackets, not types.
struct Structure {
  /// A function, initializer, subscript or computed property with its body.
  struct Body {
    var name: String
    var line: Int
    /// The lines between the braces.
    var length: Int
  }

  /// A declaration that other modules can use.
  struct Exposed {
    var name: String
    var line: Int
    var isDocumented: Bool
    /// Whether it is a property or function of a type, which may fulfil a protocol.
    var isMember = false
  }

  private(set) var bodies: [Body] = []
  private(set) var exposed: [Exposed] = []
  /// The names of the members that this file's protocols require.
  private(set) var requirements: Set<String> = []
  /// Whether every bracket was closed by its own kind, in order.
  private(set) var isBalanced = true

  let tokens: [Token]
  private var scopes: [Scope] = [Scope(kind: .type, depth: 0)]
  private var pending: Scope?
  private var depth = 0

  init(of tokens: [Token]) {
    self.tokens = tokens
    for index in tokens.indices where tokens[index].isCode { visit(index) }
    if scopes.count != 1 || depth != 0 { isBalanced = false }
  }

  private struct Scope {
    enum Kind {
      case type
      case body(name: String, keywordLine: Int)
      case block
    }

    var kind: Kind
    /// How many parentheses and square brackets were open outside it.
    var depth: Int
    var openLine = 0
    var isProtocol = false
    /// Members need no modifier to be visible outside: requirements, `package extension`.
    var exposesMembers = false
    /// Enum cases are visible outside.
    var exposesCases = false
    /// An extension that states a conformance: its members are documented by the protocol.
    var isConformance = false

    var isType: Bool {
      if case .type = kind { true } else { false }
    }
  }

  private mutating func visit(_ index: Int) {
    let token = tokens[index]
    switch token.kind {
    case .punctuation: visitPunctuation(token)
    case .word where depth == scopes[scopes.count - 1].depth: visitKeyword(index)
    default: break
    }
  }

  private mutating func visitPunctuation(_ token: Token) {
    switch token.text {
    case "(", "[": depth += 1
    case ")", "]": depth -= 1
    case "{":
      var scope = Scope(kind: .block, depth: depth)
      if let waiting = pending, waiting.depth == depth {
        scope = waiting
        pending = nil
      }
      scope.openLine = token.line
      scopes.append(scope)
    case "}": close(at: token.line)
    case "=":
      if pending?.depth == depth, !scopes[scopes.count - 1].isProtocol { pending = pendingType }
    default: break
    }
  }

  /// What still waits for its brace after an `=`: types, whose generic clauses may hold `==`.
  private var pendingType: Scope? {
    guard case .body(let name, _) = pending?.kind else { return pending }
    return name.hasPrefix("var ") ? nil : pending
  }

  private mutating func close(at line: Int) {
    guard scopes.count > 1 else {
      isBalanced = false
      return
    }
    let scope = scopes.removeLast()
    // What waited inside the scope got no brace; a default argument's closure ends nothing.
    if let waiting = pending, waiting.depth >= scope.depth { pending = nil }
    if scope.depth != depth { isBalanced = false }
    if case .body(let name, let keywordLine) = scope.kind {
      let length = max(0, line - scope.openLine - 1)
      bodies.append(Body(name: name, line: keywordLine, length: length))
    }
  }
}

// MARK: - Keywords

extension Structure {
  private static let typeKeywords: Set<String> = [
    "struct", "enum", "class", "actor", "protocol", "extension",
  ]
  private static let memberKeywords: Set<String> = [
    "var", "let", "typealias", "associatedtype", "case",
  ]
  /// Members whose meaning the standard library documents.
  private static let wellKnown: Set<String> = [
    "==", "<", "hash", "description", "debugDescription", "next", "makeIterator", "encode",
    "rawValue", "id",
  ]

  private mutating func visitKeyword(_ index: Int) {
    let keyword = tokens[index].text
    let previous = neighbour(index, step: -1)
    guard previous != ".", previous != "import", let next = neighbour(index, step: 1) else {
      return
    }
    if Self.typeKeywords.contains(keyword) {
      visitType(index, keyword: keyword, name: next)
    } else if isFunction(keyword, next: next) {
      visitFunction(index, keyword: keyword)
    } else if Self.memberKeywords.contains(keyword), scopes[scopes.count - 1].isType {
      visitMember(index, keyword: keyword, name: next)
    }
  }

  private func isFunction(_ keyword: String, next: String) -> Bool {
    switch keyword {
    case "func": true
    case "init": ["(", "?", "!", "<"].contains(next)
    case "deinit": next == "{"
    case "subscript": next == "(" || next == "<"
    default: false
    }
  }

  private mutating func visitType(_ index: Int, keyword: String, name: String) {
    guard let first = name.first, first.isLetter || first == "_" || first == "`",
      !["func", "var", "let", "subscript", "init"].contains(name),
      keyword != "actor" || first.isUppercase
    else { return }
    let heading = heading(before: index)
    var scope = Scope(kind: .type, depth: depth)
    scope.isProtocol = keyword == "protocol"
    let isVisible = heading.isExposed || (keyword != "extension" && inheritsExposure(heading))
    scope.exposesMembers = isVisible && (scope.isProtocol || keyword == "extension")
    scope.exposesCases = isVisible && keyword == "enum"
    scope.isConformance = keyword == "extension" && statesConformance(after: index)
    if isVisible && keyword != "extension" { expose(name, index, heading) }
    pending = scope
  }

  private mutating func visitFunction(_ index: Int, keyword: String) {
    let name = keyword == "func" ? functionName(after: index) : keyword
    if keyword == "func" || keyword == "subscript" { exposeMember(name, index) }
    guard !scopes[scopes.count - 1].isProtocol else { return }
    pending = Scope(kind: .body(name: name, keywordLine: tokens[index].line), depth: depth)
  }

  private mutating func visitMember(_ index: Int, keyword: String, name: String) {
    let scope = scopes[scopes.count - 1]
    if keyword == "case" {
      // A plain case may say it all; what a case carries has units and meaning.
      let carries = tokens[min(index + 2, tokens.count - 1)].isText("(")
      if scope.exposesCases && carries { expose(name, index, heading(before: index)) }
    } else {
      exposeMember(name, index)
    }
    guard !scope.isProtocol else { return }
    pending = nil
    if keyword == "var" {
      let body = Scope.Kind.body(name: "var " + name, keywordLine: tokens[index].line)
      pending = Scope(kind: body, depth: depth)
    }
  }

  private mutating func exposeMember(_ name: String, _ index: Int) {
    let scope = scopes[scopes.count - 1]
    if scope.isProtocol { requirements.insert(name) }
    guard scope.isType, !scope.isConformance, !Self.wellKnown.contains(name) else { return }
    let heading = heading(before: index)
    guard heading.isExposed || inheritsExposure(heading) else { return }
    expose(name, index, heading)
    exposed[exposed.count - 1].isMember = scopes.count > 1 && !scope.isProtocol
  }

  private func inheritsExposure(_ heading: Heading) -> Bool {
    scopes[scopes.count - 1].exposesMembers && !heading.isHidden
  }

  private mutating func expose(_ name: String, _ index: Int, _ heading: Heading) {
    exposed.append(
      Exposed(name: name, line: tokens[index].line, isDocumented: heading.isDocumented))
  }

  private func neighbour(_ index: Int, step: Int) -> String? {
    var other = index + step
    while tokens.indices.contains(other), !tokens[other].isCode { other += step }
    guard tokens.indices.contains(other) else { return nil }
    return tokens[other].kind == .string ? "\"" : tokens[other].text
  }

  private func functionName(after index: Int) -> String {
    var (name, next) = ("", index + 1)
    while tokens.indices.contains(next), tokens[next].kind == .punctuation,
      tokens[next].text != "("
    {
      name += tokens[next].text
      next += 1
    }
    return name.isEmpty && tokens.indices.contains(next) ? tokens[next].text : name
  }

  private func statesConformance(after index: Int) -> Bool {
    for token in tokens[index...] where token.isCode {
      if token.isText("{") { return false }
      if token.isText(":") { return true }
    }
    return false
  }
}
