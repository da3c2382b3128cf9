import Testing

@Suite struct `purity rules` {
  @Test(arguments: [
    "let share: Double = 1", "var x = [Float]()", "let r = Int.random(in: 0..<3)",
    "let x = peers.randomElement()", "let x = peers.shuffled()",
    "var g = SystemRandomNumberGenerator()", "let now = ContinuousClock.now",
    "let clock = SuspendingClock()", "let d = Date()", "let p = ProcessInfo.processInfo",
    "let home = getenv(name)", "print(state)", "let h = key.hashValue", "await send()",
    "let text = \"at \\(Date())\"", "let x: Optional<Double> = nil", "var h = Hasher()",
  ])
  func `an impure core is refused`(text: String) {
    #expect(PurityRules.names(Planted.core(text)).count == 1)
  }

  @Test(arguments: [
    "// A Double is refused here, and Date() too.", "let text = \"print(Double)\"",
    "func hash(into hasher: inout Hasher) {}", "let randomness = generator.next()",
    "let printed = `print`", "let date: DateText", "package func dump() {}",
    "#\"Float \\(Date())\"#", "/* print( /* Date() */ Double */ let a = 1",
  ])
  func `a pure core passes`(text: String) {
    #expect(PurityRules.names(Planted.core(text)).isEmpty)
  }

  @Test func `the rule is for cores`() {
    let file = SourceFile(path: "Sources/Runtime/R/R.swift", text: "print(Double(1))")
    #expect(PurityRules.names(file).isEmpty)
  }

  @Test func `the simulator reads no clock`() {
    func findings(_ text: String) -> Int {
      PurityRules.names(SourceFile(path: "Simulations/Simulator/S.swift", text: text)).count
    }
    #expect(findings("let start = ContinuousClock.now") == 1)
    #expect(findings("let share: Double = ratio // no ContinuousClock") == 0)
  }

  @Test(arguments: [
    "switch s { case .a: 1\ndefault: 2 }", "switch s {\n@unknown default: 2 }",
    "switch s {\n// open set:\ndefault: 2 }",
  ])
  func `an open switch is refused`(text: String) {
    #expect(PurityRules.openSwitches(Planted.core(text)).count == 1)
  }

  @Test(arguments: [
    "switch s { case .a: 1\ncase .b: 2 }", "counts[key, default: 0] += 1",
    "switch byte {\n// open set: every byte a peer may send\ndefault: 2 }",
    "switch byte {\ndefault: 2  // open set: integers\n}", "f(default: 3)",
  ])
  func `a closed switch and a reason pass`(text: String) {
    #expect(PurityRules.openSwitches(Planted.core(text)).isEmpty)
  }

  @Test(arguments: [
    "for key in table.keys { f(key) }", "for value in self.table.values where ok { f() }",
    "for item in Set(list) { f(item) }", "let k = table.keys.map { f($0) }",
    "var peers: [Peer: Int] = [:]\nfor (peer, n) in peers { f(peer) }",
    "var seen: Set<Peer> = []\nfor peer in state.seen { f(peer) }",
    "var seen = Set<Peer>()\nlet x = seen.first",
    "let peers = [:]\nlet x = peers.map { f($0) }", "let k = Array(table.values)",
  ])
  func `a walk in hash order is refused`(text: String) {
    #expect(OrderRules.hashOrder(Planted.core(text)).count == 1)
  }

  @Test(arguments: [
    "for key in table.keys.sorted() { f(key) }", "let n = table.values.count",
    "var peers: [Peer] = []\nfor peer in peers { f(peer) }",
    "var seen: Set<Peer> = []\nfor peer in seen.sorted() { f(peer) }",
    "// order: sums commute\nfor value in table.values { sum += value }",
    "var seen: Set<Peer> = []\nlet known = seen.contains(peer)",
    "func f(keys: [Int]) { for key in keys.indices { g(key) } }",
  ])
  func `a sorted walk and a reason pass`(text: String) {
    #expect(OrderRules.hashOrder(Planted.core(text)).isEmpty)
  }
}
