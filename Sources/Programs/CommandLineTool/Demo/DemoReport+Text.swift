extension DemoReport {
  /// The report for people.
  func text(_ console: Console) -> String {
    var text = "\n" + accuracies(console) + "\n" + gainSentence + "\n"
    if bestRight > swarmRight {
      text += "The best single checker does better than the swarm; which one that is, is known "
      text += "only afterwards.\n"
    }
    text += "\n" + nodeTable(console) + "\n"
    text += """
      operations   \(operations) in \(DemoReport.tenths(milliseconds / 100)) s, \
      \(DemoReport.tenths(Int(operationTenthsPerSecond))) per second; the checkers are \
      what takes the time
      outage       node \(outage.node) killed with SIGKILL at question \(outage.question), \
      \(DemoReport.tenths(outage.killedMilliseconds / 100)) s after the first; started again after \
      \(outage.downMilliseconds) ms, ready in \(outage.readyMilliseconds) ms
                   \(outage.bundlesMissed) bundles missed, all there \
      \(outage.catchUpMilliseconds) ms after its start
                   \(outage.answersMeanwhile) answers final meanwhile, \(failovers) times \
      an agent turned to another node


      """
    for check in checks {
      let mark = check.holds ? console.colored("ok    ", .green) : console.colored("FAILED", .red)
      text += "\(mark) \(check.claim)\n"
      for fault in check.faults.prefix(5) { text += "       \(fault)\n" }
      if check.faults.count > 5 { text += "       and \(check.faults.count - 5) more\n" }
    }
    return text
  }

  private func accuracies(_ console: Console) -> String {
    var table = Table([
      ("AGENT", .left), ("NODE", .right), ("ANSWERED", .right), ("RIGHT", .right),
      ("ACCURACY", .right),
    ])
    for tally in tallies {
      table.append([
        .init(tally.agent.program.name), .init("\(tally.agent.home + 1)"),
        .init("\(tally.answered)"), .init("\(tally.right)"), .init(percent(tally.right)),
      ])
    }
    let rows: [(String, Int, Console.Color?)] = [
      ("equal votes", pluralityRight, nil), ("the swarm", swarmRight, .bold),
    ]
    for (name, right, color) in rows {
      table.append([
        .init(name, color), "-", .init("\(verdicts.count)", color), .init("\(right)", color),
        .init(percent(right), color),
      ])
    }
    return table.text(console)
  }

  private func nodeTable(_ console: Console) -> String {
    var table = Table([
      ("NODE", .right), ("BUNDLES", .right), ("OPERATIONS", .right), ("LANES ROOT", .left),
      ("ROWS", .left), ("HEIGHT", .right), ("LEDGER ROOT", .left), ("EQUAL", .left),
    ])
    for (place, state) in states.enumerated() {
      let view = views.indices.contains(place) ? views[place] : nil
      let isEqual = state.agrees(with: states[0]) && view != nil
      table.append([
        .init("\(state.node)"), .init("\(state.bundles)"), .init("\(state.operations)"),
        .init(String(state.lanesRoot.prefix(12))), .init(String(state.rowsDigest.prefix(12))),
        .init(view.map { "\($0.executedHeight)" } ?? "-"), .init(view?.rootText ?? "-"),
        isEqual ? .init("yes", .green) : .init("no", .red),
      ])
    }
    return table.text(console)
  }

  private func percent(_ part: Int) -> String { DemoReport.tenths(permille(part)) + " %" }

  private static func tenths(_ number: Int) -> String { "\(number / 10).\(number % 10)" }
}
