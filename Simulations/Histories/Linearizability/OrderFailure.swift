/// Why a key has no order: the longest one found, and what cannot come next in it.
package struct OrderFailure: Sendable, Equatable {
  /// An operation that would have to come next.
  package struct Stuck: Sendable, Equatable {
    /// The operation.
    package let record: HistoryRecord
    /// Why it cannot.
    package let reason: String
  }

  /// Operations that cannot come next are listed up to this many.
  package static let stuckMax = 8

  /// The key.
  package let key: String
  /// The key's operations that must have happened.
  package let operationCount: Int
  /// How many of them the longest order has.
  package let placedCount: Int
  /// The end of that order.
  package let last: [HistoryRecord]
  /// What the register holds after it.
  package let register: String
  /// One of these would have to come next, and none can.
  package let stuck: [Stuck]

  init(_ deadEnd: PlacementSearch.DeadEnd, of history: KeyHistory, in records: [HistoryRecord]) {
    let names = RegisterNames(history: history, records: records)
    key = history.definite.first.map { records[$0.record].key } ?? ""
    operationCount = history.definite.count
    placedCount = deadEnd.placedCount
    last = deadEnd.last.map { records[$0] }
    register = names.text(deadEnd.register)
    stuck = deadEnd.candidates.prefix(Self.stuckMax).map { index in
      let operation = history.definite[Int(index)]
      return Stuck(
        record: records[operation.record], reason: names.reason(operation, at: deadEnd))
    }
  }

  /// The failure as lines of text.
  package var lines: [String] {
    var lines = ["key \"\(key)\": \(placedCount) of \(operationCount) operations have an order"]
    if placedCount > last.count { lines.append("  …") }
    lines += last.map { "  \($0.sentence)" }
    lines.append("then the register holds \(register), and none of these can come next:")
    for operation in stuck {
      lines.append("  \(operation.record.sentence)")
      lines.append("    \(operation.reason)")
    }
    return lines
  }
}

/// Words for what a search works with.
private struct RegisterNames {
  let history: KeyHistory
  let records: [HistoryRecord]

  func text(_ register: Register) -> String {
    guard register.value != Register.absent else { return "nothing" }
    let version = register.isExact ? "version \(register.version)" : "an unknown version"
    return "\(value(register.value)) at \(version)"
  }

  private func value(_ number: Int32) -> String {
    number >= 0 ? "\"\(history.values[Int(number)])\"" : "a value that nobody read"
  }

  func reason(_ operation: KeyHistory.Definite, at deadEnd: PlacementSearch.DeadEnd) -> String {
    let (step, register) = (operation.step, deadEnd.register)
    if operation.rank >= 0, Int(operation.rank) != deadEnd.placedWrites,
      let earlier = write(rank: deadEnd.placedWrites), earlier.step.version != step.version
    {
      let version = earlier.step.version ?? 0
      return "version \(version) comes before it: \(records[earlier.record].sentence)"
    }
    if step.applied(to: register) != nil {
      return "version \(register.version) would be replaced, and others still have to see it"
    }
    switch step.requirement {
    case .anything: break
    case .absent:
      if register.value != Register.absent { return "the key is not absent" }
    case .present(let wanted, let version):
      guard register.value != Register.absent else { return "the key is absent" }
      if let wanted, wanted != register.value { return writers(of: wanted, version: version) }
      if let version, version != register.version { return "version \(version) is not there" }
    }
    return "its version \(step.version ?? 0) is not above \(register.version)"
  }

  private func write(rank: Int) -> KeyHistory.Definite? {
    history.definite.first { $0.rank == Int32(rank) }
  }

  private func writers(of value: Int32, version: UInt64?) -> String {
    let writer = history.definite.first { $0.step.effect == .write(value) }
    let text = history.values[Int(value)]
    let isPossible = history.possible.contains { $0.step.effect == .write(value) }
    guard let writer else {
      return isPossible
        ? "\"\(text)\" comes of writes of unknown outcome, at no fitting place"
        : "nobody wrote \"\(text)\""
    }
    guard let written = writer.step.version, let version, written != version else {
      return "\"\(text)\" was written by \(records[writer.record].sentence)"
    }
    return "\"\(text)\" was written at version \(written), not at \(version)"
  }
}
