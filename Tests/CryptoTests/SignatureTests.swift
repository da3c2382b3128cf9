import Crypto
import Primitives
import Testing

/// A vector of RFC 8032, section 7.1.
struct SignatureVector: CustomTestStringConvertible, Sendable {
  var name: String
  var seed: String
  var publicKey: String
  var message: String
  var signature: String

  var testDescription: String { name }

  static let all = [
    SignatureVector(
      name: "TEST 1",
      seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      message: "",
      signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555f"
        + "b8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    SignatureVector(
      name: "TEST 2",
      seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      message: "72",
      signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da08"
        + "5ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    SignatureVector(
      name: "TEST 3",
      seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      message: "af82",
      signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18"
        + "ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    SignatureVector(
      name: "TEST SHA(abc)",
      seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
      publicKey: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
      message: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      signature: "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909"
        + "351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
  ]
}

@Suite struct SignatureTests {
  /// The order of the group, little-endian: 2^252 + 27742317777372353535851937790883648493.
  private static let order: [UInt8] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
  ]

  private static func key(_ byte: UInt8) -> SigningKey {
    SigningKey(seed: Digest(words: UInt64(byte), 2, 3, 4))
  }

  @Test(arguments: SignatureVector.all)
  func `keys and signatures are those of RFC 8032`(vector: SignatureVector) throws {
    let key = SigningKey(seed: try #require(Digest(hexadecimal: vector.seed)))
    let message = try #require(Hexadecimal.bytes(vector.message))
    #expect(key.publicKey.hexadecimal == vector.publicKey)
    let signature = key.signRaw(message)
    #expect(Hexadecimal.text(signature.bytes) == vector.signature)
    #expect(SigningKey.isValidRaw(signature, of: message, by: key.publicKey))
  }

  @Test func `the key of TEST 1024 is that of RFC 8032`() throws {
    let seed = "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5"
    let key = SigningKey(seed: try #require(Digest(hexadecimal: seed)))
    #expect(
      key.publicKey.hexadecimal
        == "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e")
  }

  @Test func `a signature with any bit flipped is refused`() throws {
    let key = SignatureTests.key(1)
    let digest = Blake2b.hash([1], .audit)
    let signature = key.sign(digest, as: .bundle)
    #expect(SigningKey.isValid(signature, of: digest, as: .bundle, by: key.publicKey))
    for bit in 0..<(Signature.byteCount * 8) {
      var bytes = signature.bytes
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let forged = try #require(Signature(bytes))
      #expect(!SigningKey.isValid(forged, of: digest, as: .bundle, by: key.publicKey))
    }
  }

  @Test func `a signature serves one key, one digest and one purpose`() {
    let key = SignatureTests.key(1)
    let digest = Blake2b.hash([1], .audit)
    for domain in SignatureDomain.allCases {
      let signature = key.sign(digest, as: domain)
      for other in SignatureDomain.allCases {
        #expect(
          SigningKey.isValid(signature, of: digest, as: other, by: key.publicKey)
            == (domain == other))
      }
      let otherDigest = Blake2b.hash([2], .audit)
      #expect(!SigningKey.isValid(signature, of: otherDigest, as: domain, by: key.publicKey))
      let otherKey = SignatureTests.key(2).publicKey
      #expect(!SigningKey.isValid(signature, of: digest, as: domain, by: otherKey))
    }
  }

