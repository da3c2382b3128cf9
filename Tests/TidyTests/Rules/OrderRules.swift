/// Rules against letting the order of a hash table reach a core's results.
enum OrderRules {
  private static let ordered: Set<String> = [
    "sorted", "count", "isEmpty", "contains", "min", "max", "allSatisfy",
  ]

  /// Members of a hash table whose result depends on its order.
  private static let orderDependent: Set<String> = [
    "map", "flatMap", "compactMap", "forEach", "enumerated", "first", "reduce", "lazy",
    "makeIterator", "popFirst", "prefix", "dropFirst", "keys", "values",
  ]

  /// Refuses loops over hash tables in cores, unless `// order:` says why the order is harmless.
  static func hashOrder(_ file: SourceFile) -> [Finding] {
    guard file.isIn("Sources/Cores") else { return [] }
    let tables = tableNames(file.code)
    var findings: [Finding] = []
    var reported: Set<Int> = []
    for index in file.code.indices {
      guard isLoop(over: tables, file.code, at: index) || isUse(of: tables, file.code, at: index)
      else { continue }
      let line = file.code[index].line
      guard !file.hasReason("order:", at: line), reported.insert(line).inserted else { continue }
      findings.append(
        Finding(file, line, "hash order in a core: sort first, or `// order: why it is harmless`"))
    }
    return findings
  }

  /// The names in this file that are declared as, or start out as, a dictionary or set.
  private static func tableNames(_ code: [Token]) -> Set<String> {
    var names: Set<String> = []
    for index in code.indices.dropLast(2) where code[index].kind == .word {
      let value = index + 2
      let isTable =
        code[value].isText("Set") || code[value].isText("Dictionary")
        || isDictionary(code, opening: value)
      if isTable, code[index + 1].isText(":") || code[index + 1].isText("=") {
        names.insert(code[index].text)
      }
    }
    return names
  }

  /// Whether `[` at the index opens a type or literal with a colon of its own.
  private static func isDictionary(_ code: [Token], opening: Int) -> Bool {
    guard code[opening].isText("[") else { return false }
    var depth = 0
    for token in code[opening...] where token.kind == .punctuation {
      if "([{".contains(token.text) { depth += 1 }
      if ")]}".contains(token.text) { depth -= 1 }
      if depth == 0 { return false }
      if depth == 1 && token.text == ":" { return true }
    }
    return false
  }

  /// Whether `for … in` starts here over a table, a set made on the spot, or keys or values.
  private static func isLoop(over tables: Set<String>, _ code: [Token], at index: Int) -> Bool {
    guard code[index].isText("for") else { return false }
    var position = index
    while position < code.count, !code[position].isText("in") { position += 1 }
    position += 1
    guard position < code.count else { return false }
    if code[position].isText("Set") { return true }
    var last = ""
    var depth = 0
    while position < code.count {
      let token = code[position]
      if token.isText("(") || token.isText("[") { depth += 1 }
      if token.isText(")") || token.isText("]") { depth -= 1 }
      if depth == 0, token.isText("{") || token.isText("where") { break }
      if depth == 0 { last = token.kind == .string ? "" : token.text }
      position += 1
    }
    return tables.contains(last) || last == "keys" || last == "values"
  }

  /// Whether keys, values, or a table's order-dependent member is used here and never sorted
  /// on the same line.
  private static func isUse(of tables: Set<String>, _ code: [Token], at index: Int) -> Bool {
    guard index >= 2, code[index].kind == .word, code[index - 1].isText(".") else { return false }
    let name = code[index].text
    let isView = name == "keys" || name == "values"
    guard isView || (orderDependent.contains(name) && tables.contains(code[index - 2].text)) else {
      return false
    }
    var next = index + 1
    while next < code.count, code[next].line == code[index].line {
      if code[next - 1].isText("."), ordered.contains(code[next].text) { return false }
      next += 1
    }
    return true
  }
}
