import Histories

/// Tries every order of a small history of one key, with every choice of the unknown operations.
///
/// Versions of unknown writes are left open during the order and solved for afterwards: the writes
/// of an order take strictly growing whole numbers, some of which are given.
struct PermutationOracle {
  private let records: [HistoryRecord]
  private var order: [Int] = []
  private var isUsed: [Bool]

  init(_ history: History) {
    records = history.records.filter {
      $0.result != .refused && !($0.operation == .get && $0.result == .unknown)
    }
    isUsed = [Bool](repeating: false, count: records.count)
  }

  static func isLinearizable(_ history: History) -> Bool {
    var oracle = PermutationOracle(history)
    return oracle.extend()
  }

  private mutating func extend() -> Bool {
    guard explains(order) else { return false }
    if records.indices.allSatisfy({ isUsed[$0] || records[$0].result == .unknown }) { return true }
    for index in records.indices where !isUsed[index] && mayBeNext(index) {
      isUsed[index] = true
      order.append(index)
      if extend() { return true }
      order.removeLast()
      isUsed[index] = false
    }
    return false
  }

  /// Whether nothing that is still to come was answered before this was called.
  private func mayBeNext(_ index: Int) -> Bool {
    records.indices.allSatisfy { other in
      guard !isUsed[other], records[other].result != .unknown,
        let answered = records[other].answered
      else { return true }
      return answered >= records[index].call
    }
  }

  private func explains(_ order: [Int]) -> Bool {
    var versions: [UInt64?] = []
    var value: String?
    /// Notes that the present version is `version`.
    func bind(_ version: UInt64) -> Bool {
      guard value != nil, let last = versions.last else { return false }
      if let last { return last == version }
      versions[versions.count - 1] = version
      return true
    }
    for index in order {
      let record = records[index]
      switch (record.operation, record.result) {
      case (.get, .value(let read, let version)):
        guard value == read, bind(version) else { return false }
      case (_, .absent):
        guard value == nil else { return false }
      case (_, .conflict(let version)):
        guard version == 0 ? value == nil : bind(version) else { return false }
      case (.put(let new), let result):
        versions.append(Self.version(result))
        value = new
      case (.compareAndSet(let expected, let new), let result):
        guard expected == 0 ? value == nil : bind(expected) else { return false }
        versions.append(Self.version(result))
        value = new
      case (.delete(let expected), let result):
        guard value != nil else { return false }
        if let expected, !bind(expected) { return false }
        versions.append(Self.version(result))
        value = nil
      default: return false
      }
    }
    return hasSolution(versions)
  }

  private func hasSolution(_ versions: [UInt64?]) -> Bool {
    var last: UInt64 = 0
    for version in versions {
      guard let version else {
        last += 1
        continue
      }
      guard version > last else { return false }
      last = version
    }
    return true
  }

  private static func version(_ result: HistoryResult) -> UInt64? {
    switch result {
    case .written(let version): version
    case .deleted(let version): version
    default: nil
    }
  }
}
