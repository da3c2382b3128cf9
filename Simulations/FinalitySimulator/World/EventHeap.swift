package import Primitives

/// Events in order of time, and of making where times are equal: the order never depends on memory.
package struct EventHeap<Payload: Sendable>: Sendable {
  private struct Entry: Sendable {
    let instant: Instant
    let number: UInt64
    let payload: Payload

    func precedes(_ other: Entry) -> Bool {
      instant == other.instant ? number < other.number : instant < other.instant
    }
  }

  private var entries: [Entry] = []
  private var made: UInt64 = 0

  /// Nothing happens yet.
  package init() {}

  /// How many events are to come.
  package var count: Int { entries.count }

  /// When the earliest event happens.
  package var earliest: Instant? { entries.first?.instant }

  /// Adds an event.
  package mutating func push(_ payload: Payload, at instant: Instant) {
    made += 1
    entries.append(Entry(instant: instant, number: made, payload: payload))
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].precedes(entries[parent]) else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the earliest event.
  package mutating func pop() -> (instant: Instant, payload: Payload)? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    guard !entries.isEmpty else { return (first.instant, first.payload) }
    entries[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
        if entries[child].precedes(entries[least]) { least = child }
      }
      guard least != parent else { break }
      entries.swapAt(parent, least)
      parent = least
    }
    return (first.instant, first.payload)
  }
}
