import Crypto
import Glibc
import Merkle
import Primitives
import Records
import SQLiteStorage
import Synchronization
import Telemetry
import Testing
import Wire

/// A directory that is removed with its holder. In memory where the system offers that: no test can
/// tell whether a sync reached a disk, and hundreds of them take their time on one.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/swarm-storage-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    try #require(made != nil)
    path = template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? ""
    }
  }

  deinit {
    TestFiles.removeTree(path)
  }
}

/// Files as the tests look at them and spoil them.
enum TestFiles {
  static func read(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: buffer[0..<count])
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Copies the databases and their write-ahead logs as a crash at this moment would leave them.
  /// The write-ahead log is taken first and the database after it would be unsound while a
  /// checkpoint runs, so the tests that copy a living directory keep checkpoints away.
  static func copyImage(from source: String, to target: String) throws {
    mkdir(target, 0o700)
    // The rows first: an image whose lanes are older than its rows could not have existed.
    for name in ["state.db", "state.db-wal", "log.db", "log.db-wal"] {
      guard exists("\(source)/\(name)") else { continue }
      try write(read("\(source)/\(name)"), to: "\(target)/\(name)")
    }
  }

  static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func removeTree(_ path: String) {
    for name in names(in: path) {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
  }
}

/// The tables of the tests: every type of column, a key of two columns, an index, only a key.
enum TestTables {
  static let notes = TableSchema(
    number: 1, name: "notes",
    columns: [.init("id", .bytes), .init("title", .text), .init("score", .integer)],
    keyColumnCount: 1, indexes: [["score", "id"]])
  static let links = TableSchema(
    number: 2, name: "links",
    columns: [.init("source", .bytes), .init("target", .integer), .init("weight", .integer)],
    keyColumnCount: 2)
  static let marks = TableSchema(
    number: 3, name: "marks", columns: [.init("id", .text)], keyColumnCount: 1)
  static let all = [notes, links, marks]
}

/// A model of a node: signs bundles into lanes and knows what storage should hold.
struct LaneAuthor {
  let key: SigningKey
  let epoch: Identifier<LaneEpoch>
  let swarm = SwarmID(identifier: Identifier(high: 7, low: 7))
  private(set) var head: LaneHead?
  private(set) var roots: [Digest] = []

  init(_ number: UInt64) {
    key = SigningKey(seed: Digest(words: number, 1, 2, 3))
    epoch = Identifier(high: number, low: 9)
  }

  var lane: LaneID { LaneID(node: NodeID(key: key.publicKey), epoch: epoch, swarm: swarm) }

  /// Signs the next bundle and appends it with head and tiles to `batch`.
  mutating func append(_ operations: [[UInt8]], to batch: inout StorageBatch) {
    let number = (head?.number ?? 0) + 1
    let header = BundleHeader(
      node: NodeID(key: key.publicKey), epoch: epoch, swarm: swarm, number: number,
      firstSequence: (head?.lastSequence ?? 0) + 1, operationCount: operations.count,
      firstTime: HybridTime(milliseconds: 1_000 + number, counter: 0), context: [],
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: head?.digest ?? .zero, bodyByteCount: SignedBundle.body(of: operations).count)
    let digest = Blake2b.hash(header.encoded, .bundleHeader)
    let signed = SignedHeader(header: header, signature: key.sign(digest, as: .bundle))
    var range = head?.range ?? MountainRange()
    range.append(signed.digest) { subtree, hash in
      if subtree.level.isMultiple(of: LaneTile.levelStep) {
        batch.tiles.append(LaneTile(lane: header.lane, subtree: subtree, hash: hash))
      }
    }
    let next = LaneHead(
      lane: header.lane, node: header.node, epoch: epoch, number: number,
      lastSequence: header.lastSequence, lastTime: header.lastTime, digest: signed.digest,
      range: range)
    head = next
    roots.append(range.root)
    batch.bundles.append(SignedBundle(signedHeader: signed, operations: operations))
    batch.heads.removeAll { $0.lane == next.lane }
    batch.heads.append(next)
  }
}

/// The rows as they should be, with the hash over them.
struct RowModel {
  private(set) var rows: [[ColumnValue]: Row] = [:]
  private(set) var hash = LatticeHash()

  /// Stores a row of `table` and appends it to `batch`.
  mutating func put(_ table: TableSchema, _ values: [ColumnValue], to batch: inout StorageBatch) {
    let row = Row(table, values)
    let key = [.integer(Int64(table.number))] + Array(values.prefix(table.keyColumnCount))
    if let old = rows[key] { hash.remove(old.digest) }
    hash.insert(row.digest)
    rows[key] = row
    batch.rows.append(row)
    batch.rowSet = hash.bytes
  }
}

/// Makes steps from a seed: a few lanes, a few rows that are often overwritten.
struct StepMaker {
  var random: Xoshiro256
  var authors: [LaneAuthor]
  var model = RowModel()
  private(set) var sequence: UInt64 = 0
  /// The frontier after step 1, 2, 3 and so on.
  private(set) var frontiers: [Frontier] = []
  /// The hash over the rows after step 1, 2, 3 and so on.
  private(set) var rowSets: [[UInt8]] = []

  init(seed: UInt64, lanes: Int = 3) {
    random = Xoshiro256(seed: seed)
    authors = (0..<lanes).map { LaneAuthor(seed &* 16 &+ UInt64($0)) }
  }

  mutating func next() -> StorageBatch {
    sequence += 1
    var batch = StorageBatch(sequence: sequence)
    for _ in 0...random.next(below: 3) {
      let author = random.next(below: authors.count)
      let operations = (0...random.next(below: 4)).map { _ in
        [UInt8](repeating: UInt8(random.next(below: 256)), count: 1 + random.next(below: 300))
      }
      authors[author].append(operations, to: &batch)
    }
    for _ in 0...random.next(below: 6) {
      let id = UInt8(random.next(below: 40))
      switch random.next(below: 3) {
      case 0:
        model.put(
          TestTables.notes,
          [.bytes([id]), .text("title \(sequence) – ä"), .integer(Int64(sequence))], to: &batch)
      case 1:
        model.put(
          TestTables.links, [.bytes([]), .integer(Int64(id)), .null], to: &batch)
      default:
        model.put(TestTables.marks, [.text("mark \(id)")], to: &batch)
      }
    }
    var frontier = frontiers.last ?? Frontier()
    for head in batch.heads {
      frontier[head.lane] = head.number
    }
    frontiers.append(frontier)
    rowSets.append(model.hash.bytes)
    return batch
  }
}

/// Collects what storage reports.
final class Reports: Sendable {
  private let durable = Mutex<UInt64>(0)
  private let failures = Mutex<[StorageFailure]>([])

  var durableSequence: UInt64 { durable.withLock { $0 } }
  var allFailures: [StorageFailure] { failures.withLock { $0 } }

  func open(
    _ directory: String, tables: [TableSchema] = TestTables.all,
    options: StorageOptions = StorageOptions()
  ) throws(OpenStorageError) -> (storage: SwarmStorage, recovery: Recovery) {
    try SwarmStorage.open(
      directory: directory, tables: tables, options: options, logger: .silent,
      onDurable: { sequence in self.durable.withLock { $0 = sequence } },
      onFailure: { failure in self.failures.withLock { $0.append(failure) } })
  }
}

extension Recovery {
  /// The hash over all rows of the test's tables, computed from the rows themselves.
  func computedRowSet() throws -> [UInt8] {
    var hash = LatticeHash()
    for table in TestTables.all {
      try forEachRow(of: table) { hash.insert($0.digest) }
    }
    return hash.bytes
  }
}
