import Histories
import Primitives
import Testing

@Suite struct LinearizabilityTests {
  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `what a real register did is linearizable`(seed: UInt64) {
    var run = RegisterRun()
    run.refusedPercent = seed % 3 == 0 ? 10 : 0
    run.values = seed % 4 == 0 ? 3 : 0
    let report = Linearizability.check(run.history(seed: seed))
    #expect(report.outcome == .linearizable, "\(report.explanation?.lines ?? [])")
    #expect(report.keyCount == 3 && report.stepCount > 0)
  }

  @Test(arguments: 1...120 as ClosedRange<UInt64>)
  func `answers that got lost do not make a register wrong`(seed: UInt64) {
    var run = RegisterRun()
    run.unknownPercent = 5 + seed % 40
    run.values = seed % 3 == 0 ? 4 : 0
    let report = Linearizability.check(run.history(seed: seed))
    #expect(report.outcome == .linearizable, "\(report.explanation?.lines ?? [])")
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `the search agrees with all permutations of true histories`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for _ in 0..<25 {
      var run = small(&random)
      run.unknownPercent = 30
      let history = run.history(seed: random.next())
      #expect(Linearizability.check(history).outcome == .linearizable)
      #expect(PermutationOracle.isLinearizable(history))
    }
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `the search agrees with all permutations of altered histories`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var violated = 0
    for _ in 0..<50 {
      let run = small(&random)
      let history = altered(run.history(seed: random.next()), &random)
      let expected = PermutationOracle.isLinearizable(history)
      let report = Linearizability.check(history)
      #expect(
        report.outcome == (expected ? .linearizable : .violated),
        "\(history.records.map(\.sentence).joined(separator: "\n"))")
      if !expected { violated += 1 }
    }
    #expect((3..<50).contains(violated))
  }

  private func small(_ random: inout Xoshiro256) -> RegisterRun {
    var run = RegisterRun()
    run.keys = 1
    run.clients = 2 + random.next(below: 3)
    run.operations = 3 + random.next(below: 5)
    run.unknownPercent = random.next(in: 0...50)
    run.values = random.next(below: 3)
    run.waitMax = 1 + random.next(below: 30)
    return run
  }

  /// Changes versions, values and instants of one or two operations at random.
  private func altered(_ history: History, _ random: inout Xoshiro256) -> History {
    var records = history.records
    for _ in 0...random.next(below: 2) {
      let index = random.next(below: records.count)
      let record = records[index]
      guard let answered = record.answered else { continue }
      var result = record.result
      let version = 1 + random.next(below: UInt64(records.count))
      switch result {
      case .value(let value, _):
        result =
          random.next(below: 2) == 0
          ? .value(value, version: version)
          : random.next(below: 2) == 0 ? .absent : .value("v1", version: version)
      case .written: result = .written(version: version)
      case .conflict: result = .conflict(version: version)
      case .absent: if record.operation == .get { result = .value("v0", version: version) }
      case .deleted: result = random.next(below: 2) == 0 ? .absent : .deleted(version: nil)
      default: break
      }
      guard record.operation.admits(result) else { continue }
      let later: UInt64 = random.next(below: 3) == 0 ? random.next(in: 0...39) : 0
      records[index] = HistoryRecord(
        client: record.client, key: record.key, operation: record.operation, result: result,
        call: record.call + later, answered: answered + later)
    }
    return History.of(records)
  }
}

extension History {
  /// A history of these records.
  static func of(_ records: [HistoryRecord]) -> History {
    var history = History(capacity: max(1, records.count))
    for record in records { _ = history.append(record) }
    return history
  }
}
