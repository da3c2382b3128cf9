import Histories
import Primitives
import Testing

/// Known ways in which a store goes wrong, planted into true histories.
@Suite struct AnomalyTests {
  enum Anomaly: CaseIterable {
    case staleRead, lostUpdate, valueFromNowhere, reorderedVersions, doubleSwap, resurrection
  }

  @Test(arguments: Anomaly.allCases, 1...12 as ClosedRange<UInt64>)
  func `a planted anomaly is found`(anomaly: Anomaly, seed: UInt64) throws {
    var run = RegisterRun()
    run.unknownPercent = seed % 2 == 0 ? 10 : 0
    run.operations = 200
    let history = run.history(seed: seed)
    let (planted, key) = try #require(plant(anomaly, in: history.records))
    let report = Linearizability.check(History.of(planted))
    #expect(report.outcome == .violated)
    #expect(report.violatedKeys.contains(key))
    let explanation = try #require(report.explanation)
    #expect(explanation.placedCount < explanation.operationCount)
    #expect(!explanation.stuck.isEmpty && explanation.stuck.allSatisfy { !$0.reason.isEmpty })
  }

  /// Changes one operation so that no order can explain it; `nil` when the history has no place.
  private func plant(
    _ anomaly: Anomaly, in records: [HistoryRecord]
  ) -> (records: [HistoryRecord], key: String)? {
    var records = records
    for (old, first) in records.enumerated() {
      guard case .written(let low) = first.result, case .put(let value) = first.operation else {
        continue
      }
      for (new, second) in records.enumerated() where second.key == first.key {
        guard case .written(let high) = second.result, high > low, case .put = second.operation,
          isBefore(first, second)
        else { continue }
        let reads = records.indices.filter {
          records[$0].operation == .get && records[$0].answered != nil
            && records[$0].key == first.key && isBefore(second, records[$0])
        }
        guard let read = reads.first else { continue }
        switch anomaly {
        case .staleRead: records[read].become(.value(value, version: low))
        case .valueFromNowhere: records[read].become(.value("nobody's", version: high))
        case .reorderedVersions:
          records[old].become(.written(version: high))
          records[new].become(.written(version: low))
        case .lostUpdate:
          // A write that knows only the first version succeeds after the second is acknowledged.
          records[read] = swap(records[read], expecting: low, version: 1_000_000)
        case .doubleSwap:
          records[read] = swap(records[read], expecting: low, version: 1_000_000)
          records.append(swap(records[read], expecting: low, version: 1_000_001))
        case .resurrection:
          records[new] = HistoryRecord(
            client: second.client, key: second.key, operation: .delete(expected: nil),
            result: .deleted(version: high), call: second.call, answered: second.answered)
          records[read].become(.value(value, version: low))
        }
        return (records, first.key)
      }
    }
    return nil
  }

  private func isBefore(_ first: HistoryRecord, _ second: HistoryRecord) -> Bool {
    first.answered.map { $0 < second.call } ?? false
  }

  private func swap(
    _ record: HistoryRecord, expecting version: UInt64, version new: UInt64
  ) -> HistoryRecord {
    HistoryRecord(
      client: record.client, key: record.key,
      operation: .compareAndSet(expected: version, value: "swapped"),
      result: .written(version: new), call: record.call, answered: record.answered)
  }
}

extension HistoryRecord {
  /// Gives the record another answer.
  mutating func become(_ result: HistoryResult) {
    self = HistoryRecord(
      client: client, key: key, operation: operation, result: result, call: call,
      answered: answered)
  }
}

/// Small histories written by hand, as text.
@Suite struct OrderTests {
  private func record(
    _ client: UInt64, _ operation: HistoryOperation, _ result: HistoryResult, _ call: UInt64,
    _ answered: UInt64?
  ) -> HistoryRecord {
    HistoryRecord(
      client: client, key: "k", operation: operation, result: result, call: call,
      answered: answered)
  }

  private func outcome(_ records: [HistoryRecord]) -> Linearizability.Outcome {
    Linearizability.check(History.of(records)).outcome
  }

  @Test func `a lost answer may have taken effect, late too`() {
    let put = record(1, .put(value: "a"), .unknown, 10, nil)
    let early = record(2, .get, .absent, 20, 30)
    let late = record(2, .get, .value("a", version: 3), 40, 50)
    #expect(outcome([put, early, late]) == .linearizable)
    #expect(outcome([put, early]) == .linearizable)
    #expect(outcome([put, late]) == .linearizable)
  }

  @Test func `a lost answer takes effect at most once, and not before its call`() {
    let put = record(1, .put(value: "a"), .unknown, 10, nil)
    let other = record(2, .put(value: "b"), .written(version: 5), 20, 30)
    let seen = record(3, .get, .value("a", version: 4), 12, 15)
    let again = record(3, .get, .value("a", version: 6), 40, 50)
    #expect(outcome([put, seen, other]) == .linearizable)
    #expect(outcome([put, other, again]) == .linearizable)
    #expect(outcome([put, seen, other, again]) == .violated)
    #expect(outcome([record(3, .get, .value("a", version: 4), 5, 9), put]) == .violated)
  }

  @Test func `a timed-out write that has an instant is unknown all the same`() {
    let put = record(1, .put(value: "a"), .unknown, 10, 20)
    let early = record(2, .get, .absent, 30, 40)
    let late = record(2, .get, .value("a", version: 1), 50, 60)
    #expect(outcome([put, early, late]) == .linearizable)
  }