  @Test func `what is signed is the domain, a zero byte and the digest`() {
    let key = SignatureTests.key(3)
    let digest = Blake2b.hash([1], .audit)
    #expect(
      key.sign(digest, as: .ticket)
        == key.signRaw(Array("swarmoracle.ticket.v1".utf8) + [0] + digest.bytes))
    #expect(SignatureDomain.allCases.allSatisfy { !$0.rawValue.utf8.contains(0) })
  }

  @Test func `a second form of one signature is refused`() throws {
    // S + L satisfies the equation as S does; RFC 8032 demands S < L.
    let key = SignatureTests.key(1)
    let signature = key.signRaw([1, 2, 3])
    var bytes = signature.bytes
    var carry = 0
    for index in 0..<32 {
      let sum = Int(bytes[32 + index]) + Int(SignatureTests.order[index]) + carry
      bytes[32 + index] = UInt8(truncatingIfNeeded: sum)
      carry = sum >> 8
    }
    #expect(carry == 0)
    let second = try #require(Signature(bytes))
    #expect(!SigningKey.isValidRaw(second, of: [1, 2, 3], by: key.publicKey))
  }

  @Test(arguments: [
    // Points of order 1, 2, 4 and 8, and one that is no canonical encoding.
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ])
  func `keys of small order sign nothing`(text: String) throws {
    let key = try #require(Digest(hexadecimal: text))
    // With a key of small order, R = identity and S = 0 satisfy the equation for some messages.
    let point = try #require(
      Digest(
        hexadecimal: "0100000000000000000000000000000000000000000000000000000000000000"))
    let forged = try #require(Signature(point.bytes + [UInt8](repeating: 0, count: 32)))
    for byte: UInt8 in 0..<64 {
      #expect(!SigningKey.isValidRaw(forged, of: [byte], by: key))
    }
  }

  @Test(arguments: [0, 63, 65])
  func `only 64 bytes make a signature`(count: Int) {
    #expect(Signature([UInt8](repeating: 0, count: count)) == nil)
  }
}

/// A signed number for the tests of `Verified`.
private struct SignedNumber: SignedValue, Equatable {
  static let signatureDomain = SignatureDomain.join
  var number: UInt64
  var signer: Digest
  var signature: Signature
  var isConsistent = true

  static func digest(of number: UInt64) -> Digest {
    var hash = Blake2b(.audit)
    hash.update(number)
    return hash.finalize()
  }

  var signedDigest: Digest { SignedNumber.digest(of: number) }

  init(_ number: UInt64, by key: SigningKey, as domain: SignatureDomain = .join) {
    self.number = number
    signer = key.publicKey
    signature = key.sign(SignedNumber.digest(of: number), as: domain)
  }
}

@Suite struct VerifiedTests {
  private let key = SigningKey(seed: Digest(words: 1, 2, 3, 4))
  private let otherKey = SigningKey(seed: Digest(words: 1, 2, 3, 5))

  @Test func `a sound value is accepted as it is`() {
    let value = SignedNumber(7, by: key)
    #expect(Verified(checking: value)?.value == value)
    #expect(Verified(own: value, signedWith: key) == Verified(checking: value))
  }

  @Test func `content other than the signed one is refused`() {
    var value = SignedNumber(7, by: key)
    value.number = 8
    #expect(Verified(checking: value) == nil)
  }

  @Test func `another signer is refused`() {
    var value = SignedNumber(7, by: key)
    value.signer = otherKey.publicKey
    #expect(Verified(checking: value) == nil)
  }

  @Test func `a signature for another purpose is refused`() {
    #expect(Verified(checking: SignedNumber(7, by: key, as: .bundle)) == nil)
  }

  @Test func `an empty signature is refused`() throws {
    var value = SignedNumber(7, by: key)
    value.signature = try #require(Signature([UInt8](repeating: 0, count: 64)))
    #expect(Verified(checking: value) == nil)
  }

  @Test func `an inconsistent value is refused whatever its signature`() {
    var value = SignedNumber(7, by: key)
    value.isConsistent = false
    #expect(Verified(checking: value) == nil)
  }

  @Test func `vouching for another's value stops the process`() async {
    await #expect(processExitsWith: .failure) {
      let key = SigningKey(seed: Digest(words: 1, 2, 3, 4))
      let otherKey = SigningKey(seed: Digest(words: 1, 2, 3, 5))
      _ = Verified(own: SignedNumber(7, by: key), signedWith: otherKey)
    }
  }
}

@Suite struct EntropyTests {
  @Test func `fresh bytes are fresh and as many as asked for`() {
    #expect(Entropy.bytes(0) == [])
    #expect(Entropy.bytes(1_000).count == 1_000)
    #expect(Entropy.digest() != Entropy.digest())
    #expect(Entropy.identifier(Never.self) != Entropy.identifier(Never.self))
  }

  @Test func `secrets are compared whole`() {
    #expect(ConstantTime.equal([], []))
    #expect(ConstantTime.equal([1, 2, 3], [1, 2, 3]))
    #expect(!ConstantTime.equal([1, 2, 3], [1, 2, 4]))
    #expect(!ConstantTime.equal([1, 2, 3], [0, 2, 3]))
    #expect(!ConstantTime.equal([1, 2, 3], [1, 2]))
  }
}
