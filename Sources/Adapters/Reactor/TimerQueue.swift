/// Timers in a binary heap that knows each timer's place, so that moving one costs O(log n).
///
/// Timers due at the same nanosecond fire in the order in which they were armed.
struct TimerQueue {
  private struct Timer {
    var handler: () -> Void
    var repeats: Bool
  }

  private struct Entry {
    var deadline: UInt64
    var sequence: UInt64
    var slot: Slot

    func isBefore(_ other: Entry) -> Bool {
      (deadline, sequence) < (other.deadline, other.sequence)
    }
  }

  private var timers = SlotTable<Timer>()
  private var heap: [Entry] = []
  /// The heap position of each slot index, -1 when unarmed.
  private var positions: [Int] = []
  private var sequence: UInt64 = 0

  /// The earliest deadline, or `nil` when no timer is armed.
  var earliest: UInt64? { heap.first?.deadline }

  mutating func insert(_ handler: @escaping () -> Void, repeats: Bool) -> TimerToken {
    let slot = timers.insert(Timer(handler: handler, repeats: repeats))
    while positions.count <= Int(slot.index) { positions.append(-1) }
    positions[Int(slot.index)] = -1
    return TimerToken(slot: slot)
  }

  mutating func arm(_ token: TimerToken, at deadline: UInt64) {
    precondition(timers.contains(token.slot), "\(token) was armed after it was removed")
    let place = positions[Int(token.slot.index)]
    if place >= 0 {
      if heap[place].deadline == deadline { return }
      sequence += 1
      heap[place].deadline = deadline
      heap[place].sequence = sequence
      siftUp(place)
      siftDown(positions[Int(token.slot.index)])
    } else {
      sequence += 1
      heap.append(Entry(deadline: deadline, sequence: sequence, slot: token.slot))
      positions[Int(token.slot.index)] = heap.count - 1
      siftUp(heap.count - 1)
    }
  }

  mutating func disarm(_ token: TimerToken) {
    guard timers.contains(token.slot) else { return }
    let place = positions[Int(token.slot.index)]
    if place >= 0 { removeEntry(at: place) }
  }

  mutating func remove(_ token: TimerToken) {
    disarm(token)
    timers.remove(token.slot)
  }

  /// Takes the next timer that is due, or `nil`.
  mutating func popDue(at now: UInt64) -> (() -> Void)? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    removeEntry(at: 0)
    guard let timer = timers.value(at: first.slot) else {
      preconditionFailure("an armed timer has no handler")
    }
    if !timer.repeats { timers.remove(first.slot) }
    return timer.handler
  }

  private mutating func removeEntry(at place: Int) {
    positions[Int(heap[place].slot.index)] = -1
    let last = heap.removeLast()
    guard place < heap.count else { return }
    heap[place] = last
    positions[Int(last.slot.index)] = place
    siftUp(place)
    siftDown(positions[Int(last.slot.index)])
  }

  private mutating func siftUp(_ start: Int) {
    var place = start
    while place > 0 {
      let parent = (place - 1) / 2
      guard heap[place].isBefore(heap[parent]) else { return }
      swapEntries(place, parent)
      place = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var place = start
    while true {
      var least = place
      let left = 2 * place + 1
      if left < heap.count, heap[left].isBefore(heap[least]) { least = left }
      if left + 1 < heap.count, heap[left + 1].isBefore(heap[least]) { least = left + 1 }
      guard least != place else { return }
      swapEntries(place, least)
      place = least
    }
  }

  private mutating func swapEntries(_ first: Int, _ second: Int) {
    heap.swapAt(first, second)
    positions[Int(heap[first].slot.index)] = first
    positions[Int(heap[second].slot.index)] = second
  }
}
