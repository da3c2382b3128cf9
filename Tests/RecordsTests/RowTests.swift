import Crypto
import Merkle
import Primitives
import Records
import Testing

@Suite struct RowTests {
  private static let schema = TableSchema(
    number: 0x0102, name: "things",
    columns: [
      TableSchema.Column("name", .bytes), TableSchema.Column("title", .text),
      TableSchema.Column("size", .integer),
    ], keyColumnCount: 1, indexes: [["title"], ["size", "name"]])

  @Test func `a digest covers table, types and values`() {
    let row = Row(RowTests.schema, [.bytes([1, 2]), .text("é"), .integer(-2)])
    let bytes: [UInt8] =
      [2, 1] + [3, 2, 1, 2] + [2, 2, 0xc3, 0xa9] + [1, 0xfe] + [UInt8](repeating: 0xff, count: 7)
    #expect(row.digest == Blake2b.hash(bytes, .row))
    let empty = Row(RowTests.schema, [.bytes([1, 2]), .null, .null])
    #expect(empty.digest == Blake2b.hash([2, 1, 3, 2, 1, 2, 0, 0], .row))
  }

  @Test func `texts are equal when their bytes are`() {
    let composed = ColumnValue.text("\u{e9}")
    let decomposed = ColumnValue.text("e\u{301}")
    #expect("\u{e9}" == "e\u{301}")
    #expect(composed != decomposed)
    #expect(composed == .text("\u{e9}"))
    #expect(composed.hashValue == ColumnValue.text("\u{e9}").hashValue)
    let values: [ColumnValue] = [
      .null, .integer(0), .integer(1), .text(""), .text("a"), .bytes([]), .bytes([97]),
    ]
    for (left, value) in values.enumerated() {
      for (right, other) in values.enumerated() {
        #expect((value == other) == (left == right))
      }
    }
  }

  @Test func `rows that do not fit their table stop the process`() async {
    await #expect(processExitsWith: .failure) { _ = Row(RowTests.schema, [.bytes([])]) }
    await #expect(processExitsWith: .failure) {
      _ = Row(RowTests.schema, [.bytes([]), .integer(1), .integer(1)])
    }
    await #expect(processExitsWith: .failure) {
      _ = Row(RowTests.schema, [.null, .text(""), .integer(1)])
    }
  }

  @Test func `tables that contradict themselves stop the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = TableSchema(number: 1, name: "none", columns: [], keyColumnCount: 1)
    }
    await #expect(processExitsWith: .failure) {
      _ = TableSchema(
        number: 1, name: "keys", columns: [TableSchema.Column("a", .text)], keyColumnCount: 2)
    }
    await #expect(processExitsWith: .failure) {
      _ = TableSchema(
        number: 1, name: "index", columns: [TableSchema.Column("a", .text)], keyColumnCount: 1,
        indexes: [["b"]])
    }
  }
}

@Suite struct NamesTests {
  @Test func `names are hashes of what they name`() {
    let node = NodeID(key: Digest(words: 1, 2, 3, 4))
    let cluster = ClusterID(digest: Digest(words: 5, 6, 7, 8))
    let swarm = SwarmID(named: "main", in: cluster)
    let named = Blake2b.hash(cluster.digest.bytes + Array("main".utf8), .swarm)
    #expect(swarm.identifier.bytes == Array(named.bytes.prefix(16)))
    let epoch = Identifier<LaneEpoch>(high: 9, low: 10)
    let lane = LaneID(node: node, epoch: epoch, swarm: swarm)
    #expect(
      lane.digest
        == Blake2b.hash(node.key.bytes + epoch.bytes + swarm.identifier.bytes, .lane))
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `operations are named by lane, number and index`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    let operation = OperationID(
      bundle: LanePosition(lane: LaneID(digest: random.digest()), number: random.magnitude()),
      index: random.next(below: BundleLimits.operationsMax))
    #expect(OperationID(text: operation.description) == operation)
  }

  @Test(arguments: [
    "", "-", "--", "-1-0", "LANE", "LANE-1", "LANE-1-", "LANE--0", "LANE-0-0", "LANE-+1-0",
    "LANE-1-+0", "LANE-01-0", "LANE-1-00", "LANE-1-1024", "LANE-1--1", "LANE-1-0-0", " LANE-1-0",
    "LANE-1-0 ", "LANE-9223372036854775808-0", "LANE-18446744073709551616-0", "LANE-a-0",
    "0LANE-1-0",
    "LANE-١-0",
  ])
  func `other text names no operation`(text: String) {
    let lane = String(repeating: "0a", count: 32)
    let replaced = text.split(separator: "LANE", omittingEmptySubsequences: false)
      .joined(separator: lane)
    #expect(OperationID(text: replaced) == nil)
    #expect(OperationID(text: lane + "-1-0") != nil)
  }

  @Test func `a head whose tree has another count stops the process`() async {
    await #expect(processExitsWith: .failure) {
      _ = LaneHead(
        lane: LaneID(digest: .zero), node: NodeID(key: .zero), epoch: Identifier(high: 0, low: 0),
        number: 1, lastSequence: 1, lastTime: .zero, digest: .zero, range: MountainRange())
    }
  }
}
