internal import Primitives

/// What is to happen, in order of time; of one time in the order in which it was planned.
///
/// A binary heap of small keys; the actions lie aside, so that keys move without them.
struct EventQueue<Action> {
  private struct Key {
    let nanoseconds: UInt64
    let sequence: UInt64
    let slot: Int

    static func precedes(_ left: Key, _ right: Key) -> Bool {
      left.nanoseconds != right.nanoseconds
        ? left.nanoseconds < right.nanoseconds : left.sequence < right.sequence
    }
  }

  private var heap: [Key] = []
  private var actions: [Action?] = []
  private var freeSlots: [Int] = []
  private var nextSequence: UInt64 = 0

  mutating func add(_ action: Action, at: Instant) {
    let slot: Int
    if let free = freeSlots.popLast() {
      slot = free
      actions[slot] = action
    } else {
      slot = actions.count
      actions.append(action)
    }
    let key = Key(nanoseconds: at.nanoseconds, sequence: nextSequence, slot: slot)
    nextSequence += 1
    heap.append(key)
    var hole = heap.count - 1
    while hole > 0 {
      let parent = (hole - 1) / 2
      guard Key.precedes(key, heap[parent]) else { break }
      heap[hole] = heap[parent]
      hole = parent
    }
    heap[hole] = key
  }

  /// Takes what comes next; `nil` when nothing is planned.
  mutating func removeFirst() -> (at: Instant, action: Action)? {
    guard let first = heap.first, let key = heap.popLast() else { return nil }
    if !heap.isEmpty { sink(key) }
    freeSlots.append(first.slot)
    var action: Action?
    swap(&action, &actions[first.slot])
    guard let action else { preconditionFailure("slot \(first.slot) of the queue is empty") }
    return (Instant(nanoseconds: first.nanoseconds), action)
  }

  /// Puts a key in the place of the first one, and then where it belongs.
  private mutating func sink(_ key: Key) {
    var hole = 0
    while true {
      var child = 2 * hole + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, Key.precedes(heap[child + 1], heap[child]) { child += 1 }
      guard Key.precedes(heap[child], key) else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = key
  }
}
