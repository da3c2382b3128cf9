import Crypto
import Primitives
import Records
import Testing
import Wire

@Suite struct MessageTests {
  @Test(arguments: MessageType.all, 0..<64 as Range<UInt64>)
  func `every message round trips`(type: MessageType, seed: UInt64) throws {
    var random = Xoshiro256(seed: seed, purpose: type.name)
    let bytes = type.sample(&random)
    #expect(!bytes.isEmpty)
    #expect(try type.reencode(bytes) == bytes)
  }

  @Test(arguments: MessageType.all, 0..<4 as Range<UInt64>)
  func `every truncation and every longer form is refused`(
    type: MessageType, seed: UInt64
  ) {
    var random = Xoshiro256(seed: seed, purpose: type.name)
    let bytes = type.sample(&random)
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try type.reencode(Array(bytes.prefix(count))) }
    }
    #expect(throws: WireError.trailingBytes) { try type.reencode(bytes + [0]) }
  }

  @Test(arguments: MessageType.all, 0..<20 as Range<UInt64>)
  func `mutated bytes are refused or the one form of another value`(
    type: MessageType, seed: UInt64
  ) {
    var random = Xoshiro256(seed: seed, purpose: type.name)
    let original = type.sample(&random)
    for _ in 0..<200 {
      let bytes = Mutation.apply(to: original, &random)
      guard bytes != original else { continue }
      // Whatever decodes has exactly one form, so it encodes to the bytes that it came from.
      guard let again = try? type.reencode(bytes) else { continue }
      #expect(again == bytes || again.isEmpty)
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a mutated bundle never verifies`(seed: UInt64) {
    var random = Xoshiro256(seed: seed, purpose: "bundles")
    let bundle = random.bundle()
    let original = bundle.encoded
    #expect(Verified(checking: bundle) != nil)
    for _ in 0..<1_000 {
      let bytes = Mutation.apply(to: original, &random)
      guard bytes != original, let decoded = try? SignedBundle(decoding: bytes) else { continue }
      #expect(Verified(checking: decoded) == nil)
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `a mutated proof never convicts`(seed: UInt64) {
    var random = Xoshiro256(seed: seed, purpose: "proofs")
    let (one, other) = random.fork()
    let original = EquivocationProof(checking: one, against: other)?.encoded ?? []
    #expect(!original.isEmpty)
    for _ in 0..<500 {
      let bytes = Mutation.apply(to: original, &random)
      guard bytes != original else { continue }
      let proof = try? EquivocationProof.decode(bytes)
      #expect(proof == nil)
    }
  }
}

/// Small damage to bytes.
enum Mutation {
  static func apply(to bytes: [UInt8], _ random: inout Xoshiro256) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.next(below: 3) where !bytes.isEmpty {
      let place = random.next(below: bytes.count)
      switch random.next(below: 7) {
      case 0, 1: bytes[place] ^= 1 << UInt8(random.next(below: 8))
      case 2: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      case 3: bytes[place] = random.chance(Ratio(1, in: 2)) ? 0xff : 0
      case 4: bytes.remove(at: place)
      case 5: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
      default:
        let end = min(bytes.count, place + random.next(below: 40))
        let target = random.next(below: bytes.count)
        bytes.insert(contentsOf: Array(bytes[place..<end]), at: target)
      }
    }
    return bytes
  }
}
