/// Calls and returns of operations that are not placed yet, in the order of time, as a linked list
/// from which an operation is lifted and to which it is given back in reverse order.
///
/// Nodes `0..<count` are calls in the order of time, `count..<2 * count` the returns of the same
/// operations. At equal instants calls come first: such operations count as concurrent.
struct EventList {
  private var next: [Int32]
  private var previous: [Int32]
  private let isReturning: [Bool]
  private let count: Int

  /// The node before the first.
  private var head: Int { 2 * count }

  init(_ operations: [KeyHistory.Definite]) {
    count = operations.count
    isReturning = operations.map { $0.answered != nil }
    var events: [(at: UInt64, isReturn: Bool, node: Int32)] = []
    events.reserveCapacity(2 * count)
    for (index, operation) in operations.enumerated() {
      events.append((operation.call, false, Int32(index)))
      if let answered = operation.answered {
        events.append((answered, true, Int32(index + operations.count)))
      }
    }
    events.sort {
      $0.at != $1.at
        ? $0.at < $1.at : $0.isReturn != $1.isReturn ? !$0.isReturn : $0.node < $1.node
    }
    next = [Int32](repeating: Int32(2 * count), count: 2 * count + 1)
    previous = next
    var last = Int32(2 * count)
    for event in events {
      next[Int(last)] = event.node
      previous[Int(event.node)] = last
      last = event.node
    }
    next[Int(last)] = Int32(2 * count)
    previous[2 * count] = last
  }

  /// Collects the operations called before the first return among those not placed, and returns
  /// the operation that returns first; `nil` when none does.
  func candidates(into candidates: inout [Int32]) -> Int? {
    candidates.removeAll(keepingCapacity: true)
    var node = Int(next[head])
    while node != head {
      if node >= count { return node - count }
      candidates.append(Int32(node))
      node = Int(next[node])
    }
    return nil
  }

  mutating func lift(_ operation: Int) {
    unlink(operation)
    if isReturning[operation] { unlink(operation + count) }
  }

  /// Gives back what was lifted; only in the reverse order.
  mutating func giveBack(_ operation: Int) {
    if isReturning[operation] { relink(operation + count) }
    relink(operation)
  }

  private mutating func unlink(_ node: Int) {
    next[Int(previous[node])] = next[node]
    previous[Int(next[node])] = previous[node]
  }

  private mutating func relink(_ node: Int) {
    next[Int(previous[node])] = Int32(node)
    previous[Int(next[node])] = Int32(node)
  }
}
