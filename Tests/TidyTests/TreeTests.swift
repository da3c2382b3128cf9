import Testing

/// Every rule, applied to this repository.
@Suite struct `the repository` {
  private let tree = SourceTree.shared

  private func expectNoneInFiles(
    _ rule: (SourceFile) -> [Finding], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectNone(tree.files.flatMap(rule), sourceLocation: sourceLocation)
  }

  @Test func `is found and read`() {
    #expect(tree.swiftFiles.count > 30)
    #expect(tree.file("Package.swift")?.code.isEmpty == false)
    #expect(tree.files.contains { $0.isMarkdown })
    #expect(tree.files.contains { $0.isC })
  }

  @Test func `can be scanned`() { expectNoneInFiles(LayoutRules.scannable) }

  @Test func `keeps its cores pure`() { expectNoneInFiles(PurityRules.names) }

  @Test func `lists the cases in the switches of its cores`() {
    expectNoneInFiles(PurityRules.openSwitches)
  }

  @Test func `keeps hash order out of its cores`() { expectNoneInFiles(OrderRules.hashOrder) }

  @Test func `imports downwards`() { expectNone(ImportRules.rungs(tree)) }

  @Test func `declares what it imports`() { expectNone(ImportRules.declared(tree)) }

  @Test func `tests with Swift Testing alone`() { expectNoneInFiles(ImportRules.testing) }

  @Test func `has short files`() {
    expectNoneInFiles(LayoutRules.fileLength)
    expectNone(LayoutRules.longFiles(tree))
  }

  @Test func `has short functions`() { expectNoneInFiles(LayoutRules.bodyLength) }

  @Test func `has narrow lines without stray space`() {
    expectNoneInFiles(LayoutRules.columns)
    expectNoneInFiles(LayoutRules.whitespace)
  }

  @Test func `holds no unfinished work`() { expectNoneInFiles(WordRules.unfinished) }

  @Test func `crashes for a stated reason only`() { expectNoneInFiles(WordRules.crashes) }

  @Test func `does not sleep in tests`() { expectNoneInFiles(WordRules.sleeping) }

  @Test func `argues every unchecked promise`() { expectNoneInFiles(SafetyRules.unchecked) }

  @Test func `documents what modules share`() { expectNone(SafetyRules.documentation(tree)) }

  @Test func `titles every document`() { expectNoneInFiles(DocumentRules.title) }

  @Test func `links to what exists`() { expectNone(DocumentRules.links(tree)) }

  @Test func `says how to run and test it`() { expectNone(DocumentRules.readme(tree)) }

  @Test func `documents every metric`() { expectNone(DocumentRules.metrics(tree)) }

  @Test func `has a tidy top level`() { expectNone(RepositoryRules.topLevel(tree)) }

  @Test func `refers to nothing outside itself`() {
    expectNone(RepositoryRules.outsideReferences(tree))
  }
}
