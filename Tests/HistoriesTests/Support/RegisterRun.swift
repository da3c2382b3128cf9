import Histories
import Primitives

/// Runs clients against a real register per key: each operation takes effect at one instant between
/// its call and its answer, so that the history is linearizable by construction.
struct RegisterRun {
  var operations = 200
  var clients = 8
  var keys = 3
  /// Operations of a hundred whose answer is lost; half of them take effect, some of those late.
  var unknownPercent: UInt64 = 0
  /// Operations of a hundred that are refused.
  var refusedPercent: UInt64 = 0
  /// Values of a key are drawn from this many; 0 makes every value unique.
  var values = 0
  /// The longest wait between the parts of an operation.
  var waitMax: UInt64 = 40

  private struct Pending {
    let client: UInt64
    let key: Int
    let operation: HistoryOperation
    let call: UInt64
    let effect: UInt64
    let answered: UInt64?
    let isRefused: Bool
    let isWithoutEffect: Bool
  }

  private struct Cell {
    var value: String?
    var version: UInt64 = 0
  }

  func history(seed: UInt64) -> History {
    var random = Xoshiro256(seed: seed, purpose: "register run")
    // Clients guess the version for their compare-and-sets, often well.
    let pending = plan(&random)
    var cells = [Cell](repeating: Cell(), count: keys)
    var revision: UInt64 = 0
    var records = [(order: Int, record: HistoryRecord)]()
    for index in pending.indices.sorted(by: {
      (pending[$0].effect, $0) < (pending[$1].effect, $1)
    }) {
      let plan = pending[index]
      var operation = plan.operation
      let version = cells[plan.key].version
      let current = cells[plan.key].value == nil ? 0 : version
      switch operation {
      case .compareAndSet(let guess, let value):
        operation = .compareAndSet(expected: guess == 0 ? current : version / 2, value: value)
      case .delete(.some(let guess)):
        operation = .delete(expected: guess == 0 ? max(1, current) : version / 2 + 1)
      default: break
      }
      var result = HistoryResult.unknown
      if plan.isRefused {
        result = .refused
      } else if !plan.isWithoutEffect {
        result = Self.apply(operation, to: &cells[plan.key], &revision)
      }
      let record =
        plan.answered.map {
          HistoryRecord(
            client: plan.client, key: "key-\(plan.key)", operation: operation, result: result,
            call: plan.call, answered: $0)
        }
        ?? HistoryRecord(
          client: plan.client, key: "key-\(plan.key)", operation: operation, call: plan.call)
      records.append((index, record))
    }
    var history = History(capacity: max(1, operations))
    for (_, record) in records.sorted(by: { $0.order < $1.order }) { _ = history.append(record) }
    return history
  }

  private func plan(_ random: inout Xoshiro256) -> [Pending] {
    var free = [UInt64](repeating: 1, count: clients)
    var names = (0..<clients).map { UInt64($0) }
    var pending: [Pending] = []
    for number in 0..<operations {
      let slot = random.next(below: clients)
      let call = free[slot] + random.next(below: waitMax)
      var effect = call + random.next(below: waitMax)
      let answered = effect + random.next(below: waitMax)
      let isUnknown = random.next(below: 100) < unknownPercent
      let isWithoutEffect = isUnknown && random.next(below: 2) == 0
      if isUnknown, random.next(below: 2) == 0 { effect += random.next(below: waitMax * 20) }
      let isRefused = !isUnknown && random.next(below: 100) < refusedPercent
      let operation = operation(number, &random)
      pending.append(
        Pending(
          client: names[slot], key: random.next(below: keys), operation: operation, call: call,
          effect: effect, answered: isUnknown ? nil : answered, isRefused: isRefused,
          isWithoutEffect: isWithoutEffect))
      free[slot] = answered + 1
      // A client that does not know what happened goes on under another name.
      if isUnknown { names[slot] += UInt64(clients) }
    }
    return pending
  }

  private func operation(_ number: Int, _ random: inout Xoshiro256) -> HistoryOperation {
    let value = values == 0 ? "v\(number)" : "v\(random.next(below: values))"
    let guess: UInt64 = random.next(below: 4) == 0 ? 1 : 0
    switch random.next(below: 10) {
    case 0..<4: return .get
    case 4..<7: return .put(value: value)
    case 7..<9: return .compareAndSet(expected: guess, value: value)
    default: return .delete(expected: random.next(below: 2) == 0 ? guess : nil)
    }
  }

  private static func apply(
    _ operation: HistoryOperation, to cell: inout Cell, _ revision: inout UInt64
  ) -> HistoryResult {
    func change(_ value: String?) {
      revision += 1
      cell = Cell(value: value, version: revision)
    }
    let current = cell.value == nil ? 0 : cell.version
    switch operation {
    case .get: return cell.value.map { .value($0, version: cell.version) } ?? .absent
    case .put(let value):
      change(value)
      return .written(version: revision)
    case .compareAndSet(let expected, let value):
      guard expected == current else { return .conflict(version: current) }
      change(value)
      return .written(version: revision)
    case .delete(let expected):
      guard cell.value != nil else { return .absent }
      if let expected, expected != current { return .conflict(version: current) }
      change(nil)
      return .deleted(version: revision)
    case .lock, .unlock, .watch: return .refused
    }
  }
}
