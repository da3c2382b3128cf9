import Primitives
import Testing

@Suite struct Xoshiro256Tests {
  private static func outputs(_ generator: Xoshiro256, _ count: Int) -> [UInt64] {
    var generator = generator
    return (0..<count).map { _ in generator.next() }
  }

  @Test func `the state 1, 2, 3, 4 gives the outputs of the authors' C code`() {
    let generator = Xoshiro256(state: 1, 2, 3, 4)
    #expect(
      Xoshiro256Tests.outputs(generator, 10) == [
        11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
        607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
        10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
      ])
  }

  @Test func `seeds spread by SplitMix64`() {
    #expect(
      Xoshiro256(seed: 0)
        == Xoshiro256(
          state: 0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f,
          0xf88b_b8a8_724c_81ec))
    #expect(
      Xoshiro256Tests.outputs(Xoshiro256(seed: 0), 4) == [
        0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0,
        0x6aa5_94f1_262d_2d2c,
      ])
    #expect(
      Xoshiro256Tests.outputs(Xoshiro256(seed: 0xdead_beef), 2) == [
        0xc555_5444_a74d_7e83, 0x65c3_0d37_b4b1_6e38,
      ])
  }

  @Test func `a purpose gives a sequence of its own`() {
    #expect(
      Xoshiro256Tests.outputs(Xoshiro256(seed: 7, purpose: "node 3"), 4) == [
        0xcb02_a18e_0007_bead, 0xb443_bcd6_3edf_585a, 0x1850_3fd0_bbfc_d9cf,
        0xdf9c_7f5e_8121_db47,
      ])
    #expect(Xoshiro256(seed: 7, purpose: "node 3") != Xoshiro256(seed: 7, purpose: "node 4"))
    #expect(Xoshiro256(seed: 7, purpose: "node 3") != Xoshiro256(seed: 8, purpose: "node 3"))
  }

  /// Lemire's rule in 128 bits: draw again while the low half is below 2^64 mod the bound.
  private static func lemire(_ generator: inout Xoshiro256, _ bound: UInt64) -> UInt64 {
    let threshold = UInt64((UInt128(1) << 64) % UInt128(bound))
    while true {
      let product = UInt128(generator.next()) * UInt128(bound)
      if UInt64(truncatingIfNeeded: product) >= threshold { return UInt64(product >> 64) }
    }
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `bounded draws follow the unbiased rule`(seed: UInt64) {
    let bounds: [UInt64] = [1, 2, 3, 10, 1 << 32, (1 << 63) + 1, .max, 3 << 62, 1 << 63]
    var generator = Xoshiro256(seed: seed)
    var oracle = generator
    for bound in bounds {
      for _ in 0..<20 {
        let draw = generator.next(below: bound)
        #expect(draw < bound)
        let expected = Xoshiro256Tests.lemire(&oracle, bound)
        #expect(draw == expected)
        #expect(generator == oracle)
      }
    }
  }

  @Test func `every value of a small range is drawn and none beyond`() {
    var generator = Xoshiro256(seed: 3)
    var seen: Set<UInt64> = []
    for _ in 0..<200 { seen.insert(generator.next(in: (.max - 4)...(.max))) }
    #expect(seen == Set((.max - 4)...(UInt64.max)))
    let only = generator.next(in: 9...9)
    #expect(only == 9)
    var copy = generator
    let (any, next) = (generator.next(in: 0...(.max)), copy.next())
    #expect(any == next)
  }

  @Test func `chances never and always come out as stated`() {
    var generator = Xoshiro256(seed: 4)
    let before = generator
    let never = generator.chance(.zero)
    #expect(!never && generator == before)
    let always = (0..<100).allSatisfy { _ in generator.chance(Ratio(5, in: 5)) }
    #expect(always)
    let hits = (0..<10_000).count { _ in generator.chance(Ratio(1, in: 4)) }
    #expect((2_300...2_700).contains(hits))
  }

  @Test func `shuffling permutes and reaches every order`() {
    var generator = Xoshiro256(seed: 5)
    var orders: Set<[Int]> = []
    for _ in 0..<500 {
      var elements = [1, 2, 3, 4]
      generator.shuffle(&elements)
      #expect(elements.sorted() == [1, 2, 3, 4])
      orders.insert(elements)
    }
    #expect(orders.count == 24)
    var none: [Int] = []
    generator.shuffle(&none)
    #expect(none.isEmpty)
  }

  @Test func `impossible requests stop the process`() async {
    await #expect(processExitsWith: .failure) { _ = Xoshiro256(state: 0, 0, 0, 0) }
    await #expect(processExitsWith: .failure) {
      var generator = Xoshiro256(seed: 1)
      _ = generator.next(below: UInt64(0))
    }
    await #expect(processExitsWith: .failure) {
      var generator = Xoshiro256(seed: 1)
      _ = generator.next(below: -1)
    }
    await #expect(processExitsWith: .failure) { _ = Ratio(1, in: 0) }
  }
}
