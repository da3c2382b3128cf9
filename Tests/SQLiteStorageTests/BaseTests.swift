import Crypto
import Merkle
import Primitives
import Records
import SQLiteStorage
import Testing

/// Directories whose lanes begin after a base.
struct BaseTests {
  private static let tree = MerkleTree(TaggedHasher(.rangeNode))

  /// A directory made from a state in which the lane had `base` bundles, with those up to `count`
  /// stored on top, and the hashes of the lane's tree after each bundle.
  private func directory(
    base: Int, count: Int
  ) throws -> (directory: TemporaryDirectory, author: LaneAuthor, digests: [Digest]) {
    let directory = try TemporaryDirectory()
    var author = LaneAuthor(5)
    var model = RowModel()
    var history = StorageBatch(sequence: 1)
    for number in 0..<base { author.append([[1], [UInt8(number & 255)]], to: &history) }
    for id in 0..<50 {
      model.put(TestTables.notes, [.bytes([UInt8(id)]), .text("n"), .null], to: &history)
    }
    let made = try StorageImport(directory: directory.path + "/swarm", tables: TestTables.all)
    try made.add(history.rows)
    try made.finish(
      lanes: [try #require(author.head)], rowSet: model.hash.bytes, proofs: [],
      values: [("own", [7])])
    var digests = history.bundles.map(\.digest)
    let (storage, recovery) = try Reports().open(directory.path + "/swarm")
    #expect(recovery.content.wasClosed && recovery.content.stateOrigin == .kept)
    #expect(try recovery.computedRowSet() == recovery.content.rowSet)
    #expect(try storage.meta("own") == [7])
    for sequence in 1...max(1, count - base) where count > base {
      var batch = StorageBatch(sequence: UInt64(sequence))
      author.append([[2], [UInt8(sequence & 255)]], to: &batch)
      digests += batch.bundles.map(\.digest)
      while storage.submit(batch) == .busy { try storage.flush() }
    }
    try storage.close()
    return (directory, author, digests)
  }

  @Test(arguments: [
    (1, 2), (3, 9), (255, 300), (256, 300), (257, 700), (300, 300), (511, 1_030), (700, 1_300),
  ])
  func `a lane with a base is recovered, continued and verified`(base: Int, count: Int) throws {
    let (directory, author, digests) = try directory(base: base, count: count)
    let path = directory.path + "/swarm"
    let report = try Verification.run(directory: path, tables: TestTables.all)
    #expect(report.findings == [])
    #expect(report.bundles == UInt64(count - base))
    let (storage, recovery) = try Reports().open(path)
    let lane = try #require(recovery.content.lanes.first)
    #expect(lane.head == author.head)
    #expect(lane.base?.number == UInt64(base))
    #expect(lane.marks == digests[base...].map(\.words.0))
    var replayed = 0
    try recovery.forEachUnappliedBundle { _ in replayed += 1 }
    #expect(replayed == 0)
    try storage.close()
  }

  @Test(arguments: [
    (1, 2), (3, 9), (255, 600), (256, 600), (257, 700), (511, 1_030), (700, 1_300),
  ])
  func `every operation above the base is proven against every head, and none below`(
    base: Int, count: Int
  ) async throws {
    let (directory, author, digests) = try directory(base: base, count: count)
    let lane = author.lane
    let (storage, _) = try Reports().open(directory.path + "/swarm")
    var range = MountainRange()
    let hashes = digests.map { digest in
      range.append(digest)
      return range.treeHash
    }
    var random = Xoshiro256(seed: UInt64(base), purpose: "places")
    let borders = [base + 1, base + 2, 256, 257, 512, 513, 768, 1_024, count]
    let heads = borders + (0..<6).map { _ in base + 1 + random.next(below: count - base) }
    for head in Set(heads) where head > base && head <= count {
      for number in Set(borders + [base + 1 + random.next(below: head - base)])
      where number > base && number <= head {
        let place = OperationID(
          bundle: LanePosition(lane: lane, number: UInt64(number)), index: 1)
        let proof = try await storage.reading { try $0.operationProof(place, at: UInt64(head)) }
        let root = BaseTests.tree.root(
          from: digests[number - 1], at: UInt64(number - 1), in: UInt64(head),
          through: try #require(proof).lanePath)
        #expect(root == hashes[head - 1], "bundle \(number) at \(head)")
      }
      for old in Set([base, base + 1, head, 256, 512]) where old >= base && old <= head {
        let path = try await storage.reading {
          try $0.consistencyPath(of: lane, from: UInt64(old), to: UInt64(head))
        }
        #expect(
          BaseTests.tree.isConsistent(
            oldRoot: hashes[old - 1], old: UInt64(old), root: hashes[head - 1],
            count: UInt64(head), path: try #require(path)), "\(old) to \(head)")
      }
    }
    let refused = HistoryNotHeld.self
    await #expect(throws: refused) {
      try await storage.reading {
        try $0.operationProof(
          OperationID(bundle: LanePosition(lane: lane, number: UInt64(base)), index: 0),
          at: UInt64(count))
      }
    }
    if base > 1 {
      await #expect(throws: refused) {
        try await storage.reading {
          try $0.consistencyPath(of: lane, from: UInt64(base - 1), to: UInt64(count))
        }
      }
    }
    #expect(try await storage.reading { try $0.base(of: lane) } == UInt64(base))
    try storage.close()
  }

  @Test(arguments: [
    "UPDATE lane_bases SET digest = zeroblob(32)", "UPDATE lane_bases SET last_sequence = 3",
    "UPDATE lane_bases SET peaks = randomblob(length(peaks))",
    "DELETE FROM bundles WHERE number = 301",
    "UPDATE bundles SET body = randomblob(20) WHERE number = 305",
  ])
  func `damage to a lane with a base is found`(sql: String) throws {
    let (directory, _, _) = try directory(base: 300, count: 600)
    let path = directory.path + "/swarm"
    try RawDatabase.execute(sql, on: "\(path)/log.db")
    let report = try Verification.run(directory: path, tables: TestTables.all)
    #expect(!report.isSound)
  }

  @Test(arguments: [
    "DELETE FROM lane_bases", "UPDATE lane_bases SET number = 299",
    "UPDATE lane_bases SET peaks = x'00'", "DELETE FROM bundles WHERE number = 301",
    "INSERT INTO bundles SELECT id + 9999, lane_index, 300, first_sequence, operation_count, "
      + "last_time, mark, header, signature, body FROM bundles WHERE number = 301",
  ])
  func `a lane that does not fit its base refuses the directory`(sql: String) throws {
    let (directory, _, _) = try directory(base: 300, count: 310)
    try RawDatabase.execute(sql, on: "\(directory.path)/swarm/log.db")
    do throws(OpenStorageError) {
      _ = try Reports().open(directory.path + "/swarm")
      Issue.record("it was opened")
    } catch {
      guard case .logCorrupt = error.reason else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func `rows that the lanes no longer lead to are not replaced by fewer`() throws {
    let (directory, author, _) = try directory(base: 30, count: 40)
    try TestFiles.write([1, 2, 3], to: "\(directory.path)/swarm/state.db")
    do throws(OpenStorageError) {
      _ = try Reports().open(directory.path + "/swarm")
      Issue.record("it was opened")
    } catch {
      #expect(error.reason == .rowsLost(lane: author.lane, base: 30))
      #expect("\(error)".contains("state.db"))
    }
  }

  @Test func `a log of version 1 is brought forward and its lanes begin at 1`() throws {
    let directory = try TemporaryDirectory()
    var maker = StepMaker(seed: 9)
    let (first, _) = try Reports().open(directory.path)
    for _ in 0..<20 { #expect(first.submit(maker.next()) == .accepted) }
    try first.close()
    let path = "\(directory.path)/log.db"
    // What version 2 added, taken away again, is version 1.
    try RawDatabase.execute("DROP TABLE lane_bases; PRAGMA user_version = 1", on: path)
    let (storage, recovery) = try Reports().open(directory.path)
    #expect(try RawDatabase.integer("PRAGMA user_version", on: path) == 3)
    #expect(recovery.content.heads == maker.frontiers.last)
    #expect(recovery.content.lanes.allSatisfy { $0.base == nil })
    #expect(storage.submit(maker.next()) == .accepted)
    try storage.close()
    #expect(try Verification.run(directory: directory.path, tables: TestTables.all).isSound)
  }

  @Test func `what set-aside lanes hold beyond others waits, and nothing else`() throws {
    let (old, author, _) = try directory(base: 300, count: 320)
    let (new, _, _) = try directory(base: 310, count: 310)
    #expect(LaneBases.exist(in: old.path + "/swarm"))
    #expect(!LaneBases.exist(in: old.path))
    let place = new.path + "/swarm"
    for _ in 0..<2 {
      #expect(try RescuedBundles.collect(from: old.path + "/swarm/log.db", into: place) == 10)
    }
    let rescued = try #require(try RescuedBundles(directory: place))
    var held = Frontier()
    held[author.lane] = 310
    #expect(try rescued.next(holding: held, limit: 100).count == 10)
    let (storage, recovery) = try Reports().open(place)
    #expect(recovery.content.heads[author.lane] == 310)
    try storage.close()
  }

  @Test func `set-aside lanes that hold nothing more leave nothing behind`() throws {
    let (old, _, _) = try directory(base: 300, count: 320)
    let (new, _, _) = try directory(base: 320, count: 320)
    let place = new.path + "/swarm"
    #expect(try RescuedBundles.collect(from: old.path + "/swarm/log.db", into: place) == 0)
    #expect(try RescuedBundles(directory: place) == nil)
  }
}
