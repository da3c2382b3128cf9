import Primitives
import Testing

@Suite struct ChunkedMapTests {
  private typealias Map = ChunkedMap<UInt64, UInt64>

  /// An unsorted list of entries: the rules in their plainest form.
  private struct Oracle {
    var entries: [(key: UInt64, value: UInt64)] = []

    func value(_ key: UInt64) -> UInt64? { entries.first { $0.key == key }?.value }

    mutating func set(_ key: UInt64, _ value: UInt64?) {
      entries.removeAll { $0.key == key }
      if let value { entries.append((key, value)) }
    }

    var sorted: [[UInt64]] { entries.map { [$0.key, $0.value] }.sorted { $0[0] < $1[0] } }
  }

  private func pairs(_ entries: some Sequence<(key: UInt64, value: UInt64)>) -> [[UInt64]] {
    entries.map { [$0.key, $0.value] }
  }

  private func expectEqual(_ map: Map, _ oracle: Oracle) {
    #expect(map.brokenInvariant == nil)
    #expect(map.count == oracle.entries.count)
    #expect(map.isEmpty == oracle.entries.isEmpty)
    #expect(pairs(map) == oracle.sorted)
    #expect(map.first?.key == oracle.sorted.first?[0])
    #expect(map.last?.key == oracle.sorted.last?[0])
  }

  private func step(_ map: inout Map, _ oracle: inout Oracle, _ draw: inout Xoshiro256) {
    let key = draw.next(below: UInt64(900))
    let value = draw.next()
    switch draw.next(below: 12) {
    case 0...5:
      map[key] = value
      oracle.set(key, value)
    case 6...7:
      let removed = map.removeValue(forKey: key)
      #expect(removed == oracle.value(key))
      oracle.set(key, nil)
    case 8:
      let position = map.search(key)
      #expect(position.isFound == (oracle.value(key) != nil))
      if position.isFound {
        map[position] &+= 1
        oracle.set(key, oracle.value(key).map { $0 &+ 1 })
      } else {
        map.insert(key, value, at: position)
        oracle.set(key, value)
      }
    case 9:
      let first = map.popFirst()
      let expected = oracle.sorted.first
      #expect(first?.key == expected?[0] && first?.value == expected?[1])
      if let expected { oracle.set(expected[0], nil) }
    case 10:
      #expect(map[key] == oracle.value(key))
      #expect(map.contains(key) == (oracle.value(key) != nil))
      #expect(pairs(map.entries(from: key)) == oracle.sorted.filter { $0[0] >= key })
      #expect(pairs(map.entries(after: key)) == oracle.sorted.filter { $0[0] > key })
    default:
      map[key] = nil
      oracle.set(key, nil)
    }
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `it does what a plain list does`(seed: UInt64) {
    var draw = Xoshiro256(seed: seed)
    var map = Map()
    var oracle = Oracle()
    for round in 0..<700 {
      step(&map, &oracle, &draw)
      if round % 50 == 0 { expectEqual(map, oracle) }
    }
    let cut = draw.next(below: UInt64(900))
    let removed = map.removeAll(below: cut)
    #expect(removed == oracle.entries.count { $0.key < cut })
    oracle.entries.removeAll { $0.key < cut }
    expectEqual(map, oracle)
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `it grows and shrinks through many chunks`(seed: UInt64) {
    var draw = Xoshiro256(seed: seed)
    var keys = (0..<3_000 as Range<UInt64>).map { $0 * 3 }
    draw.shuffle(&keys)
    var map = Map()
    for (round, key) in keys.enumerated() {
      map[key] = key + 1
      if round % 500 == 0 { #expect(map.brokenInvariant == nil) }
    }
    #expect(pairs(map) == keys.sorted().map { [$0, $0 + 1] })
    draw.shuffle(&keys)
    for (round, key) in keys.enumerated() {
      let removed = map.removeValue(forKey: key)
      #expect(removed == key + 1)
      if round % 200 == 0 { #expect(map.brokenInvariant == nil) }
    }
    #expect(map.isEmpty && map.brokenInvariant == nil)
    #expect(map.first == nil && map.last == nil)
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `a copy keeps what it held`(seed: UInt64) {
    var draw = Xoshiro256(seed: seed, purpose: "copies")
    var map = Map()
    var oracle = Oracle()
    var copies: [(map: Map, content: [[UInt64]])] = []
    for round in 0..<1_000 {
      step(&map, &oracle, &draw)
      if round % 200 == 100 { copies.append((map, oracle.sorted)) }
    }
    for copy in copies { #expect(pairs(copy.map) == copy.content) }
    for copy in copies { #expect(copy.map.brokenInvariant == nil) }
  }

  @Test func `what is appended fills whole chunks and leaves in order`() {
    let all = (0..<1_000 as Range<UInt64>).map { (key: $0, value: $0 * 2) }
    var map = Map(sorted: all)
    #expect(map.brokenInvariant == nil)
    #expect(map == Map(sorted: all) && map != Map(sorted: all.dropLast()))
    for next in 0..<400 as Range<UInt64> {
      let popped = map.popFirst()
      #expect(popped?.key == next)
      map.append(next + 1_000, 0)
      #expect(map.count == 1_000)
    }
    #expect(map.brokenInvariant == nil)
    let removed = map.removeAll(below: 2_000)
    #expect(removed == 1_000 && map.isEmpty && map.brokenInvariant == nil)
    let none = map.removeAll(below: 2_000)
    #expect(none == 0)
  }

  @Test func `entries out of order stop the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = ChunkedMap<Int, Int>(sorted: [(key: 2, value: 0), (key: 2, value: 0)])
    }
    await #expect(processExitsWith: .failure) {
      var map = ChunkedMap<Int, Int>()
      map.remove(at: map.search(1))
    }
  }
}

@Suite struct ByteOrderTests {
  @Test(arguments: 0..<32 as Range<UInt64>)
  func `bytes are ordered one by one, a prefix first`(seed: UInt64) {
    var draw = Xoshiro256(seed: seed)
    for _ in 0..<200 {
      // Few values and a shared start, so that all lengths of common prefixes occur.
      let shared = (0..<draw.next(below: 20)).map { _ in UInt8(draw.next(below: 3)) }
      let left = shared + (0..<draw.next(below: 10)).map { _ in UInt8(0x7f + draw.next(below: 3)) }
      let right = shared + (0..<draw.next(below: 10)).map { _ in UInt8(0x7f + draw.next(below: 3)) }
      #expect(left.precedes(right) == left.lexicographicallyPrecedes(right))
      #expect(!left.precedes(left))
    }
  }
}
