import Glibc
import Primitives
import Records
import SQLiteStorage
import Telemetry
import Testing
import Wire

/// A byte that changes on the disk is found, wherever it stands, unless it says nothing.
struct FlipTests {
  /// Small databases, closed, with two lanes, rows, a proof and named values.
  static func closedDirectory() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    var maker = StepMaker(seed: 5, lanes: 2)
    let (storage, _) = try Reports().open(directory.path)
    try storage.setMeta("node.cluster", [1, 2, 3, 4])
    try storage.setMeta("node.epoch", [UInt8](repeating: 7, count: 16))
    for _ in 0..<8 { try #require(storage.submit(maker.next()) == .accepted) }
    var first = StorageBatch(sequence: 1)
    var second = StorageBatch(sequence: 1)
    var author = LaneAuthor(90)
    var fork = LaneAuthor(90)
    author.append([[1]], to: &first)
    fork.append([[2]], to: &second)
    var proofs = StorageBatch(sequence: maker.sequence + 1)
    proofs.proofs = [
      try #require(
        EquivocationProof(
          checking: first.bundles[0].signedHeader, against: second.bundles[0].signedHeader))
    ]
    try #require(storage.submit(proofs) == .accepted)
    try storage.close()
    return directory
  }

  /// What a database says, for the judgement whether a byte is in use: each value of each table as
  /// SQLite reads it, by the trees of the tables alone.
  static func tables(of file: String) -> [String] {
    file == "log.db"
      ? ["lanes", "bundles", "tiles", "proofs", "meta"]
      : ["notes", "links", "marks", "applied", "row_set", "state_meta"]
  }

  /// Every how many bytes one is flipped: no divisor of a page, so that all places within pages
  /// come up. The smaller the number the more a run takes.
  private static let stride = 211

  @Test(arguments: ["log.db", "state.db"])
  func `a flipped byte is found or means nothing`(file: String) throws {
    let directory = try FlipTests.closedDirectory()
    let path = "\(directory.path)/\(file)"
    let image = TestFiles.read(path)
    try #require(image.count > 20_000)
    let content = try #require(RawDatabase.content(of: FlipTests.tables(of: file), in: path))
    var found = 0
    var unused = 0
    for offset in Swift.stride(from: 0, to: image.count, by: FlipTests.stride) {
      var flipped = image
      flipped[offset] ^= offset.isMultiple(of: 3) ? 0xff : 1 << UInt8(offset % 8)
      for name in ["log.db-wal", "log.db-shm", "state.db-wal", "state.db-shm"] {
        unlink("\(directory.path)/\(name)")
      }
      try TestFiles.write(flipped, to: path)
      let report = try? Verification.run(directory: directory.path, tables: TestTables.all)
      if report?.isSound != true {
        found += 1
        continue
      }
      unused += 1
      #expect(
        RawDatabase.content(of: FlipTests.tables(of: file), in: path) == content,
        "the byte at \(offset) says something else and nobody noticed")
    }
    // Most bytes of a small database are free space; those of its content are far from few.
    #expect(found > 20, "\(found) found, \(unused) unused")
  }

  /// A place of `needle` whose third byte is part of what the database says: pages keep bytes of
  /// rows that were replaced.
  private static func placeInUse(
    of needle: [UInt8], in image: [UInt8], _ file: String, _ directory: String
  ) throws -> Int? {
    let probe = "\(directory)/probe"
    defer { unlink(probe) }
    try TestFiles.write(image, to: probe)
    let content = RawDatabase.content(of: tables(of: file), in: probe)
    for place in image.places(of: needle).reversed() {
      var flipped = image
      flipped[place + 2] ^= 0xff
      try TestFiles.write(flipped, to: probe)
      if RawDatabase.content(of: tables(of: file), in: probe) != content { return place }
    }
    return nil
  }

  @Test(arguments: ["log.db", "state.db"])
  func `a flipped byte of a database in use is found by reading it through`(file: String) throws {
    let directory = try FlipTests.closedDirectory()
    let path = "\(directory.path)/\(file)"
    let image = TestFiles.read(path)
    let damages = Damages()
    let (storage, _) = try SwarmStorage.open(
      directory: directory.path, tables: TestTables.all, logger: .silent, onDurable: { _ in },
      onFailure: { _ in }, onDamage: { damages.add($0) })
    guard case .sound(let bytes) = damages.scrub(storage) else {
      Issue.record("a sound directory is not found sound")
      return
    }
    #expect(bytes > 40_000)
    #expect(damages.all.isEmpty)
    var maker = StepMaker(seed: 5, lanes: 2)
    let header = maker.next().bundles[0].header.encoded
    let needle = file == "log.db" ? header : Array("title ".utf8)
    let place = try #require(
      try FlipTests.placeInUse(of: needle, in: image, file, directory.path))
    try TestFiles.flip(path, at: place + 2)
    let outcome = damages.scrub(storage)
    guard case .damaged(let damage) = outcome else {
      Issue.record("the flipped byte was not found: \(outcome)")
      return
    }
    #expect(damage.file.name == file)
    #expect(damages.all == [damage])
    #expect(storage.scrubStatistics.rounds == 1)
    #expect(storage.scrubStatistics.findings > 0)
    try? storage.close()
  }

  @Test func `a corrupt bundle is damage when it is read for a peer`() throws {
    let directory = try FlipTests.closedDirectory()
    try RawDatabase.execute(
      "UPDATE bundles SET body = x'0201ff0102' WHERE id = 2", on: "\(directory.path)/log.db")
    let damages = Damages()
    let (storage, recovery) = try SwarmStorage.open(
      directory: directory.path, tables: TestTables.all, logger: .silent, onDurable: { _ in },
      onFailure: { _ in }, onDamage: { damages.add($0) })
    let read = Answers<Int>()
    let lanes = recovery.content.lanes.map(\.head)
    for head in lanes {
      _ = storage.read { reader in
        try reader.bundles(of: head.lane, from: 1, to: head.number, bytesMax: 1 << 20).count
      } completion: {
        read.add((try? $0.get()) ?? -1)
      }
    }
    let counts = read.wait(for: lanes.count)
    #expect(counts.count { $0 < 0 } == 1)
    #expect(damages.all.map(\.file) == [.log])
    try storage.close()
  }

  @Test(arguments: 0..<2 as Range<UInt64>)
  func `a directory that is written to is found sound, whatever moves meanwhile`(seed: UInt64)
    throws
  {
    let directory = try TemporaryDirectory()
    let damages = Damages()
    var options = StorageOptions()
    options.checkpointPages = 24
    let (storage, _) = try SwarmStorage.open(
      directory: directory.path, tables: TestTables.all, options: options, logger: .silent,
      onDurable: { _ in }, onFailure: { _ in }, onDamage: { damages.add($0) })
    var maker = StepMaker(seed: seed, lanes: 2)
    let outcomes = Answers<ScrubOutcome>()
    var rounds = 0
    for _ in 0..<160 {
      if outcomes.all.count == rounds {
        rounds += 1
        storage.scrub { outcomes.add($0) }
      }
      try #require(storage.submit(maker.next()) == .accepted)
      if maker.sequence.isMultiple(of: 8) {
        try storage.setMeta("counter", [UInt8(maker.sequence & 0xff)])
      }
    }
    for outcome in outcomes.wait(for: rounds) {
      guard case .sound = outcome else {
        Issue.record("\(outcome)")
        continue
      }
    }
    #expect(damages.all.isEmpty)
    #expect(rounds > 1)
    try storage.close()
  }
}
