import Crypto
import Primitives
import Records
import Testing
import Wire

@Suite struct SignedBundleTests {
  private static func bundle(_ seed: UInt64) -> (SigningKey, SignedBundle) {
    var random = Xoshiro256(seed: seed, purpose: "signed bundles")
    let key = random.key()
    let operations = random.operations(4) + [[1], [2]]
    let header = random.header(by: key, over: operations)
    let bundle = SignedBundle(
      signedHeader: SignedHeader(signing: header, with: key), operations: operations)
    return (key, bundle)
  }

  /// `bundle` with other operations.
  private static func carrying(_ operations: [[UInt8]], in bundle: SignedBundle) -> SignedBundle {
    SignedBundle(signedHeader: bundle.signedHeader, operations: operations)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `a sound bundle is accepted and keeps its digest on the wire`(seed: UInt64) throws {
    let (key, bundle) = SignedBundleTests.bundle(seed)
    #expect(Verified(checking: bundle)?.value == bundle)
    #expect(Verified(own: bundle, signedWith: key) == Verified(checking: bundle))
    let decoded = try SignedBundle(decoding: bundle.encoded)
    #expect(decoded == bundle)
    #expect(decoded.digest == bundle.digest)
    #expect(decoded.digest == Blake2b.hash(bundle.header.encoded, .bundleHeader))
    #expect(
      SignedBundle.bodyByteCount(of: bundle.operations)
        == SignedBundle.body(of: bundle.operations).count)
    #expect(bundle.signer == key.publicKey)
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func `other operations under a signed header are refused`(seed: UInt64) {
    let (_, bundle) = SignedBundleTests.bundle(seed)
    let (_, other) = SignedBundleTests.bundle(seed + 1_000)
    func refuses(_ operations: [[UInt8]]) -> Bool {
      Verified(checking: SignedBundleTests.carrying(operations, in: bundle)) == nil
    }
    #expect(refuses(other.operations))
    #expect(refuses([]))
    for index in bundle.operations.indices {
      var operations = bundle.operations
      operations[index].append(0)
      #expect(refuses(operations))
      operations = bundle.operations
      operations.remove(at: index)
      #expect(refuses(operations))
      operations = bundle.operations
      operations.insert(operations[index], at: index)
      #expect(refuses(operations))
      operations = bundle.operations
      if !operations[index].isEmpty {
        operations[index][0] ^= 1
        #expect(refuses(operations))
      }
      operations = bundle.operations
      if index > 0 && operations[index] != operations[index - 1] {
        operations.swapAt(index, index - 1)
        #expect(refuses(operations))
      }
    }
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func `other signatures on a header are refused`(seed: UInt64) throws {
    let (key, bundle) = SignedBundleTests.bundle(seed)
    let (otherKey, other) = SignedBundleTests.bundle(seed + 1_000)
    func refuses(_ signature: Signature) -> Bool {
      let header = SignedHeader(header: bundle.header, signature: signature)
      let forged = SignedBundle(signedHeader: header, operations: bundle.operations)
      return Verified(checking: header) == nil && Verified(checking: forged) == nil
    }
    #expect(!refuses(bundle.signature))
    #expect(refuses(other.signature))
    #expect(refuses(otherKey.sign(bundle.digest, as: .bundle)))
    #expect(refuses(key.sign(bundle.digest, as: .ticket)))
    #expect(refuses(key.signRaw(bundle.digest.bytes)))
    #expect(refuses(key.signRaw(bundle.header.encoded)))
    #expect(refuses(try #require(Signature([UInt8](repeating: 0, count: 64)))))
    let moved = SignedHeader(
      header: bundle.header.changing(node: NodeID(key: otherKey.publicKey)),
      signature: bundle.signature)
    #expect(Verified(checking: moved) == nil)
  }

  @Test func `a signed header over an oversized operation is refused`() {
    var random = Xoshiro256(seed: 1)
    let key = random.key()
    for count in [BundleLimits.operationBytesMax, BundleLimits.operationBytesMax + 1] {
      let operations = [[UInt8](repeating: 1, count: count)]
      let header = random.header(by: key, over: operations)
      let bundle = SignedBundle(
        signedHeader: SignedHeader(signing: header, with: key), operations: operations)
      let fits = count == BundleLimits.operationBytesMax
      #expect((Verified(checking: bundle) != nil) == fits)
      if !fits {
        #expect(throws: WireError.overLimit) { try SignedBundle(decoding: bundle.encoded) }
      }
    }
  }

  @Test func `bodies are split within their limits only`() throws {
    let most = [[UInt8]](repeating: [], count: BundleLimits.operationsMax)
    let body = SignedBundle.body(of: most)
    #expect(try SignedBundle.operations(inBody: body) == most)
    #expect(throws: WireError.overLimit) { try SignedBundle.operations(inBody: body + [0]) }
    let large = [[UInt8]](repeating: [UInt8](repeating: 7, count: 65_532), count: 4)
    #expect(SignedBundle.bodyByteCount(of: large) == 262_140)
    let full = SignedBundle.body(of: large + [[1, 2, 3]])
    #expect(full.count == BundleLimits.bodyBytesMax)
    #expect(try SignedBundle.operations(inBody: full).count == 5)
    #expect(throws: WireError.overLimit) { try SignedBundle.operations(inBody: full + [0]) }
    #expect(try SignedBundle.operations(inBody: []) == [])
    #expect(throws: WireError.truncated) { try SignedBundle.operations(inBody: [2, 1]) }
  }

  @Test func `the largest bundle fits the stated limit`() {
    #expect(BundleLimits.bytesMax >= 3 + BundleLimits.headerBytesMax + 64 + 3 + 262_144)
  }

  @Test func `signing another node's header stops the process`() async {
    await #expect(processExitsWith: .failure) {
      var random = Xoshiro256(seed: 1)
      let header = random.header(by: random.key(), over: [[1]])
      _ = SignedHeader(signing: header, with: random.key())
    }
  }
}

@Suite struct EquivocationProofTests {
  @Test(arguments: 0..<64 as Range<UInt64>)
  func `two headers for one place convict whatever their order`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed, purpose: "equivocation")
    let (one, other) = random.fork()
    let proof = try #require(EquivocationProof(checking: one, against: other))
    #expect(proof == EquivocationProof(checking: other, against: one))
    #expect(proof.first.digest < proof.second.digest)
    #expect(proof.lane == one.header.lane)
    #expect(proof.number == one.header.number)
    #expect(try EquivocationProof.decode(proof.encoded) == proof)
  }

  @Test func `a proof has one form`() throws {
    var random = Xoshiro256(seed: 1)
    let (one, other) = random.fork()
    let proof = try #require(EquivocationProof(checking: one, against: other))
    let reversed = proof.second.encoded + proof.first.encoded
    #expect(throws: WireError.notCanonical) { try EquivocationProof.decode(reversed) }
  }

  @Test func `what does not contradict convicts nobody`() throws {
    var random = Xoshiro256(seed: 2)
    let (one, other) = random.fork()
    let (stranger, _) = random.fork()
    #expect(EquivocationProof(checking: one, against: one) == nil)
    #expect(EquivocationProof(checking: one, against: stranger) == nil)
    let forged = SignedHeader(header: other.header, signature: one.signature)
    #expect(EquivocationProof(checking: one, against: forged) == nil)
    #expect(EquivocationProof(checking: forged, against: one) == nil)
    #expect(try EquivocationProof.decode(one.encoded + one.encoded) == nil)
    let resigned = SignedHeader(header: one.header, signature: other.signature)
    #expect(EquivocationProof(checking: one, against: resigned) == nil)
  }

  @Test func `two bundles in a row convict nobody`() {
    var random = Xoshiro256(seed: 3)
    let key = random.key()
    let header = random.header(by: key, over: [[1]], number: 5)
    let next = header.changing(number: 6, firstSequence: header.firstSequence + 1)
    #expect(
      EquivocationProof(
        checking: SignedHeader(signing: header, with: key),
        against: SignedHeader(signing: next, with: key)) == nil)
  }
}
