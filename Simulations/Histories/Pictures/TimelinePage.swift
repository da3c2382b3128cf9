/// Writes the page around a timeline's picture.
enum TimelinePage {
  static func html(of timeline: Timeline) -> String {
    var page = Markup()
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
    let outcome = timeline.verdict.map { "\($0.outcome.rawValue): " } ?? ""
    page.element("title", outcome + timeline.title)
    page.raw("<style>\n\(TimelineStyle.page)\n</style>\n</head>\n<body>\n<figure>\n")
    page.raw(timeline.svg)
    page.raw("</figure>\n")
    if let verdict = timeline.verdict {
      page.group("div", ["class": "columns"]) { page in
        page.group("section") { page in figures(verdict, &page) }
        page.group("section") { page in expectations(verdict, &page) }
      }
      tiers(verdict, &page)
    }
    faults(timeline, &page)
    if let verdict = timeline.verdict { details(verdict, since: timeline.start, &page) }
    page.raw("</body>\n</html>\n")
    return page.text
  }

  private static func figures(_ verdict: ControlVerdict, _ page: inout Markup) {
    page.element("h2", "Figures")
    page.group("table") { page in
      for figure in verdict.figures {
        row([figure.name, figure.value], bad: figure.isBad ? 1 : nil, &page)
      }
      if let seed = verdict.seed { row(["seed", "\(seed)"], &page) }
    }
  }

  private static func expectations(_ verdict: ControlVerdict, _ page: inout Markup) {
    guard !verdict.expectations.isEmpty else { return }
    page.element("h2", "Expected")
    page.group("table") { page in
      for entry in verdict.expectations {
        let mark = entry.isMet ? "✓" : "✗"
        row(["\(mark) \(entry.text)", entry.found], bad: entry.isMet ? nil : 1, &page)
      }
    }
  }

  private static func tiers(_ verdict: ControlVerdict, _ page: inout Markup) {
    let rows = verdict.tierRows
    guard let head = rows.first else { return }
    page.element("h2", "Writes by tier")
    page.group("table") { page in
      header(head, &page)
      for cells in rows.dropFirst() { row(cells, &page) }
    }
    page.element(
      "p", ["class": "muted"],
      "A pause is the time between consecutive successes; an outage is the time from a fault to "
        + "the next success.")
  }

  private static func faults(_ timeline: Timeline, _ page: inout Markup) {
    let faults = timeline.orderedFaults
    guard !faults.isEmpty else { return }
    let tiers = timeline.verdict?.tiers ?? []
    page.element("h2", "Faults")
    page.group("table") { page in
      header(["", "at", "fault", "node"] + tiers.map { "\($0.tier.rawValue) outage" }, &page)
      for (number, fault) in faults.enumerated() {
        let at = Milliseconds.seconds(fault.at - timeline.start)
        let node = fault.node.map { timeline.nodes[$0] } ?? "–"
        let outages = tiers.map { tier in
          let outage = tier.outages.first { $0.start == fault.at }
          return outage.map { Milliseconds.brief($0.nanoseconds) } ?? "–"
        }
        row(["\(number + 1)", at, fault.label, node] + outages, &page)
      }
    }
  }

  private static func details(
    _ verdict: ControlVerdict, since start: UInt64, _ page: inout Markup
  ) {
    let pauses = verdict.tiers.flatMap { tier in
      tier.longestPauses.sorted { $0.nanoseconds > $1.nanoseconds }.prefix(5).map { (tier, $0) }
    }
    if !pauses.isEmpty {
      page.element("h2", "Longest pauses")
      page.group("table") { page in
        header(["tier", "from", "length", "called in it", "ended by"], &page)
        for (tier, gap) in pauses {
          let from = Milliseconds.seconds(gap.start - min(start, gap.start))
          let length = Milliseconds.brief(gap.nanoseconds)
          let end = gap.isClosed ? "a success" : "the end of the run"
          row([tier.tier.rawValue, from, length, "\(gap.attempts)", end], &page)
        }
      }
    }
    if let lines = verdict.linearizability?.explanation?.lines {
      page.element("h2", "Why it is not linearizable")
      page.element("pre", lines.joined(separator: "\n"))
    }
    list("Lost writes", verdict.lost, of: verdict.lostCount, &page)
    list("Faults found", verdict.faults.kept.map(\.line), of: verdict.faults.count, &page)
    if !verdict.conflicts.isEmpty {
      page.element("h2", "Conflicts (\(verdict.conflictCount))")
      page.group("table") { page in
        header(["key", "policy", "what became of it"], &page)
        for conflict in verdict.conflicts {
          row([conflict.key, conflict.policy, conflict.detail], &page)
        }
      }
    }
    page.element("h2", "Again")
    page.element("pre", verdict.command)
  }

  private static func list(
    _ title: String, _ lines: [String], of count: Int, _ page: inout Markup
  ) {
    guard !lines.isEmpty else { return }
    page.element("h2", "\(title) (\(count))")
    page.element("pre", lines.joined(separator: "\n"))
  }

  private static func header(_ cells: [String], _ page: inout Markup) {
    page.group("tr") { page in for cell in cells { page.element("th", cell) } }
  }

  private static func row(
    _ cells: [String], bad: Int? = nil, _ page: inout Markup
  ) {
    page.group("tr") { page in
      for (number, cell) in cells.enumerated() {
        page.element("td", number == bad ? ["class": "bad"] : [:], cell)
      }
    }
  }
}
