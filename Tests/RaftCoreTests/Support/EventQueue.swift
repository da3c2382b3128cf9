/// Things to happen, by time and then by when they were put in: a binary heap.
struct EventQueue<Thing> {
  private struct Item {
    let time: UInt64
    let order: UInt64
    let thing: Thing

    func precedes(_ other: Item) -> Bool {
      (time, order) < (other.time, other.order)
    }
  }

  private var heap: [Item] = []
  private var nextOrder: UInt64 = 0

  /// When the next thing happens.
  var first: UInt64? { heap.first?.time }

  mutating func push(_ thing: Thing, at time: UInt64) {
    heap.append(Item(time: time, order: nextOrder, thing: thing))
    nextOrder += 1
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (time: UInt64, thing: Thing)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
          if heap[child].precedes(heap[least]) { least = child }
        }
        if least == parent { break }
        heap.swapAt(parent, least)
        parent = least
      }
    }
    return (first.time, first.thing)
  }
}
