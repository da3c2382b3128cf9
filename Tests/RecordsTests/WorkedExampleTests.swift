import Crypto
import Merkle
import Primitives
import Records
import Testing
import Wire

/// The worked example of docs/protocol/wire.md, whose values were computed in Python with
/// `hashlib.blake2b` from the page alone.
@Suite struct WorkedExampleTests {
  private static let operations: [[UInt8]] = [
    Array("hello".utf8), [], [UInt8](repeating: 0, count: 200),
  ]

  private static func header() throws -> BundleHeader {
    let key = try #require(
      Digest(hexadecimal: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    let cluster = ClusterID(digest: try #require(Digest(Array(0..<32))))
    let other = try #require(Digest([UInt8](repeating: 0xee, count: 32)))
    return BundleHeader(
      node: NodeID(key: key), epoch: try #require(Identifier(Array(0..<16))),
      swarm: SwarmID(named: "main", in: cluster), number: 1, firstSequence: 1, operationCount: 3,
      firstTime: HybridTime(milliseconds: 1_700_000_000_000, counter: 7),
      context: [LanePosition(lane: LaneID(digest: other), number: 300)],
      operationsRoot: SignedBundle.operationsRoot(of: operations), previous: .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
  }

  @Test func `the header has the bytes of the page`() throws {
    let header = try WorkedExampleTests.header()
    #expect(
      Hexadecimal.text(header.encoded)
        == "01d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        + "000102030405060708090a0b0c0d0e0f069b28fb7d407c0472049dd33ebcfb0a"
        + "0101030007000068e5cf8b01"
        + "01eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeac02"
        + "921361f5c148059a59e035356dbb0ebbd4de2835919a46d1b70d5801b306fbc6"
        + "0000000000000000000000000000000000000000000000000000000000000000d1000000")
    #expect(try BundleHeader(decoding: header.encoded) == header)
  }

  @Test func `names and roots are those of the page`() throws {
    let header = try WorkedExampleTests.header()
    #expect(Hexadecimal.text(header.swarm.identifier.bytes) == "069b28fb7d407c0472049dd33ebcfb0a")
    #expect(
      header.lane.digest.hexadecimal
        == "aa26d972bd743aab25dd2a852ac8e080b00b5831a3e119567685405a4c759350")
    #expect(header.bodyByteCount == 209)
    let digest = Blake2b.hash(header.encoded, .bundleHeader)
    #expect(
      digest.hexadecimal == "9e71a7852a30fe0168004195edbf7ec0999f142494342142e60b47274b7c1124")
    var range = MountainRange()
    range.append(digest)
    #expect(
      range.root.hexadecimal
        == "2a410c8be26df127a128c341e2651a5e21afbc0ba92cc4887b96e3fc86af6177")
  }
}
