internal import ControlCore
internal import Primitives

/// When leases end, as the leader keeps time: a heap of instants, earliest first.
///
/// What was disarmed or armed anew stays in the heap until its time comes, and is known as void by
/// its number of renewals. Arming and taking cost O(log n).
struct LeaseTimers: Sendable {
  private struct Entry: Sendable {
    let due: Instant
    let lease: LeaseID
    let renewals: UInt64
  }

  private var heap: [Entry] = []
  /// The renewals of each armed lease. Never iterated.
  private var armed: [LeaseID: UInt64] = [:]

  /// When the first lease ends, or a void entry stands; `nil` when nothing is armed.
  var nextDue: Instant? { heap.first?.due }

  /// How many leases are armed.
  var count: Int { armed.count }

  /// Lets a lease end at an instant unless it is armed anew.
  mutating func arm(_ lease: LeaseID, renewals: UInt64, at due: Instant) {
    armed[lease] = renewals
    heap.append(Entry(due: due, lease: lease, renewals: renewals))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].due < heap[parent].due else { break }
      heap.swapAt(child, parent)
      child = parent
    }
    if heap.count > 2 * armed.count + 1_024 { compact() }
  }

  /// Forgets a lease.
  mutating func disarm(_ lease: LeaseID) {
    armed[lease] = nil
  }

  /// Forgets all leases.
  mutating func removeAll() {
    heap.removeAll()
    armed.removeAll()
  }

  /// Takes the next lease whose time has come; it stays armed until it is gone or armed anew.
  mutating func takeDue(at now: Instant) -> (lease: LeaseID, renewals: UInt64)? {
    while let first = heap.first, first.due <= now {
      removeFirst()
      if armed[first.lease] == first.renewals { return (first.lease, first.renewals) }
    }
    return nil
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].due < heap[least].due {
        least = child
      }
      if least == parent { break }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  /// Drops void entries: renewals by the thousand must not fill the memory until their time comes.
  private mutating func compact() {
    let kept = heap.filter { armed[$0.lease] == $0.renewals }
    heap = kept.sorted { $0.due < $1.due }
  }
}
