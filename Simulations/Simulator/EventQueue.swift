internal import Primitives

/// What is to happen, in order of time; of one time in the order in which it was planned.
///
/// A binary heap of small keys; the actions lie aside, so that keys move without them.
struct EventQueue<Action> {
  private struct Key {
    let at: Instant
    let sequence: UInt64
    let slot: Int

    static func precedes(_ left: Key, _ right: Key) -> Bool {
      left.at != right.at ? left.at < right.at : left.sequence < right.sequence
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
    heap.append(Key(at: at, sequence: nextSequence, slot: slot))
    nextSequence += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Key.precedes(heap[child], heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes what comes next; `nil` when nothing is planned.
  mutating func removeFirst() -> (at: Instant, action: Action)? {
    guard !heap.isEmpty else { return nil }
    heap.swapAt(0, heap.count - 1)
    let first = heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && Key.precedes(heap[child], heap[least]) {
        least = child
      }
      if least == parent { break }
      heap.swapAt(parent, least)
      parent = least
    }
    freeSlots.append(first.slot)
    var action: Action?
    swap(&action, &actions[first.slot])
    guard let action else { preconditionFailure("slot \(first.slot) of the queue is empty") }
    return (first.at, action)
  }
}
