import Primitives
import Testing

@Suite struct NumberRangesTests {
  /// Where the small universe of the oracle lies: at both ends of the numbers and in the middle.
  static let origins: [UInt64] = [0, 1, 1_000, .max - 40]

  /// The ranges that hold exactly `numbers`, by walking them one by one.
  private static func ranges(of numbers: Set<UInt64>) -> [ClosedRange<UInt64>] {
    var result: [ClosedRange<UInt64>] = []
    for number in numbers.sorted() {
      if let last = result.last, last.upperBound &+ 1 == number {
        result[result.count - 1] = last.lowerBound...number
      } else {
        result.append(number...number)
      }
    }
    return result
  }

  private static func range(
    _ random: inout Xoshiro256, from origin: UInt64
  ) -> ClosedRange<UInt64> {
    let lower = random.next(below: UInt64(41))
    let upper = min(40, lower + random.next(below: UInt64(8)))
    return (origin + lower)...(origin + upper)
  }

  @Test(arguments: 0..<64 as Range<UInt64>, origins)
  func `every operation agrees with a set`(seed: UInt64, origin: UInt64) {
    var random = Xoshiro256(seed: seed)
    var ranges = NumberRanges()
    var oracle: Set<UInt64> = []
    let universe = origin...(origin + 40)
    for _ in 0..<60 {
      let range = NumberRangesTests.range(&random, from: origin)
      switch random.next(below: 8) {
      case 0:
        ranges.removeThrough(range.lowerBound)
        oracle = oracle.filter { $0 > range.lowerBound }
      case 1, 2:
        ranges.remove(range)
        oracle.subtract(range)
      case 3:
        ranges.remove(range.lowerBound)
        oracle.remove(range.lowerBound)
      case 4:
        ranges.insert(range.lowerBound)
        oracle.insert(range.lowerBound)
      default:
        ranges.insert(range)
        oracle.formUnion(range)
      }
      #expect(ranges.ranges == NumberRangesTests.ranges(of: oracle))
      #expect(ranges.count == UInt64(oracle.count))
      #expect(ranges.isEmpty == oracle.isEmpty)
      let question = NumberRangesTests.range(&random, from: origin)
      let missing = Set(question).subtracting(oracle)
      #expect(ranges.gaps(in: question) == NumberRangesTests.ranges(of: missing))
    }
    for number in universe {
      #expect(ranges.contains(number) == oracle.contains(number))
    }
  }

  @Test func `the set of all numbers holds both ends`() {
    var ranges = NumberRanges()
    ranges.insert(1...(.max))
    #expect(ranges.gaps(in: 0...(.max)) == [0...0])
    ranges.insert(0)
    #expect(ranges.ranges == [0...(.max)])
    #expect(ranges.count == .max)
    #expect(ranges.contains(0) && ranges.contains(.max))
    #expect(ranges.gaps(in: 0...(.max)).isEmpty)
    ranges.remove(.max)
    #expect(ranges.count == .max)
    ranges.remove(0)
    #expect(ranges.ranges == [1...(.max - 1)])
    ranges.insert(.max)
    ranges.removeThrough(.max)
    #expect(ranges.isEmpty)
    #expect(ranges.gaps(in: 0...(.max)) == [0...(.max)])
  }

  @Test func `neighbours merge and equal sets are equal`() {
    var one = NumberRanges()
    for number: UInt64 in [5, 1, 3, 2, 4] { one.insert(number) }
    var other = NumberRanges()
    other.insert(1...5)
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    #expect(one.ranges == [1...5])
  }
}

@Suite struct SortedMapTests {
  @Test(arguments: 0..<64 as Range<UInt64>)
  func `every operation agrees with a dictionary`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var map = SortedMap<UInt64, Int>()
    var oracle: [UInt64: Int] = [:]
    for step in 0..<300 {
      let key = random.next(below: UInt64(30))
      switch random.next(below: 5) {
      case 0:
        map[key] = nil
        oracle[key] = nil
      case 1:
        map[key, default: 100] += 1
        oracle[key, default: 100] += 1
      default:
        map[key] = step
        oracle[key] = step
      }
      let probe = random.next(below: UInt64(32))
      #expect(map[probe] == oracle[probe])
      #expect(map[probe, default: -1] == oracle[probe, default: -1])
      #expect(map.position(of: probe) == oracle.keys.count { $0 < probe })
      #expect(map.index(of: probe) == oracle.keys.sorted().firstIndex(of: probe))
    }
    #expect(map.count == oracle.count)
    #expect(map.entries.map(\.key) == oracle.keys.sorted())
    #expect(map.entries.allSatisfy { oracle[$0.key] == $0.value })
    var copy = SortedMap<UInt64, Int>()
    for key in oracle.keys { copy[key] = oracle[key] }
    #expect(copy == map)
    copy[99] = 1
    #expect(copy != map)
    map.removeAll()
    #expect(map.isEmpty)
  }
}
