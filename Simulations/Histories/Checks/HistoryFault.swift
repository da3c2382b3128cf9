/// A promise of the control state that a history shows broken.
package struct HistoryFault: Equatable, Sendable {
  /// The promise.
  package enum Rule: String, CaseIterable, Sendable {
    /// Revisions are unique, and grow with time over all keys.
    case revisionOrder = "revision-order"
    /// A later holder of a lock has a greater fencing token, and no two have the same.
    case tokenOrder = "token-order"
    /// Nobody is granted a lock before its holder gives it back.
    case lockOverlap = "lock-overlap"
    /// A watch delivers in the order of revisions, each once.
    case watchOrder = "watch-order"
    /// A watch delivers every change it covers.
    case watchGap = "watch-gap"
    /// A watch delivers nothing that was not written.
    case watchInvention = "watch-invention"
  }

  /// The promise.
  package let rule: Rule
  /// The key, the lock, or the watched prefix.
  package let key: String
  /// What was found.
  package let detail: String

  /// The fault as one line.
  package var line: String { "\(rule.rawValue): \"\(key)\": \(detail)" }
}

/// Collects faults up to a bound, and counts the others.
package struct HistoryFaults: Equatable, Sendable {
  /// Faults that are kept with their words.
  package static let keptMax = 100

  /// The first faults.
  package private(set) var kept: [HistoryFault] = []
  /// All faults, the kept ones included.
  package private(set) var count = 0

  /// Starts without faults.
  package init() {}

  /// Whether every promise was kept.
  package var isEmpty: Bool { count == 0 }

  /// Adds a fault.
  mutating func add(_ rule: HistoryFault.Rule, _ key: String, _ detail: @autoclosure () -> String) {
    count += 1
    guard kept.count < Self.keptMax else { return }
    kept.append(HistoryFault(rule: rule, key: key, detail: detail()))
  }

  /// Adds the faults of another check.
  package mutating func add(_ others: HistoryFaults) {
    count += others.count
    kept += others.kept.prefix(max(0, Self.keptMax - kept.count))
  }
}
