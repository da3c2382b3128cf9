import Crypto
import Primitives
import Testing

@Suite struct Blake2bTests {
  private static let salt = Identifier<HashSalt>(
    high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)

  private static func counting(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0) }
  }

  @Test(arguments: Blake2bVectors.tags)
  func `every tag hashes as the reference implementation does`(
    tag: HashTag, plain: String, salted: String
  ) {
    #expect(Blake2b.hash(Array("abc".utf8), tag).hexadecimal == plain)
    #expect(
      Blake2b.hash(Blake2bTests.counting(300), tag, salt: Blake2bTests.salt).hexadecimal == salted)
  }

  @Test func `every tag has a vector`() {
    #expect(Blake2bVectors.tags.map(\.tag) == HashTag.allCases)
  }

  @Test func `names of tags fit the field and differ from each other`() {
    for tag in HashTag.allCases {
      #expect(tag.rawValue.utf8.count <= 16)
      #expect(tag.rawValue.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    }
    #expect(Set(HashTag.allCases.map(\.rawValue)).count == HashTag.allCases.count)
  }

  @Test(arguments: Blake2bVectors.counts)
  func `messages of every length hash as the reference implementation does`(
    count: Int, digest: String
  ) {
    #expect(Blake2b.hash(Blake2bTests.counting(count), .audit).hexadecimal == digest)
  }

  @Test func `parts hash like their concatenation`() throws {
    let digest = try #require(Digest(Array(0..<32)))
    let name = Identifier<HashSalt>(truncating: digest)
    for salt in [Identifier<HashSalt>.none, Blake2bTests.salt] {
      var hash = Blake2b(.row, salt: salt)
      hash.update([1, 2, 3])
      hash.update(digest)
      hash.update(UInt64(0x0102_0304_0506_0708))
      hash.update(name)
      let whole: [UInt8] =
        [1, 2, 3] + digest.bytes + [8, 7, 6, 5, 4, 3, 2, 1] + digest.bytes.prefix(16)
      #expect(hash.finalize() == Blake2b.hash(whole, .row, salt: salt))
    }
  }

  @Test func `a node hashes the bytes of its children in order`() throws {
    let left = try #require(Digest(Array(0..<32)))
    let right = try #require(Digest(Array(32..<64)))
    #expect(
      Blake2b.hash(left, right, .rangeNode) == Blake2b.hash(Array(0..<64), .rangeNode))
    #expect(Blake2b.hash(left, right, .rangeNode) != Blake2b.hash(right, left, .rangeNode))
    #expect(Blake2b.hash(left, right, .rangeNode) != Blake2b.hash(left, right, .operationNode))
  }
}

@Suite struct LatticeHashTests {
  private static func digest(_ byte: UInt8) -> Digest {
    Blake2b.hash([byte], .audit)
  }

  /// Sums of 16 bits, one at a time.
  private static func sums(_ bytes: [UInt8]) -> [UInt16] {
    stride(from: 0, to: bytes.count, by: 2).map {
      UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
    }
  }

  @Test func `five elements have the digest of an independent computation`() throws {
    // Computed in Python with hashlib.blake2b and a plain ChaCha20 (Bernstein 2008).
    var hash = LatticeHash()
    #expect(
      hash.digest.hexadecimal
        == "3c0918a86b63029a0e58be2fb136f587c82e463b8741e8382cf37cb1c511db2f")
    for byte: UInt8 in 0..<5 {
      hash.insert(try #require(Digest([UInt8](repeating: byte, count: 32))))
    }
    #expect(Hexadecimal.text(hash.bytes.prefix(8)) == "3795101965506948")
    #expect(
      hash.digest.hexadecimal
        == "bb5db743fa4a00e6d3d0fcdaa66dd85d1a25f4d629b59f54691e9557f2013fec")
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `sums wrap in 16 bits without touching their neighbours`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var hash = LatticeHash()
    var oracle = [UInt16](repeating: 0, count: 1_024)
    for _ in 0..<20 {
      let element = LatticeHashTests.digest(UInt8(random.next(below: 16)))
      var alone = LatticeHash()
      alone.insert(element)
      let sums = LatticeHashTests.sums(alone.bytes)
      if random.chance(Ratio(1, in: 3)) {
        hash.remove(element)
        for index in 0..<1_024 { oracle[index] &-= sums[index] }
      } else {
        hash.insert(element)
        for index in 0..<1_024 { oracle[index] &+= sums[index] }
      }
      #expect(LatticeHashTests.sums(hash.bytes) == oracle)
    }
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `the order of changes does not matter`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var kept = LatticeHash()
    for byte: UInt8 in 0..<8 { kept.insert(LatticeHashTests.digest(byte)) }
    // 8 to 15 come and go, in whatever order, the leaving before the coming among them.
    var changes = (0..<16).map { (UInt8($0), true) } + (8..<16).map { (UInt8($0), false) }
    random.shuffle(&changes)
    var hash = LatticeHash()
    for (byte, adding) in changes {
      if adding {
        hash.insert(LatticeHashTests.digest(byte))
      } else {
        hash.remove(LatticeHashTests.digest(byte))
      }
    }
    #expect(hash == kept)
    #expect(hash.digest == kept.digest)
  }

  @Test func `the state is stored and restored`() throws {
    var hash = LatticeHash()
    hash.insert(LatticeHashTests.digest(1))
    let bytes = hash.bytes
    #expect(bytes.count == LatticeHash.byteCount)
    let restored = try #require(LatticeHash(bytes))
    #expect(restored == hash)
    #expect(restored.bytes == bytes)
    #expect(LatticeHash([]) == nil)
    #expect(LatticeHash(Array(bytes.dropLast())) == nil)
    #expect(LatticeHash(bytes + [0]) == nil)
  }

  @Test func `twice the same element is not once`() {
    var once = LatticeHash()
    once.insert(LatticeHashTests.digest(1))
    var twice = once
    twice.insert(LatticeHashTests.digest(1))
    #expect(once.digest != twice.digest)
    #expect(once.digest != LatticeHash().digest)
  }
}
