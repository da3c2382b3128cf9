import Testing

@Suite struct `layout rules` {
  @Test(arguments: [(500, 0), (501, 1)])
  func `a file has a longest length`(lines: Int, findings: Int) {
    let text = String(repeating: "\n", count: lines)
    #expect(LayoutRules.fileLength(Planted.core(text)).count == findings)
    let header = SourceFile(path: "Sources/Shims/C/c.h", text: text)
    #expect(LayoutRules.fileLength(header).count == findings)
  }

  @Test(arguments: [(12, 0), (13, 13)])
  func `few files are longer than usual`(long: Int, findings: Int) {
    let files = (0..<100).map {
      SourceFile(path: "\($0).swift", text: String(repeating: "\n", count: $0 < long ? 251 : 250))
    }
    #expect(LayoutRules.longFiles(SourceTree(files)).count == findings)
  }

  @Test(arguments: [
    Planted.function(lines: 51), "struct S {\n" + Planted.function(lines: 51) + "}\n",
    "let text = \"}\\(f { $0 })\" // }\n" + Planted.function(lines: 51),
    "protocol P {\n  func a()\n  var b: Int { get }\n}\n" + Planted.function(lines: 51),
    "struct S {\n  init(a: () -> Int = { 1 }) {\n" + String(repeating: "\n", count: 51) + "}\n}",
    "struct S {\n  var a: Int {\n" + String(repeating: "\n", count: 51) + "}\n}",
    "let a = \"\"\"\n  }}}}\" \\(b ?? \"}\")\n  \"\"\"\n" + Planted.function(lines: 51),
    "let a = #\"\\\"#\n" + Planted.function(lines: 51),
    "func `it isn't \"}`() {" + String(repeating: "\n", count: 52) + "}",
  ])
  func `a long function is refused`(text: String) {
    #expect(LayoutRules.scannable(Planted.core(text)).isEmpty)
    #expect(LayoutRules.bodyLength(Planted.core(text)).count == 1)
  }

  @Test(arguments: [
    Planted.function(lines: 50), Planted.function(lines: 30) + Planted.function(lines: 30),
    "struct S {\n" + String(repeating: "  let a = 1\n", count: 60) + "}\n",
    "func f() {\n  let text = \"}\"\n}\n" + String(repeating: "// }\n", count: 60),
  ])
  func `a short function passes`(text: String) {
    #expect(LayoutRules.scannable(Planted.core(text)).isEmpty)
    #expect(LayoutRules.bodyLength(Planted.core(text)).isEmpty)
  }

  @Test(arguments: [(50, 0), (51, 1)])
  func `a function of C has a longest length`(lines: Int, findings: Int) {
    let body = String(repeating: "  if (x == '{') { f(\"}\"); }\n", count: lines)
    let text = "struct s { int a; };\nstatic int f(int x)\n{\n" + body + "}\n"
    let file = SourceFile(path: "Sources/Shims/C/c.c", text: text)
    #expect(LayoutRules.bodyLength(file).count == findings)
  }

  @Test(arguments: [
    "func f() {", "let a = \"open", "/* open", "}", "let a = \"\\(f\"", "let a = `open",
    "let a = [1, 2", "#/open",
  ])
  func `a file that cannot be followed is refused`(text: String) {
    #expect(LayoutRules.scannable(Planted.core(text)).count == 1)
  }

  @Test(arguments: ["\tlet a = 1\n", "let a = 1 \n", "let a = 1", "let a = 1\n\n", "a\r\n"])
  func `stray space is refused`(text: String) {
    #expect(LayoutRules.whitespace(Planted.core(text)).count == 1)
  }

  @Test(arguments: ["let a = 1\n", "let a = 1\n\nlet b = 2\n", ""])
  func `clean text passes`(text: String) {
    #expect(LayoutRules.whitespace(Planted.core(text)).isEmpty)
  }

  @Test(arguments: [
    ("a.swift", 100, 0), ("a.swift", 101, 1), ("a.c", 101, 1), ("a.md", 120, 0), ("a.md", 121, 1),
    (".ci/run", 101, 1), ("a.json", 300, 0),
  ])
  func `lines have a greatest width`(path: String, width: Int, findings: Int) {
    let file = SourceFile(path: path, text: String(repeating: "é", count: width) + "\n")
    #expect(LayoutRules.columns(file).count == findings)
  }

  @Test func `links, tables and code blocks of documents may be wide`() {
    let wide = String(repeating: "w", count: 130)
    let text = "| \(wide) |\n```\n\(wide)\n```\n[a](\(wide))\nhttps://\(wide)\n"
    #expect(LayoutRules.columns(SourceFile(path: "a.md", text: text)).isEmpty)
  }
}
