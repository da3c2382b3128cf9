import Primitives
import Records
import Testing
import Wire

@Suite struct FrontierTests {
  private static let lanes = (1...6).map { LaneID(digest: Digest(words: $0, 0, 0, 0)) }

  private static func random(_ random: inout Xoshiro256) -> ([LaneID: UInt64], Frontier) {
    var oracle: [LaneID: UInt64] = [:]
    var frontier = Frontier()
    for lane in lanes where random.chance(Ratio(2, in: 3)) {
      let number = random.next(below: UInt64(3))
      if number > 0 { oracle[lane] = number }
      frontier[lane] = number
    }
    return (oracle, frontier)
  }

  /// The componentwise order, over every lane there is.
  private static func ordering(
    _ left: [LaneID: UInt64], _ right: [LaneID: UInt64]
  ) -> CausalOrdering {
    let pairs = lanes.map { (left[$0, default: 0], right[$0, default: 0]) }
    let below = pairs.allSatisfy { $0 <= $1 }
    let above = pairs.allSatisfy { $0 >= $1 }
    return below ? (above ? .equal : .before) : (above ? .after : .concurrent)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `order and merging are those of the components`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for _ in 0..<20 {
      let (leftOracle, left) = FrontierTests.random(&random)
      let (rightOracle, right) = FrontierTests.random(&random)
      let ordering = FrontierTests.ordering(leftOracle, rightOracle)
      #expect(left.ordering(to: right) == ordering)
      #expect((left == right) == (ordering == .equal))
      #expect(left.covers(right) == (ordering == .equal || ordering == .after))
      var merged = left
      merged.merge(right)
      var reverse = right
      reverse.merge(left)
      #expect(merged == reverse && merged.hashValue == reverse.hashValue)
      let expected = leftOracle.merging(rightOracle) { max($0, $1) }
      #expect(merged.count == expected.count)
      for (lane, number) in merged.entries { #expect(expected[lane] == number) }
      #expect(merged.entries.map(\.lane) == expected.keys.sorted())
    }
  }

  @Test func `an absent lane is zero and zero is absent`() {
    var frontier = Frontier()
    let lane = FrontierTests.lanes[0]
    frontier[lane] = 5
    frontier.advance(lane, to: 3)
    #expect(frontier[lane] == 5)
    frontier.advance(lane, to: 7)
    #expect(frontier[lane] == 7)
    frontier[lane] = 0
    #expect(frontier == Frontier() && frontier.count == 0)
    frontier.advance(lane, to: 0)
    #expect(frontier.count == 0)
  }

  @Test func `only ascending lanes at numbers in range are read`() throws {
    func bytes(_ entries: [(UInt64, UInt64)]) -> [UInt8] {
      var writer = WireWriter()
      writer.writeVariable(UInt64(entries.count))
      for (lane, number) in entries {
        writer.write(Digest(words: lane, 0, 0, 0))
        writer.writeVariable(number)
      }
      return writer.bytes
    }
    #expect(try Frontier(decoding: bytes([(1, 1), (2, 9)])).count == 2)
    #expect(throws: WireError.notCanonical) { try Frontier(decoding: bytes([(2, 1), (1, 1)])) }
    #expect(throws: WireError.notCanonical) { try Frontier(decoding: bytes([(1, 1), (1, 2)])) }
    #expect(throws: WireError.notCanonical) { try Frontier(decoding: bytes([(1, 0)])) }
    #expect(throws: WireError.overLimit) { try Frontier(decoding: bytes([(1, 1 << 63)])) }
    let most = (1...4_096).map { (UInt64($0), UInt64(1)) }
    #expect(try Frontier(decoding: bytes(most)).count == 4_096)
    #expect(throws: WireError.overLimit) { try Frontier(decoding: bytes(most + [(5_000, 1)])) }
  }

  @Test func `a frontier that no peer would read is not written`() async {
    await #expect(processExitsWith: .failure) {
      var frontier = Frontier()
      frontier[LaneID(digest: .zero)] = 1 << 63
      _ = frontier.encoded
    }
    await #expect(processExitsWith: .failure) {
      var frontier = Frontier()
      for lane in 1...4_097 as ClosedRange<UInt64> {
        frontier[LaneID(digest: Digest(words: lane, 0, 0, 0))] = 1
      }
      _ = frontier.encoded
    }
  }
}

@Suite struct HybridTimeTests {
  @Test func `the counter carries into the milliseconds`() {
    let time = HybridTime(milliseconds: 5, counter: .max)
    #expect(time.next == HybridTime(milliseconds: 6, counter: 0))
    #expect(time.milliseconds == 5 && time.counter == 65_535)
    #expect(time < time.next && HybridTime.zero < time)
    #expect(HybridTime(milliseconds: (1 << 48) - 1, counter: .max).raw == .max)
  }

  @Test func `times that do not fit stop the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = HybridTime(milliseconds: 1 << 48, counter: 0)
    }
    await #expect(processExitsWith: .failure) { _ = HybridTime(raw: .max).next }
  }
}
