extension ControlVerdict {
  /// A figure of the verdict with its name, and whether it is as it should be.
  package struct Figure: Equatable, Sendable {
    /// What it is.
    package let name: String
    /// How much, in words.
    package let value: String
    /// Whether it breaks a promise.
    package let isBad: Bool
  }

  /// The figures in the order in which they are read.
  package var figures: [Figure] {
    var figures = [
      Figure(name: "duration", value: Milliseconds.brief(nanoseconds), isBad: false),
      Figure(name: "acknowledged writes", value: Grouped.text(acknowledged), isBad: false),
      Figure(name: "lost", value: Grouped.text(lostCount), isBad: lostCount > 0),
      Figure(name: "leader changes", value: "\(leaderChanges)", isBad: false),
    ]
    if hadFaults {
      let text = healNanoseconds.map(Milliseconds.brief) ?? "never"
      figures.append(
        Figure(name: "time to heal", value: text, isBad: healNanoseconds == nil))
    }
    if let report = linearizability {
      figures.append(
        Figure(
          name: "control state", value: Self.summary(report),
          isBad: report.outcome != .linearizable))
    }
    figures.append(
      Figure(
        name: "revisions, locks, watches",
        value: faults.isEmpty ? "no faults" : "\(faults.count) faults", isBad: !faults.isEmpty))
    figures.append(Figure(name: "conflicts", value: Grouped.text(conflictCount), isBad: false))
    return figures
  }

  /// The verdict as a table of text, one line each, without the end of the last line.
  package var text: String {
    var lines = ["\(outcome.rawValue)  \(scenario)" + (seed.map { "  seed \($0)" } ?? ""), ""]
    let rows = figures
    let width = rows.map(\.name.count).max() ?? 0
    lines += rows.map { "  \(Self.pad($0.name, width))  \($0.value)\($0.isBad ? "  ✗" : "")" }
    lines += tierLines
    for expectation in expectations {
      let mark = expectation.isMet ? "✓" : "✗"
      lines.append("  \(mark) \(expectation.text): \(expectation.found)")
    }
    lines += Self.section("lost writes", lost, of: lostCount)
    lines += Self.section("faults", faults.kept.map(\.line), of: faults.count)
    lines += Self.section("why", linearizability?.explanation?.lines ?? [])
    lines += Self.section(
      "conflicts", conflicts.map { "\($0.key) (\($0.policy)): \($0.detail)" }, of: conflictCount)
    lines += ["", "again: \(command)"]
    return lines.joined(separator: "\n")
  }

  /// The tiers as cells: the head and one row each.
  package var tierRows: [[String]] {
    let head = [
      "tier", "acknowledged", "unknown", "refused", "longest pause", "outage median", "outage max",
    ]
    let rows = tiers.map { tier in
      let outages = tier.outages.isEmpty
      return [
        tier.tier.rawValue, Grouped.text(tier.acknowledged), Grouped.text(tier.unknown),
        Grouped.text(tier.refused),
        Milliseconds.brief(tier.pauseMax), outages ? "–" : Milliseconds.brief(tier.outageMedian),
        outages ? "–" : Milliseconds.brief(tier.outageMax),
      ]
    }
    return rows.isEmpty ? [] : [head] + rows
  }

  private var tierLines: [String] {
    let rows = tierRows
    guard let head = rows.first else { return [] }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      let cells = row.indices.map { column in
        column == 0
          ? Self.pad(row[column], widths[column]) : Self.padLeft(row[column], widths[column])
      }
      return "  " + cells.joined(separator: "  ")
    }
    return [""] + lines + [""]
  }

  private static func summary(_ report: Linearizability.Report) -> String {
    let size = "\(Grouped.text(report.operationCount)) operations on \(report.keyCount) keys"
    switch report.outcome {
    case .linearizable: return "linearizable (\(size))"
    case .violated: return "not linearizable (\(report.violatedKeys.count) keys; \(size))"
    case .undecided: return "undecided (\(report.undecidedKeys.count) keys; \(size))"
    }
  }

  private static func section(_ title: String, _ entries: [String], of count: Int? = nil)
    -> [String]
  {
    guard !entries.isEmpty else { return [] }
    let hidden = (count ?? entries.count) - entries.count
    return ["", "\(title):"] + entries.map { "  \($0)" }
      + (hidden > 0 ? ["  and \(hidden) more"] : [])
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
