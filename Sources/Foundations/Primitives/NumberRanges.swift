/// A set of natural numbers kept as sorted, disjoint, non-adjacent closed ranges.
///
/// Lanes use it for what was received out of order: numbers above the contiguous frontier.
///
/// Invariants:
/// - N1: ranges ascend, and at least one missing number lies between every two.
/// - N2: equal sets have equal ranges, so that equality and hashing are those of the set.
package struct NumberRanges: Hashable, Sendable {
  /// The ranges in ascending order.
  package private(set) var ranges: [ClosedRange<UInt64>] = []

  /// Makes the empty set.
  package init() {}

  /// Whether no number is in the set.
  package var isEmpty: Bool { ranges.isEmpty }

  /// How many numbers are in the set; `UInt64.max` also for the set of all 2^64 numbers. O(n) in
  /// the ranges.
  package var count: UInt64 {
    let inner = ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
    let (sum, overflow) = inner.addingReportingOverflow(UInt64(ranges.count))
    return overflow ? .max : sum
  }

  /// Whether `number` is in the set. O(log n) in the ranges.
  package func contains(_ number: UInt64) -> Bool {
    let index = position(of: number)
    return index < ranges.count && ranges[index].lowerBound <= number
  }

  /// Adds every number of `range`, merging what touches.
  package mutating func insert(_ range: ClosedRange<UInt64>) {
    var lower = range.lowerBound
    var upper = range.upperBound
    let first = position(of: lower == 0 ? 0 : lower - 1)
    var last = first
    while last < ranges.count, upper == .max || ranges[last].lowerBound <= upper + 1 {
      lower = min(lower, ranges[last].lowerBound)
      upper = max(upper, ranges[last].upperBound)
      last += 1
    }
    ranges.replaceSubrange(first..<last, with: [lower...upper])
  }

  /// Adds one number.
  package mutating func insert(_ number: UInt64) {
    insert(number...number)
  }

  /// Removes every number of `range`, splitting what it cuts.
  package mutating func remove(_ range: ClosedRange<UInt64>) {
    let first = position(of: range.lowerBound)
    var last = first
    var rest: [ClosedRange<UInt64>] = []
    while last < ranges.count, ranges[last].lowerBound <= range.upperBound {
      let present = ranges[last]
      if present.lowerBound < range.lowerBound {
        rest.append(present.lowerBound...(range.lowerBound - 1))
      }
      if present.upperBound > range.upperBound {
        rest.append((range.upperBound + 1)...present.upperBound)
      }
      last += 1
    }
    ranges.replaceSubrange(first..<last, with: rest)
  }

  /// Removes one number.
  package mutating func remove(_ number: UInt64) {
    remove(number...number)
  }

  /// Removes every number up to and including `bound`.
  package mutating func removeThrough(_ bound: UInt64) {
    let index = position(of: bound)
    ranges.removeSubrange(0..<index)
    guard let first = ranges.first, first.lowerBound <= bound else { return }
    if first.upperBound == bound {
      ranges.removeFirst()
    } else {
      ranges[0] = (bound + 1)...first.upperBound
    }
  }

  /// The parts of `range` that are not in the set, in ascending order.
  package func gaps(in range: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    var result: [ClosedRange<UInt64>] = []
    var next = range.lowerBound
    for present in ranges[position(of: range.lowerBound)...] {
      if present.lowerBound > range.upperBound { break }
      if present.lowerBound > next { result.append(next...(present.lowerBound - 1)) }
      if present.upperBound >= range.upperBound { return result }
      next = present.upperBound + 1
    }
    result.append(next...range.upperBound)
    return result
  }

  /// The index of the first range that ends at or after `number`.
  private func position(of number: UInt64) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < number {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
