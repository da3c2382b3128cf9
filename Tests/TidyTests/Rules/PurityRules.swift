/// Rules that keep the cores a function of their events, their time argument and their seed.
enum PurityRules {
  /// Names refused in a core, each with what to use in its place.
  private static let refusedNames: [String: String] = [
    "Float": "fixed point", "Float16": "fixed point", "Float32": "fixed point",
    "Float64": "fixed point", "Float80": "fixed point", "Double": "fixed point",
    "CGFloat": "fixed point", "TimeInterval": "an instant or a duration in integers",
    "SystemRandomNumberGenerator": "the seeded generator held in the state",
    "ContinuousClock": "the `now` argument", "SuspendingClock": "the `now` argument",
    "ProcessInfo": "a value in the configuration", "await": "an effect", "Task": "an effect",
    "hashValue": "a digest: hash values differ between processes",
    "ObjectIdentifier": "an index: addresses differ between runs",
  ]

  /// Functions refused in a core when they are called.
  private static let refusedCalls: [String: String] = [
    "Date": "the `now` argument", "getenv": "a value in the configuration",
    "print": "a trace effect", "debugPrint": "a trace effect", "dump": "a trace effect",
    "Hasher": "a digest: hash values differ between processes",
  ]

  /// Methods refused in a core: the standard library may change how they draw.
  private static let refusedMethods: Set<String> = ["random", "randomElement", "shuffled"]

  /// Names refused in the simulator: a run is a function of its seed alone.
  private static let refusedInSimulations: Set<String> = [
    "SystemRandomNumberGenerator", "ContinuousClock", "SuspendingClock", "ProcessInfo",
    "getenv",
  ]

  /// Refuses clocks, randomness, floating point and output in cores, and the first two in the
  /// simulator.
  static func names(_ file: SourceFile) -> [Finding] {
    if file.isIn("Simulations") {
      return file.code.filter { refusedInSimulations.contains($0.text) && $0.kind == .word }
        .map { Finding(file, $0.line, "`\($0.text)` in the simulator: use the seed") }
    }
    guard file.isIn("Sources/Cores") else { return [] }
    var findings: [Finding] = []
    for (index, token) in file.code.enumerated() where token.kind == .word {
      let isCalled = index + 1 < file.code.count && file.code[index + 1].isText("(")
      let isMember = index > 0 && file.code[index - 1].isText(".")
      let isDeclared = index > 0 && file.code[index - 1].isText("func")
      if let instead = refusedNames[token.text] {
        findings.append(Finding(file, token.line, "`\(token.text)` in a core: use \(instead)"))
      } else if let instead = refusedCalls[token.text], isCalled, !isMember, !isDeclared {
        findings.append(Finding(file, token.line, "`\(token.text)(` in a core: use \(instead)"))
      } else if refusedMethods.contains(token.text), isCalled, isMember {
        findings.append(
          Finding(file, token.line, "`.\(token.text)(` in a core: draw from the seeded generator"))
      }
    }
    return findings
  }

  /// Refuses `default:` in the switches of cores, unless `// open set:` gives the reason.
  ///
  /// A switch over our own cases must face a new case when one is added, and the compiler copies
  /// payloads that a `default:` lets through.
  static func openSwitches(_ file: SourceFile) -> [Finding] {
    guard file.isIn("Sources/Cores") else { return [] }
    var findings: [Finding] = []
    for index in file.code.indices.dropLast() where file.code[index].isText("default") {
      let isLabel =
        index > 0 && [",", "(", "["].contains { file.code[index - 1].isText($0) }
      let line = file.code[index].line
      guard file.code[index + 1].isText(":"), !isLabel, !file.hasReason("open set:", at: line)
      else { continue }
      findings.append(
        Finding(file, line, "`default:` in a core: list the cases, or `// open set: why`"))
    }
    return findings
  }
}
