import Testing

@Suite struct `word rules` {
  @Test(arguments: [
    "// TODO: more", "/// FIXME", "let XXX = 1", "// This works for now.",
    "precondition(ok, \"not implemented\")", "let dummyPeer = 1", "// Unimplemented.",
    "let name = \"a dummy\"", "/* XXX */",
  ])
  func `unfinished work is refused`(text: String) {
    #expect(WordRules.unfinished(Planted.core(text)).count == 1)
    #expect(WordRules.unfinished(Planted.test(text)).count == 1)
  }

  @Test(arguments: [
    "for now in instants { f(now) }", "let path = \"/tmp/node-XXXXXX\"",
    "let reason = \"Not Implemented\"", "// Answers 501 Not Implemented.",
    "// Looks for nowhere else.", "let TODOS = 1", "let rest = unimplementable",
  ])
  func `innocent words pass`(text: String) {
    #expect(WordRules.unfinished(Planted.core(text)).isEmpty)
  }

  @Test(arguments: [
    "let a = try! f()", "fatalError(\"no\")", "// Unreachable:\nfatalError()",
    "// impossible\nfatalError()",
  ])
  func `a crash without a reason is refused`(text: String) {
    #expect(WordRules.crashes(Planted.core(text)).count == 1)
  }

  @Test(arguments: [
    "let a = try? f()", "// never fatalError( here", "precondition(ok)",
    "// Unreachable: execv returns only on failure\nfatalError()", "let text = \"try!\"",
  ])
  func `a reasoned crash passes`(text: String) {
    #expect(WordRules.crashes(Planted.core(text)).isEmpty)
  }

  @Test(arguments: [
    "Thread.sleep(forTimeInterval: 1)", "usleep(10)", "try await Task.sleep(for: .seconds(1))",
    "sleep(1)", "nanosleep(&time, nil)",
  ])
  func `a sleep is refused in tests and simulations`(text: String) {
    #expect(WordRules.sleeping(Planted.test(text)).count == 1)
    let simulation = SourceFile(path: "Simulations/S/S.swift", text: text)
    #expect(WordRules.sleeping(simulation).count == 1)
  }

  @Test(arguments: ["// sleep(1) would do", "let text = \"sleep(\"", "node.state = .sleep"])
  func `a word about sleep passes`(text: String) {
    #expect(WordRules.sleeping(Planted.test(text)).isEmpty)
  }
}