  @Test func `a lost compare-and-set needs its version`() {
    let put = record(1, .put(value: "a"), .written(version: 1), 10, 20)
    let other = record(1, .put(value: "b"), .written(version: 2), 30, 40)
    let swap = record(2, .compareAndSet(expected: 1, value: "c"), .unknown, 50, nil)
    let seen = record(3, .get, .value("c", version: 3), 60, 70)
    #expect(outcome([put, swap, seen]) == .linearizable)
    #expect(outcome([put, other, swap, seen]) == .violated)
    #expect(outcome([put, other, swap]) == .linearizable)
  }

  @Test func `the same writes in another order leave another value`() {
    let history = [
      record(1, .put(value: "a"), .unknown, 1, nil), record(2, .put(value: "b"), .unknown, 1, nil),
      record(3, .delete(expected: nil), .deleted(version: nil), 10, 20),
      record(4, .get, .value("a", version: 7), 30, 40),
      record(5, .put(value: "a"), .unknown, 1_000, nil),
      record(6, .put(value: "b"), .unknown, 1_000, nil),
      record(7, .get, .value("b", version: 9), 2_000, 2_010),
    ]
    #expect(outcome(history) == .linearizable)
    #expect(PermutationOracle.isLinearizable(.of(history)))
  }

  @Test func `what was refused had no effect`() {
    let put = record(1, .put(value: "a"), .refused, 10, 20)
    #expect(outcome([put, record(2, .get, .absent, 30, 40)]) == .linearizable)
    #expect(outcome([put, record(2, .get, .value("a", version: 1), 30, 40)]) == .violated)
  }

  @Test func `operations that touch in time are concurrent`() {
    let put = record(1, .put(value: "a"), .written(version: 1), 10, 20)
    #expect(outcome([put, record(2, .get, .absent, 20, 30)]) == .linearizable)
    #expect(outcome([put, record(2, .get, .absent, 21, 30)]) == .violated)
  }

  @Test func `versions leave room for the writes between them`() {
    let first = record(1, .put(value: "a"), .written(version: 1), 10, 20)
    let lost = record(2, .put(value: "b"), .unknown, 12, nil)
    let seen = record(3, .get, .value("b", version: 2), 30, 40)
    #expect(
      outcome([first, lost, seen, record(1, .put(value: "c"), .written(version: 3), 50, 60)])
        == .linearizable)
    // A removal happened between versions 1 and 2, where there is no number for it.
    let removal = record(4, .delete(expected: nil), .deleted(version: nil), 25, 27)
    #expect(
      outcome([first, removal, record(5, .put(value: "c"), .written(version: 2), 50, 60)])
        == .violated)
  }

  @Test func `values are compared by their bytes`() {
    let put = record(1, .put(value: "\u{E9}"), .written(version: 1), 10, 20)
    let composed = record(2, .get, .value("e\u{301}", version: 1), 30, 40)
    #expect(outcome([put, composed]) == .violated)
  }

  @Test func `the smallest failing key is explained`() throws {
    var records: [HistoryRecord] = []
    for number: UInt64 in 1...5 {
      records.append(
        HistoryRecord(
          client: 1, key: "large", operation: .put(value: "x"), result: .written(version: 9),
          call: number * 10, answered: number * 10 + 5))
    }
    records.append(record(1, .put(value: "a"), .written(version: 100), 1_000_000, 2_000_000))
    records.append(record(2, .get, .value("b", version: 100), 3_000_000, 4_000_000))
    let report = Linearizability.check(History.of(records))
    #expect(report.violatedKeys == ["k", "large"])
    let expected = """
      key "k": 1 of 2 operations have an order
        client 1 put "a" → version 100, 1.000 ms to 2.000 ms
      then the register holds "a" at version 100, and none of these can come next:
        client 2 get → "b" at version 100, 3.000 ms to 4.000 ms
          nobody wrote "b"
      """
    #expect(report.explanation?.lines.joined(separator: "\n") == expected)
  }

  @Test func `what exceeds the bound is undecided, never fine`() {
    var run = RegisterRun()
    run.keys = 1
    run.operations = 400
    let history = run.history(seed: 1)
    var limits = Linearizability.Limits()
    limits.stepsPerKeyMax = 100
    let report = Linearizability.check(history, limits: limits)
    #expect(report.outcome == .undecided && report.undecidedKeys == ["key-0"])
    limits.stepsPerKeyMax = .max
    limits.stepsMax = 100
    #expect(Linearizability.check(history, limits: limits).outcome == .undecided)
    #expect(Linearizability.check(history).outcome == .linearizable)
  }

  @Test func `many equal unknown writes do not multiply`() {
    var records: [HistoryRecord] = []
    for number: UInt64 in 1...300 {
      records.append(record(number, .put(value: "lost \(number)"), .unknown, number, nil))
      records.append(record(number + 500, .delete(expected: nil), .unknown, number, nil))
    }
    records.append(record(1_000, .put(value: "a"), .written(version: 900), 400, 410))
    records.append(record(1_000, .get, .absent, 420, 430))
    records.append(record(1_000, .get, .value("a", version: 900), 440, 450))
    let report = Linearizability.check(History.of(records))
    #expect(report.outcome == .violated)
    #expect(report.stepCount < 100_000)
  }
}
