/// Rules are tried on planted files: each must refuse the bad and pass the good.
enum Planted {
  /// A core's file with the given content.
  static func core(_ text: String) -> SourceFile {
    SourceFile(path: "Sources/Cores/Planted/Planted.swift", text: text)
  }

  /// A test's file with the given content.
  static func test(_ text: String) -> SourceFile {
    SourceFile(path: "Tests/PlantedTests/Planted.swift", text: text)
  }

  /// A function whose body has the given number of lines.
  static func function(lines: Int) -> String {
    "func planted() {\n" + String(repeating: "  step()\n", count: lines) + "}\n"
  }
}
