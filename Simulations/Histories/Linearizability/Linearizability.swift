/// Judges whether a history of the control state is linearizable.
///
/// Each key is judged alone: a history is linearizable if its part for every key is (Herlihy and
/// Wing 1990, locality; Horn and Kroening, "Faster linearizability checking via
/// P-compositionality", 2015, as Porcupine does). The search within a key is that of Wing and Gong
/// (1993) with the memory of Lowe ("Testing for linearizability", 2017). The model is a register
/// whose writes take ever higher versions.
///
/// Unknown outcomes may have taken effect at any time after their call, or never. Keys are taken to
/// be absent at first. Operations whose return equals another's call count as concurrent.
///
/// Deviation: where versions are known they decide the order of writes, which makes the search
/// linear for histories without unknown outcomes.
package enum Linearizability {
  /// The verdict on all keys.
  package enum Outcome: String, Sendable {
    /// Every key has an order that explains what clients saw.
    case linearizable
    /// At least one key has none.
    case violated = "not linearizable"
    /// No key was found violated, but for some the search was too long.
    case undecided
  }

  /// How much work a check may do.
  package struct Limits: Sendable {
    /// Steps for one key; a step looks at one candidate in one configuration.
    package var stepsPerKeyMax = 20_000_000
    /// Steps for all keys.
    package var stepsMax = 200_000_000

    /// The default limits.
    package init() {}
  }

  /// What a check found.
  package struct Report: Sendable {
    /// The verdict.
    package var outcome = Outcome.linearizable
    /// Keys that had operations to judge.
    package var keyCount = 0
    /// Operations that were judged; those refused, and reads never answered, say nothing.
    package var operationCount = 0
    /// Steps that the search took.
    package var stepCount = 0
    /// The keys that have no order, fewest operations first.
    package var violatedKeys: [String] = []
    /// The keys whose search was too long.
    package var undecidedKeys: [String] = []
    /// Why the first of `violatedKeys` has no order.
    package var explanation: OrderFailure?
  }

  /// Checks all keys of the history.
  package static func check(_ history: History, limits: Limits = Limits()) -> Report {
    let records = history.records
    var report = Report()
    for group in groups(of: records) {
      report.keyCount += 1
      report.operationCount += group.count
      let prepared = KeyHistory(group, of: records)
      var search = PlacementSearch(prepared)
      let stepsLeft = max(0, limits.stepsMax - report.stepCount)
      let outcome = search.run(stepsMax: min(limits.stepsPerKeyMax, stepsLeft))
      report.stepCount += search.steps
      let key = records[group[0]].key
      switch outcome {
      case .placed: break
      case .exhausted: report.undecidedKeys.append(key)
      case .stuck(let deadEnd):
        report.violatedKeys.append(key)
        if report.explanation == nil {
          report.explanation = OrderFailure(deadEnd, of: prepared, in: records)
        }
      }
    }
    if !report.violatedKeys.isEmpty {
      report.outcome = .violated
    } else if !report.undecidedKeys.isEmpty {
      report.outcome = .undecided
    }
    return report
  }

  /// The records of each key that say something about it, smallest group first.
  private static func groups(of records: [HistoryRecord]) -> [[Int]] {
    var places: [[UInt8]: Int] = [:]
    var groups: [[Int]] = []
    for (index, record) in records.enumerated() where record.isOfRegister {
      let key = Array(record.key.utf8)
      if let place = places[key] {
        groups[place].append(index)
      } else {
        places[key] = groups.count
        groups.append([index])
      }
    }
    return groups.sorted { ($0.count, $0[0]) < ($1.count, $1[0]) }
  }
}

extension HistoryRecord {
  /// Whether the record says something about the value of its key.
  var isOfRegister: Bool {
    switch operation {
    case .get: result != .unknown && result != .refused
    case .put, .compareAndSet, .delete: result != .refused
    case .lock, .unlock, .watch: false
    }
  }
}
