import Primitives
import Testing

@Suite struct FixedPointTests {
  /// Numbers of every size and both signs, the edges among them.
  private static func sample(_ random: inout Xoshiro256) -> Int64 {
    let edges: [Int64] = [
      0, 1, -1, 65_535, 65_536, 65_537, -65_535, -65_536, -65_537, .max, .min, .min + 1,
      1 << 47, (1 << 47) - 1, -(1 << 47), 1 << 31, 1 << 39,
    ]
    if random.chance(Ratio(1, in: 4)) { return edges[random.next(below: edges.count)] }
    return Int64(bitPattern: random.next()) >> Int64(random.next(below: 64))
  }

  /// The quotient of the exact numbers, rounded down: the definition, in 128 bits.
  private static func floor(_ dividend: Int128, _ divisor: Int128) -> Int128 {
    let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
    return rest != 0 && (rest < 0) != (divisor < 0) ? quotient - 1 : quotient
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `a product is the exact one rounded down`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var negative = 0
    for _ in 0..<500 {
      let left = FixedPointTests.sample(&random)
      let right = FixedPointTests.sample(&random)
      let exact = FixedPointTests.floor(Int128(left) * Int128(right), 65_536)
      guard let expected = Int64(exactly: exact) else { continue }
      negative += expected < 0 ? 1 : 0
      #expect((FixedPoint(raw: left) * FixedPoint(raw: right)).raw == expected)
    }
    #expect(negative > 50)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `a quotient is the exact one rounded toward zero`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var checked = 0
    for _ in 0..<500 {
      let left = FixedPointTests.sample(&random)
      let right = FixedPointTests.sample(&random)
      guard right != 0, let expected = Int64(exactly: Int128(left) * 65_536 / Int128(right))
      else { continue }
      checked += 1
      #expect(FixedPoint(left, over: right).raw == expected)
      #expect((FixedPoint(raw: left) / FixedPoint(raw: right)).raw == expected)
    }
    #expect(checked > 100)
  }

  @Test func `small numbers round as stated`() {
    #expect((FixedPoint(raw: -1) * FixedPoint(raw: 1)).raw == -1)
    #expect((FixedPoint(raw: 1) * FixedPoint(raw: 1)).raw == 0)
    #expect((FixedPoint(raw: -1) * FixedPoint(raw: -1)).raw == 0)
    #expect(FixedPoint(-1, over: 3).raw == -21_845)
    #expect(FixedPoint(1, over: 3).raw == 21_845)
    #expect(FixedPoint(-7) * FixedPoint(6) == FixedPoint(-42))
    #expect(FixedPoint(-42) / FixedPoint(-6) == FixedPoint(7))
    #expect(FixedPoint(3) + FixedPoint(-5) - .one == FixedPoint(-3))
    #expect(FixedPoint(-1) < .zero && .zero < FixedPoint.one)
  }

  @Test func `the largest results are reached`() {
    #expect((FixedPoint(raw: .max) * .one).raw == .max)
    #expect((FixedPoint(raw: .min) * .one).raw == .min)
    #expect((FixedPoint(raw: 1 << 39) * FixedPoint(raw: -(1 << 40))).raw == .min)
    #expect(FixedPoint((1 << 47) - 1).raw == ((1 << 47) - 1) << 16)
    #expect(FixedPoint(-(1 << 47), over: 1).raw == .min)
  }

  @Test func `a product too large stops the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = FixedPoint(raw: 1 << 39) * FixedPoint(raw: 1 << 40)
    }
    await #expect(processExitsWith: .failure) {
      _ = FixedPoint(raw: .min) * FixedPoint(raw: -65_536)
    }
    await #expect(processExitsWith: .failure) {
      _ = FixedPoint(raw: .min) * FixedPoint(raw: .min)
    }
  }

  @Test func `a quotient too large stops the process`() async {
    await #expect(processExitsWith: .failure) { _ = FixedPoint(1 << 47, over: 1) }
    await #expect(processExitsWith: .failure) { _ = FixedPoint(.max, over: 1) }
    await #expect(processExitsWith: .failure) { _ = FixedPoint(.min, over: -1) }
    await #expect(processExitsWith: .failure) { _ = FixedPoint(1, over: 0) }
  }

  @Test func `a whole number too large stops the process`() async {
    await #expect(processExitsWith: .failure) { _ = FixedPoint(1 << 47) }
    await #expect(processExitsWith: .failure) { _ = FixedPoint(.min) }
    await #expect(processExitsWith: .failure) { _ = FixedPoint(raw: .max) + FixedPoint(raw: 1) }
  }
}

@Suite struct InstantTests {
  @Test func `spans and instants saturate instead of wrapping`() {
    #expect(TimeSpan.microseconds(3).nanoseconds == 3_000)
    #expect(TimeSpan.milliseconds(3).nanoseconds == 3_000_000)
    #expect(TimeSpan.seconds(3).nanoseconds == 3_000_000_000)
    #expect(TimeSpan.seconds(.max).nanoseconds == .max)
    #expect(TimeSpan.milliseconds(.max).nanoseconds == .max)
    #expect(TimeSpan.microseconds(.max).nanoseconds == .max)
    #expect((TimeSpan.seconds(1) * .max).nanoseconds == .max)
    #expect((Instant(nanoseconds: .max) + .seconds(1)).nanoseconds == .max)
  }

  @Test func `the time since a later instant is zero`() {
    let early = Instant(nanoseconds: 5)
    let late = early + TimeSpan(nanoseconds: 7)
    #expect(late.since(early).nanoseconds == 7)
    #expect(early.since(late) == .zero)
    #expect(Instant.origin < early && early < late)
  }
}
