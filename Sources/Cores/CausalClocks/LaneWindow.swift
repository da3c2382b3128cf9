package import Primitives

/// What a node holds of one lane: all up to a head, and a bounded set of numbers parked above it.
///
/// One entry of a version vector with gaps: the "predecessors with exceptions" of Malkhi and Terry,
/// "Concise version vectors in WinFS" (2005). Numbers count from 1. A number is parked when it came
/// before its predecessor, or when its bundle waits for bundles of other lanes.
///
/// Invariants:
/// - L1: the head never goes back.
/// - L2: every parked number exceeds the head.
/// - L3: at most `parkedMax` numbers are parked. The number after the head never needs parking to
///   be taken, so a full window never stops its lane.
package struct LaneWindow: Hashable, Sendable {
  /// Where a number stands.
  package enum Place: Hashable, Sendable {
    /// At or below the head.
    case held
    /// Above the head and parked.
    case parked
    /// The one after the head, not parked.
    case next
    /// Further above the head, not parked.
    case ahead
  }

  /// What came of receiving a number.
  package enum Reception: Hashable, Sendable {
    /// It was held or parked before.
    case duplicate
    /// The head rose over these numbers: the received one and those parked behind it.
    case advanced(ClosedRange<UInt64>)
    /// It waits above a gap.
    case parked
    /// It would wait above a gap, and no more may be parked: it is to be asked for again.
    case full
  }

  /// The number up to which everything is held; 0 when nothing is.
  package private(set) var head: UInt64

  /// The parked numbers.
  package private(set) var parked = NumberRanges()

  /// How many numbers are parked.
  package private(set) var parkedCount = 0

  /// How many numbers may be parked.
  package let parkedMax: Int

  /// Makes the window of a lane held up to `head`.
  package init(head: UInt64 = 0, parkedMax: Int) {
    precondition(parkedMax >= 0, "a window that parks \(parkedMax)")
    self.head = head
    self.parkedMax = parkedMax
  }

  /// The highest number held or parked.
  package var highest: UInt64 { parked.ranges.last?.upperBound ?? head }

  /// Where `number`, which counts from 1, stands.
  package func place(of number: UInt64) -> Place {
    precondition(number > 0, "lanes count from 1")
    if number <= head { return .held }
    if parked.contains(number) { return .parked }
    return number == head + 1 ? .next : .ahead
  }

  /// Takes a number whose bundle waits for nothing but its predecessors.
  package mutating func receive(_ number: UInt64) -> Reception {
    switch place(of: number) {
    case .held, .parked: return .duplicate
    case .ahead: return park(number) ? .parked : .full
    case .next:
      let first = number
      advance(through: number)
      if let next = parked.ranges.first, next.lowerBound == head + 1 {
        advance(through: next.upperBound)
      }
      return .advanced(first...head)
    }
  }

  /// Parks a number above the head, also the next one; false when no more may be parked.
  package mutating func park(_ number: UInt64) -> Bool {
    precondition(number > head, "\(number) is held: the head is \(head)")
    if parked.contains(number) { return true }
    if parkedCount == parkedMax { return false }
    parked.insert(number)
    parkedCount += 1
    return true
  }

  /// Gives up a parked number, whose bundle was dropped.
  package mutating func unpark(_ number: UInt64) {
    guard parked.contains(number) else { return }
    parked.remove(number)
    parkedCount -= 1
  }

  /// Raises the head to `number`, whatever lay between: its bundles were applied or came with a
  /// snapshot. Does nothing when the head is there already.
  package mutating func advance(through number: UInt64) {
    guard number > head else { return }
    head = number
    parked.removeThrough(number)
    parkedCount = Int(parked.count)
    checkInvariants()
  }

  /// The numbers up to `number` that are neither held nor parked, in ascending order.
  package func missing(upTo number: UInt64) -> [ClosedRange<UInt64>] {
    number > head ? parked.gaps(in: (head + 1)...number) : []
  }

  /// Stops the process when an invariant does not hold.
  package func checkInvariants() {
    if let first = parked.ranges.first {
      precondition(first.lowerBound > head, "L2: \(first.lowerBound) parked at head \(head)")
    }
    precondition(parkedCount <= parkedMax, "L3: \(parkedCount) parked of \(parkedMax)")
    precondition(UInt64(parkedCount) == parked.count, "\(parkedCount) is not \(parked.count)")
  }
}
