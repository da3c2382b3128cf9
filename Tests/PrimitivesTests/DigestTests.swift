import Primitives
import Testing

@Suite struct DigestTests {
  private static func sample(_ seed: UInt64) -> [UInt8] {
    var random = Xoshiro256(seed: seed)
    // Few distinct values, so that digests share prefixes and the order is decided late.
    let alphabet: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]
    let shared = random.next(below: 33)
    return (0..<32).map { $0 < shared ? 0x80 : alphabet[random.next(below: alphabet.count)] }
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `the order of digests is the order of their bytes`(seed: UInt64) throws {
    for step: UInt64 in 0..<32 {
      let left = DigestTests.sample(seed * 64 + step)
      let right = DigestTests.sample(seed * 64 + step + 32)
      let first = try #require(Digest(left))
      let second = try #require(Digest(right))
      #expect((first < second) == left.lexicographicallyPrecedes(right))
      #expect((second < first) == right.lexicographicallyPrecedes(left))
      #expect((first == second) == (left == right))
    }
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `bytes and hexadecimal digits round trip`(seed: UInt64) throws {
    let bytes = DigestTests.sample(seed)
    let digest = try #require(Digest(bytes))
    #expect(digest.bytes == bytes)
    #expect(digest.withBytes { Array($0) } == bytes)
    let text = digest.hexadecimal
    #expect(text.utf8.count == 64)
    #expect(Digest(hexadecimal: text) == digest)
    #expect(Digest(hexadecimal: text.uppercased()) == digest)
    #expect(text.hasPrefix(digest.short))
    #expect(digest.description == text)
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func `only 32 bytes make a digest`(count: Int) {
    #expect(Digest([UInt8](repeating: 7, count: count)) == nil)
  }

  @Test(arguments: [
    "", "0", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
    String(repeating: "0", count: 63) + "g", String(repeating: "é", count: 32),
    "+" + String(repeating: "0", count: 63),
  ])
  func `other text makes no digest`(text: String) {
    #expect(Digest(hexadecimal: text) == nil)
  }

  @Test func `digits are those of the bytes`() throws {
    let digest = try #require(Digest(Array(0..<32)))
    #expect(
      digest.hexadecimal == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
    #expect(digest.words.0 == 0x0001_0203_0405_0607)
    #expect(digest.words.3 == 0x1819_1a1b_1c1d_1e1f)
    #expect(digest.short == "00010203")
  }
}

@Suite struct HexadecimalTests {
  @Test func `every byte has two lower case digits`() {
    for byte in UInt8.min...UInt8.max {
      let digits = String(byte, radix: 16)
      let expected = digits.utf8.count == 1 ? "0" + digits : digits
      #expect(Hexadecimal.text([byte]) == expected)
      #expect(Hexadecimal.bytes(expected) == [byte])
    }
  }

  @Test(arguments: ["0", "0g", "g0", "0x", " 0", "0 ", "-1", "00\u{0}0", "é", "0０"])
  func `anything but pairs of digits is refused`(text: String) {
    #expect(Hexadecimal.bytes(text) == nil)
  }

  @Test func `no digits are no bytes`() {
    #expect(Hexadecimal.bytes("") == [])
    #expect(Hexadecimal.text([]) == "")
  }
}

@Suite struct IdentifierTests {
  private enum Kind {}
  private typealias Name = Identifier<Kind>

  @Test func `text is the form of a UUID`() throws {
    let name = try #require(Name(Array(0..<16)))
    #expect(name.description == "00010203-0405-0607-0809-0a0b0c0d0e0f")
    #expect(Name(text: "00010203-0405-0607-0809-0A0B0C0D0E0F") == name)
    #expect(name.high == 0x0001_0203_0405_0607)
    #expect(name.low == 0x0809_0a0b_0c0d_0e0f)
    #expect(name.bytes == Array(0..<16))
  }

  @Test(arguments: [
    "", "00010203-0405-0607-0809-0a0b0c0d0e0", "00010203-0405-0607-0809-0a0b0c0d0e0f0",
    "000102030405-0607-0809-0a0b0c0d0e0f-", "00010203-0405-0607-0809_0a0b0c0d0e0f",
    "0001020-30405-0607-0809-0a0b0c0d0e0f", "{0010203-0405-0607-0809-0a0b0c0d0e0f",
    "00010203-0405-0607-0809-0a0b0c0d0e\u{e9}", "00010203-0405-0607-0809-0a0b0c0d0e0g",
  ])
  func `other text names nothing`(text: String) {
    #expect(Name(text: text) == nil)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `bytes and text round trip and the order is that of the bytes`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed)
    let left = Name(high: random.next(below: 3), low: random.next())
    let right = Name(high: random.next(below: 3), low: random.next())
    #expect(Name(left.bytes) == left)
    #expect(Name(text: left.description) == left)
    #expect((left < right) == left.bytes.lexicographicallyPrecedes(right.bytes))
    #expect((right < left) == right.bytes.lexicographicallyPrecedes(left.bytes))
  }

  @Test(arguments: [0, 15, 17, 32])
  func `only 16 bytes make an identifier`(count: Int) {
    #expect(Name([UInt8](repeating: 7, count: count)) == nil)
  }

  @Test func `a truncated digest keeps its first bytes`() throws {
    let digest = try #require(Digest(Array(0..<32)))
    #expect(Name(truncating: digest).bytes == Array(0..<16))
  }
}
