import Crypto
import Merkle
import Primitives
import Records
import SQLiteStorage
import Synchronization
import Telemetry
import Testing
import Wire

/// Reads beside the writer: rows, bundles and the limits of the queue.
struct ReaderTests {
  @Test func `rows come with their types, in order and up to the limit`() async throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    var model = RowModel()
    var batch = StorageBatch(sequence: 1)
    for id in 0..<10 {
      model.put(
        TestTables.notes, [.bytes([UInt8(id)]), .text("n\(id)"), .integer(Int64(id % 3))],
        to: &batch)
    }
    model.put(TestTables.links, [.bytes([]), .integer(-1), .null], to: &batch)
    #expect(storage.submit(batch) == .accepted)
    try storage.flush()

    let notes = try await storage.reading {
      try $0.rows(
        "SELECT id, title FROM notes WHERE score = ? ORDER BY id", parameters: [.integer(0)],
        limit: 2)
    }
    #expect(notes == [[.bytes([0]), .text("n0")], [.bytes([3]), .text("n3")]])
    let links = try await storage.reading { try $0.rows("SELECT * FROM links", limit: 5) }
    #expect(links == [[.bytes([]), .integer(-1), .null]])
    let indexes = try await storage.reading {
      try $0.rows("EXPLAIN QUERY PLAN SELECT id FROM notes WHERE score = 1", limit: 9)
    }
    #expect("\(indexes)".contains("notes_index_1"))
    try storage.close()
  }

  @Test(arguments: [
    "DELETE FROM notes", "INSERT INTO marks VALUES ('a')", "SELECT nothing FROM notes",
    "SELECT 1; SELECT 2", "", "PRAGMA query_only=OFF; DELETE FROM notes",
  ])
  func `a reader refuses what is no single query`(sql: String) async throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    await #expect(throws: SQLiteError.self) {
      try await storage.reading { try $0.rows(sql, limit: 1) }
    }
    try storage.close()
  }

  @Test func `a reader goes on after a failed read`() async throws {
    let directory = try TemporaryDirectory()
    var options = StorageOptions()
    options.readerCount = 1
    let (storage, _) = try Reports().open(directory.path, options: options)
    for _ in 0..<3 {
      await #expect(throws: SQLiteError.self) {
        try await storage.reading { try $0.rows("SELECT wrong", limit: 1) }
      }
    }
    // More distinct texts than statements are kept.
    for number in 0..<200 {
      let rows = try await storage.reading { try $0.rows("SELECT \(number)", limit: 1) }
      #expect(rows == [[.integer(Int64(number))]])
    }
    try storage.close()
  }

  @Test func `a work sees the rows of one moment`() async throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    let counts = try await storage.reading { reader in
      let before = try reader.rows("SELECT count(*) FROM marks", limit: 1)
      var batch = StorageBatch(sequence: 1)
      var model = RowModel()
      model.put(TestTables.marks, [.text("later")], to: &batch)
      #expect(storage.submit(batch) == .accepted)
      try storage.flush()
      return [before, try reader.rows("SELECT count(*) FROM marks", limit: 1)]
    }
    #expect(counts == [[[.integer(0)]], [[.integer(0)]]])
    let after = try await storage.reading { try $0.rows("SELECT count(*) FROM marks", limit: 1) }
    #expect(after == [[.integer(1)]])
    try storage.close()
  }

  @Test func `a full queue of reads answers busy and a closed one stopped`() throws {
    let directory = try TemporaryDirectory()
    var options = StorageOptions()
    options.readerCount = 1
    options.queuedReadsMax = 3
    let (storage, _) = try Reports().open(directory.path, options: options)
    let gate = Mutex(true)
    let isInside = Atomic<Bool>(false)
    let done = Atomic<Int>(0)
    let count: @Sendable (Result<Int, any Error>) -> Void = { _ in
      done.add(1, ordering: .sequentiallyConsistent)
    }
    gate.withLock { _ in
      let blocked = storage.read(
        { _ in
          isInside.store(true, ordering: .sequentiallyConsistent)
          return gate.withLock { $0 ? 1 : 0 }
        }, completion: count)
      #expect(blocked == .accepted)
      while !isInside.load(ordering: .sequentiallyConsistent) {}
      for _ in 0..<3 {
        #expect(storage.read({ _ in 2 }, completion: count) == .accepted)
      }
      #expect(storage.read({ _ in 3 }, completion: count) == .busy)
    }
    try storage.close()
    #expect(done.load(ordering: .sequentiallyConsistent) == 4)
    #expect(storage.read({ _ in 5 }, completion: count) == .stopped)
  }

  @Test func `a full queue of steps answers busy and takes nothing`() throws {
    let directory = try TemporaryDirectory()
    var options = StorageOptions()
    options.queuedBatchesMax = 2
    let gate = Mutex(true)
    let isInside = Atomic<Bool>(false)
    let (storage, _) = try SwarmStorage.open(
      directory: directory.path, tables: TestTables.all, options: options, logger: .silent,
      onDurable: { _ in
        isInside.store(true, ordering: .sequentiallyConsistent)
        gate.withLock { _ in }
      }, onFailure: { Issue.record($0) })
    var maker = StepMaker(seed: 1)
    gate.withLock { _ in
      #expect(storage.submit(maker.next()) == .accepted)
      while !isInside.load(ordering: .sequentiallyConsistent) {}
      #expect(!storage.isFull)
      #expect(storage.submit(maker.next()) == .accepted)
      #expect(storage.submit(maker.next()) == .accepted)
      #expect(storage.isFull)
      #expect(storage.statistics.pendingBatches == 2)
      var late = maker
      #expect(storage.submit(late.next()) == .busy)
    }
    try storage.flush()
    #expect(storage.submit(maker.next()) == .accepted)
    try storage.close()
    #expect(storage.statistics.batches == 4)
    #expect(storage.statistics.groups <= 3)
    let (again, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads == maker.frontiers[3])
    try again.close()
  }

  @Test func `bundles come in their wire form within the byte limit`() async throws {
    let directory = try TemporaryDirectory()
    let (storage, _) = try Reports().open(directory.path)
    var author = LaneAuthor(1)
    var batch = StorageBatch(sequence: 1)
    for number in 0..<20 {
      author.append([[UInt8](repeating: UInt8(number), count: 100), [1], []], to: &batch)
    }
    let expected = batch.bundles.map(\.encoded)
    #expect(storage.submit(batch) == .accepted)
    try storage.flush()
    let lane = author.lane
    let read = { @Sendable (from: UInt64, to: UInt64, bytes: Int) in
      try await storage.reading { try $0.bundles(of: lane, from: from, to: to, bytesMax: bytes) }
    }
    #expect(try await read(1, 20, 1 << 20) == expected)
    #expect(try await read(19, .max, 1 << 20) == Array(expected[18...]))
    #expect(try await read(3, 4, 1 << 20) == Array(expected[2...3]))
    #expect(try await read(3, 9, 1) == [expected[2]])
    #expect(try await read(3, 9, expected[2].count * 2) == Array(expected[2...3]))
    #expect(try await read(21, 30, 1 << 20).isEmpty)
    #expect(try await read(4, 3, 1 << 20).isEmpty)
    let position = LanePosition(lane: lane, number: 7)
    let bundle = try await storage.reading { try $0.bundle(at: position) }
    #expect(bundle?.encoded == expected[6])
    let unknown = LanePosition(lane: LaneAuthor(2).lane, number: 1)
    #expect(try await storage.reading { try $0.bundle(at: unknown) } == nil)
    try storage.close()
  }
}

extension SwarmStorage {
  /// Reads and waits for the result.
  func reading<Value: Sendable>(
    _ work: @escaping @Sendable (Reader) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let answer = read(work) { continuation.resume(with: $0) }
      if answer != .accepted { continuation.resume(throwing: StorageRefusal(answer: answer)) }
    }
  }
}

/// A read that was not taken.
struct StorageRefusal: Error {
  let answer: SubmitResult
}
