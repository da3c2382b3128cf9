/// The layers of the package: which folder may import which.
enum Rung: String {
  case shims, foundations, cores, adapters, interfaces, runtime, simulations, programs, tests

  /// The rung and module of a path such as `Sources/Cores/NodeCore/NodeCore.swift`.
  static func place(of path: String) -> (rung: Rung, module: String)? {
    let parts = path.split(separator: "/").map(String.init)
    guard parts.count >= 3 else { return nil }
    switch parts[0] {
    case "Simulations": return (.simulations, parts[1])
    case "Tests": return (.tests, parts[1])
    case "Sources" where parts.count >= 4:
      return Rung(rawValue: parts[1].lowercased()).map { ($0, parts[2]) }
    default: return nil
    }
  }

  /// The rungs whose modules this one may import. C is for adapters; `Crypto` is the exception.
  var mayImport: Set<Rung> {
    switch self {
    case .shims: [.shims]
    case .foundations: [.foundations]
    case .cores: [.foundations, .cores]
    case .adapters: [.shims, .foundations, .adapters]
    case .interfaces: [.foundations, .cores, .adapters, .interfaces]
    case .runtime: [.foundations, .cores, .adapters, .interfaces, .runtime]
    case .simulations: [.foundations, .cores, .simulations]
    case .programs:
      [.foundations, .cores, .adapters, .interfaces, .runtime, .simulations, .programs]
    case .tests:
      [
        .shims, .foundations, .cores, .adapters, .interfaces, .runtime, .simulations, .programs,
        .tests,
      ]
    }
  }

  /// The toolchain's modules this rung may import, or `nil` for any.
  var mayImportOutside: Set<String>? {
    switch self {
    case .shims, .cores: []
    case .foundations, .simulations: ["Synchronization"]
    case .adapters: ["Glibc", "Synchronization", "Dispatch"]
    case .interfaces, .runtime, .programs, .tests: nil
    }
  }
}

/// Rules about what imports what.
enum ImportRules {
  private static let kinds: Set<String> = [
    "struct", "class", "enum", "protocol", "typealias", "func", "var", "let",
  ]

  /// The modules a file imports, with lines.
  static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
    var imports: [(String, Int)] = []
    for index in file.code.indices.dropLast() where file.code[index].isText("import") {
      var next = index + 1
      if kinds.contains(file.code[next].text), next + 1 < file.code.count { next += 1 }
      imports.append((file.code[next].text, file.code[index].line))
    }
    return imports
  }

  /// Refuses imports that point up a rung, sideways between cores and adapters, or outside
  /// the few toolchain modules a rung may use.
  static func rungs(_ tree: SourceTree) -> [Finding] {
    var rungs: [String: Rung] = [:]
    for path in tree.paths {
      if let (rung, module) = Rung.place(of: path) { rungs[module] = rung }
    }
    var findings: [Finding] = []
    for file in tree.swiftFiles {
      guard let (rung, module) = Rung.place(of: file.path) else { continue }
      for (imported, line) in imports(of: file) {
        let isRefused =
          if let other = rungs[imported] {
            !rung.mayImport.contains(other) && !(module == "Crypto" && imported == "CSodium")
          } else {
            rung.mayImportOutside.map { !$0.contains(imported) } ?? false
          }
        guard isRefused else { continue }
        findings.append(
          Finding(file, line, "`\(module)` (\(rung)) must not import `\(imported)`"))
      }
    }
    return findings
  }

  /// Refuses imports of our modules that the target does not list in `Package.swift`, and
  /// modules without a target.
  static func declared(_ tree: SourceTree) -> [Finding] {
    guard let package = tree.file("Package.swift") else {
      return [Finding(path: "Package.swift", "is missing")]
    }
    let dependencies = Manifest(package).dependencies
    var findings: [Finding] = []
    for file in tree.swiftFiles {
      guard let (_, module) = Rung.place(of: file.path) else { continue }
      guard let listed = dependencies[module] else {
        findings.append(Finding(file, 1, "`\(module)` is no target of Package.swift"))
        continue
      }
      for (imported, line) in imports(of: file)
      where dependencies[imported] != nil && imported != module && !listed.contains(imported) {
        findings.append(
          Finding(file, line, "`\(module)` imports `\(imported)`, which it does not list"))
      }
    }
    return findings
  }

  /// Refuses XCTest, and `@testable` (tests use `package` access, so they also run optimized)
  /// unless `// Breaks in:` says why a test must reach inside.
  static func testing(_ file: SourceFile) -> [Finding] {
    var findings = file.code
      .filter { $0.isText("testable") && !file.hasReason("Breaks in:", at: $0.line) }
      .map { Finding(file, $0.line, "`@testable`: give it `package` access") }
    for (module, line) in imports(of: file) where module == "XCTest" {
      findings.append(Finding(file, line, "XCTest: tests use Swift Testing"))
    }
    return findings
  }
}
