import Testing

@Suite struct `import rules` {
  /// A small package with one module on each rung that matters.
  private func tree(adding path: String, _ text: String) -> SourceTree {
    SourceTree([
      SourceFile(path: "Package.swift", text: Self.manifest),
      SourceFile(path: "Sources/Shims/CSodium/module.modulemap", text: ""),
      SourceFile(path: "Sources/Foundations/Bytes/B.swift", text: ""),
      SourceFile(path: "Sources/Foundations/Crypto/C.swift", text: "import CSodium"),
      SourceFile(path: "Sources/Cores/Agree/A.swift", text: "package import Bytes"),
      SourceFile(path: "Sources/Cores/Count/N.swift", text: ""),
      SourceFile(path: "Sources/Adapters/Disk/D.swift", text: "import Glibc"),
      SourceFile(path: "Sources/Runtime/Node/N.swift", text: "import Agree\nimport Disk"),
      SourceFile(path: "Simulations/Sim/S.swift", text: "import Agree"),
      SourceFile(path: path, text: text),
    ])
  }

  private static let manifest = """
    func module(_ name: String) -> Target { .target(name: name, path: "Sources/\\(name)") }
    let targets = [
      .systemLibrary(name: "CSodium", path: "x"),
      module("Bytes", in: "Foundations", []), module("Crypto", in: "Foundations", ["CSodium"]),
      module("Agree", in: "Cores", ["Bytes"]), // and not Count
      module("Count", in: "Cores", []),
      .target(name: "Disk", dependencies: ["Bytes", .target(name: "Crypto")], path: "y",
        linkerSettings: [.linkedLibrary("Count")]),
      module("Node", in: "Runtime", ["Agree", "Disk"]),
      .target(name: "Sim", dependencies: ["Agree"]), tests("BytesTests", ["Bytes"]),
    ]
    """

  @Test(arguments: [
    ("Sources/Foundations/Bytes/X.swift", "import Foundation"),
    ("Sources/Foundations/Bytes/X.swift", "import Glibc"),
    ("Sources/Foundations/Bytes/X.swift", "import CSodium"),
    ("Sources/Foundations/Bytes/X.swift", "package import Agree"),
    ("Sources/Cores/Agree/X.swift", "internal import struct Foundation.Date"),
    ("Sources/Cores/Agree/X.swift", "import Dispatch"),
    ("Sources/Cores/Agree/X.swift", "import Disk"),
    ("Sources/Cores/Agree/X.swift", "import Node"),
    ("Sources/Adapters/Disk/X.swift", "import Agree"),
    ("Sources/Adapters/Disk/X.swift", "import FoundationEssentials"),
    ("Sources/Runtime/Node/X.swift", "import Sim"),
    ("Simulations/Sim/X.swift", "import Disk"),
    ("Simulations/Sim/X.swift", "@_exported import Node"),
  ])
  func `an import against the rungs is refused`(path: String, text: String) {
    #expect(ImportRules.rungs(tree(adding: path, text)).count == 1)
  }

  @Test(arguments: [
    ("Sources/Cores/Agree/X.swift", "import Count"),
    ("Sources/Cores/Agree/X.swift", "// import Foundation\nlet text = \"import Disk\""),
    ("Sources/Foundations/Bytes/X.swift", "import Synchronization"),
    ("Sources/Adapters/Disk/X.swift", "import CSodium"),
    ("Sources/Programs/Tool/X.swift", "import Foundation\nimport Sim\nimport Node"),
    ("Tests/BytesTests/X.swift", "import Foundation\nimport Testing\nimport Bytes"),
  ])
  func `an import down the rungs passes`(path: String, text: String) {
    #expect(ImportRules.rungs(tree(adding: path, text)).isEmpty)
  }

  @Test(arguments: [
    ("Sources/Cores/Agree/X.swift", "import Count"),
    ("Sources/Adapters/Disk/X.swift", "import Count"),
    ("Tests/BytesTests/X.swift", "import Crypto"),
    ("Sources/Cores/Unlisted/X.swift", ""),
  ])
  func `an import the manifest does not list is refused`(path: String, text: String) {
    #expect(ImportRules.declared(tree(adding: path, text)).count == 1)
  }

  @Test(arguments: [
    ("Sources/Cores/Agree/X.swift", "import Bytes\nimport Agree"),
    ("Sources/Adapters/Disk/X.swift", "import Bytes\nimport Crypto\nimport Glibc"),
    ("Tests/BytesTests/X.swift", "import Testing\nimport Bytes"),
  ])
  func `a listed import passes`(path: String, text: String) {
    #expect(ImportRules.declared(tree(adding: path, text)).isEmpty)
  }

  @Test func `this package's manifest is understood`() throws {
    let manifest = Manifest(try #require(SourceTree.shared.file("Package.swift")))
    #expect(manifest.dependencies.count > 20)
    #expect(manifest.dependencies["Crypto"]?.contains("CSodium") == true)
    #expect(manifest.dependencies["swarmoracle"] == ["CommandLineTool", "NodeRuntime"])
    #expect(manifest.dependencies["TidyTests"] == [])
    #expect(manifest.dependencies["CMicroHTTPD"] == [])
  }

  @Test func `XCTest and testable imports are refused`() {
    #expect(ImportRules.testing(Planted.test("import XCTest")).count == 1)
    #expect(ImportRules.testing(Planted.test("@testable import Bytes")).count == 1)
    #expect(
      ImportRules.testing(
        Planted.test("// Breaks in: it must misbehave\n@testable import Bytes")
      ).isEmpty)
    #expect(ImportRules.testing(Planted.test("import Testing // not XCTest")).isEmpty)
  }
}
