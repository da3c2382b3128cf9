import ConsensusMath
import Primitives
import Testing

@Suite struct QuorumTests {
  @Test(arguments: [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4), (100, 51)])
  func `a majority is the smallest count above half`(count: Int, size: Int) {
    #expect(Quorum.majority(of: count) == size)
  }

  @Test(arguments: [(1, 0, 1), (2, 0, 2), (3, 0, 2), (4, 1, 3), (5, 1, 4), (6, 1, 4), (7, 2, 5)])
  func `small Byzantine quorums have their known sizes`(count: Int, faults: Int, size: Int) {
    #expect(Quorum.toleratedFaults(of: count) == faults)
    #expect(Quorum.byzantine(of: count) == size)
  }

  @Test(arguments: 1...300)
  func `two Byzantine quorums share an honest voter and no smaller size does`(count: Int) {
    let faults = Quorum.toleratedFaults(of: count)
    let size = Quorum.byzantine(of: count)
    #expect(2 * size - count > faults)
    #expect(2 * (size - 1) - count <= faults)
    #expect(size <= count - faults)
    if count % 3 == 1 { #expect(size == 2 * faults + 1) }
  }

  @Test func `a quorum of nobody is a programmer's error`() async {
    await #expect(processExitsWith: .failure) { _ = Quorum.majority(of: 0) }
    await #expect(processExitsWith: .failure) { _ = Quorum.byzantine(of: -1) }
  }
}

@Suite struct LogarithmTests {
  /// ⌊log2(n) · 2^16⌋, computed with sixty decimal digits.
  static let exact: [(UInt64, Int64)] = [
    (1, 0), (2, 65_536), (3, 103_872), (5, 152_169), (6, 169_408), (7, 183_982), (9, 207_744),
    (10, 217_705), (63, 391_727), (64, 393_216), (65, 394_681), (100, 435_411), (127, 458_010),
    (255, 523_917), (1_000, 653_117), (65_535, 1_048_574), (65_537, 1_048_577),
    (999_983, 1_306_233), (2_147_483_647, 2_031_615), (4_294_967_297, 2_097_152),
    (9_007_199_254_740_993, 3_473_408), (9_223_372_036_854_775_807, 4_128_767),
    (9_223_372_036_854_775_808, 4_128_768), (18_446_744_073_709_551_615, 4_194_303),
    (17_485_029_721_327_973_432, 4_189_241), (7_283_207_964_119_141_687, 4_106_438),
    (890_727_360_438_182_992, 3_907_764), (15_149_836_622_520_594_227, 4_175_687),
    (1_736_392_818_365_009_963, 3_970_878), (10_750_541_312_280_087_032, 4_143_254),
    (16_781_078_052_021_535_861, 4_185_356), (3_960_482_443_532_127_989, 4_048_839),
  ]

  @Test(arguments: exact)
  func `a logarithm is the exact one rounded down`(number: UInt64, raw: Int64) {
    #expect(Logarithm.base2(number).raw == raw)
  }

  @Test func `logarithms rise and turn products into sums`() {
    var generator = Xoshiro256(seed: 11)
    for number in UInt64(1)..<5_000 {
      #expect(Logarithm.base2(number) <= Logarithm.base2(number + 1))
      let other = generator.next(in: 1...UInt64(UInt32.max))
      let sum = Logarithm.base2(number).raw + Logarithm.base2(other).raw
      #expect((0...1).contains(Logarithm.base2(number * other).raw - sum))
    }
  }

  @Test func `the logarithm of a fraction may be negative`() {
    #expect(Logarithm.base2(1, over: 8) == FixedPoint(-3))
    #expect(Logarithm.base2(3, over: 2).raw == 103_872 - 65_536)
  }

  @Test func `the logarithm of zero is a programmer's error`() async {
    await #expect(processExitsWith: .failure) { _ = Logarithm.base2(0) }
  }
}
