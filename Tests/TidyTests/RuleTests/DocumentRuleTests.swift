import Testing

@Suite struct `document rules` {
  private func document(_ text: String) -> SourceFile {
    SourceFile(path: "docs/guide/page.md", text: text)
  }

  @Test(arguments: ["Text\n", "# A\n# B\n", "\n# A\n", "## A\n", ""])
  func `a document without exactly one title is refused`(text: String) {
    #expect(DocumentRules.title(document(text)).count == 1)
  }

  @Test(arguments: ["# A\n", "# A\n\n## B\n\n```sh\n# a comment\n```\n"])
  func `a document with one title passes`(text: String) {
    #expect(DocumentRules.title(document(text)).isEmpty)
  }

  @Test(arguments: ["[a](gone.md)", "[a](../../gone)", "[a](../../../x.md)", "[a]: gone.md"])
  func `a broken link is refused`(text: String) {
    #expect(DocumentRules.links(SourceTree([document(text)])).count == 1)
  }

  @Test(arguments: [
    "[a](page.md)", "[a](./page.md#part)", "[a](../guide)", "[a](#part)", "`[a](gone.md)`",
    "[a](https://example.org/gone.md)", "```\n[a](gone.md)\n```", "[a]: page.md", "[a](mailto:x)",
    "[a](../../docs/guide/page.md \"Title\")",
  ])
  func `a good link passes`(text: String) {
    #expect(DocumentRules.links(SourceTree([document(text)])).isEmpty)
  }

  @Test func `the README names both commands`() {
    func findings(_ text: String) -> Int {
      DocumentRules.readme(SourceTree([SourceFile(path: "README.md", text: text)])).count
    }
    #expect(findings("swift run swarmoracle\nswift test") == 0)
    #expect(findings("swift run swarmoracle") == 1)
    #expect(findings("") == 2)
    #expect(DocumentRules.readme(SourceTree([])).count == 1)
  }

  @Test func `a metric that no document lists is refused`() {
    func findings(_ names: String...) -> Int {
      let source = names.map { "let a = \"# TYPE \($0) gauge\"" }.joined(separator: "\n")
      let tree = SourceTree([
        SourceFile(path: "Sources/Runtime/N/N.swift", text: source),
        SourceFile(path: "docs/reference/metrics.md", text: "| `swarmoracle_lanes_total` |"),
      ])
      return DocumentRules.metrics(tree).count
    }
    #expect(findings("swarmoracle_lanes_total", "swarmoracle_") == 0)
    #expect(findings("swarmoracle_lanes") == 1)
    #expect(findings("swarmoracle_lanes_total2") == 1)
    #expect(DocumentRules.metrics(SourceTree([])).count == 1)
  }
}

@Suite struct `repository rules` {
  @Test func `the top level holds the product alone`() {
    func findings(_ path: String) -> Int {
      RepositoryRules.topLevel(SourceTree([SourceFile(path: path, text: "")])).count
    }
    #expect(findings("scripts/build.sh") == 1)
    #expect(findings("NOTES.md") == 1)
    #expect(findings("Package.swift") == 0)
    #expect(findings(".ci/run") == 0)
    #expect(findings("docs/a.md") == 0)
  }

  @Test(arguments: [
    ("docs/a.md", "See GONE.md."), ("docs/a.md", "See ../../beside/x."),
    ("Sources/Cores/A/A.swift", "// See docs/gone.md."),
    ("Sources/Cores/A/A.swift", "/// As in ../beside/page."), ("docs/a.md", "In /home/me/x."),
    ("configs/a.json", "{ \"path\": \"/work/x\" }"), (".ci/run", "cat ../beside/x"),
  ])
  func `a reference to the outside is refused`(path: String, text: String) {
    let tree = SourceTree([SourceFile(path: path, text: text)])
    #expect(RepositoryRules.outsideReferences(tree).count == 1)
  }

  @Test(arguments: [
    ("docs/STYLE.md", "As STYLE.md says; see ../README-like things, docs/STYLE.md"),
    ("docs/a.md", "Writes report.md and decisions/*.md"),
    ("Sources/Cores/A/A.swift", "let path = \"../../etc/passwd\" // climbs"),
  ])
  func `a reference to the inside passes`(path: String, text: String) {
    let tree = SourceTree([SourceFile(path: path, text: text)])
    #expect(RepositoryRules.outsideReferences(tree).isEmpty)
  }
}
