import Crypto
import Glibc
import Primitives
import Records
import SQLiteStorage
import Telemetry
import Testing

/// Crashes: what a copy of the files at any moment, a cut log or a killed process leaves behind.
struct CrashTests {
  /// Checks that a directory holds exactly the first so many steps, at least `durable` of them, and
  /// that its rows reflect a prefix of those.
  private func expectPrefix(
    _ path: String, of maker: StepMaker, atLeast durable: UInt64
  ) throws {
    let (storage, recovery) = try Reports().open(path)
    let content = recovery.content
    let frontiers = [Frontier()] + maker.frontiers
    let steps = try #require(frontiers.firstIndex(of: content.heads), "heads between two steps")
    #expect(steps >= Int(durable))
    let rowSteps = try #require(frontiers.firstIndex(of: content.applied), "rows between two steps")
    #expect(rowSteps <= steps)
    #expect(content.heads.covers(content.applied))
    if rowSteps > 0 {
      #expect(content.rowSet == maker.rowSets[rowSteps - 1])
      #expect(try recovery.computedRowSet() == maker.rowSets[rowSteps - 1])
    }
    try expectReplay(recovery, reaches: content.heads)
    for lane in content.lanes {
      #expect(lane.times.count == Int(lane.head.number))
    }
    try storage.close()
    let report = try Verification.run(directory: path, tables: TestTables.all)
    #expect(report.findings == [])
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `a copy taken at any moment opens with all that was durable`(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let images = try TemporaryDirectory()
    var maker = StepMaker(seed: seed)
    var random = Xoshiro256(seed: seed, purpose: "copies")
    let reports = Reports()
    let (storage, _) = try reports.open(directory.path)
    var durable: [UInt64] = []
    for _ in 0..<60 {
      #expect(storage.submit(maker.next()) == .accepted)
      if random.chance(Ratio(1, in: 20)) { try storage.flush() }
      if random.chance(Ratio(1, in: 20)) {
        durable.append(reports.durableSequence)
        try TestFiles.copyImage(from: directory.path, to: "\(images.path)/\(durable.count)")
      }
    }
    durable.append(reports.durableSequence)
    try TestFiles.copyImage(from: directory.path, to: "\(images.path)/\(durable.count)")
    try storage.close()
    for (index, sequence) in durable.enumerated() {
      try expectPrefix("\(images.path)/\(index + 1)", of: maker, atLeast: sequence)
    }
  }

  /// A directory that was never closed, so that everything is still in the write-ahead logs.
  private func unclosed(
    seed: UInt64, steps: Int = 40
  ) throws -> (image: TemporaryDirectory, maker: StepMaker) {
    let directory = try TemporaryDirectory()
    let image = try TemporaryDirectory()
    var maker = StepMaker(seed: seed)
    let (storage, _) = try Reports().open(directory.path)
    for _ in 0..<steps {
      #expect(storage.submit(maker.next()) == .accepted)
      if maker.sequence.isMultiple(of: 4) { try storage.flush() }
    }
    try storage.flush()
    try TestFiles.copyImage(from: directory.path, to: image.path)
    try storage.close()
    return (image, maker)
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `rows whose log is cut fall back to a prefix`(seed: UInt64) throws {
    let (image, maker) = try unclosed(seed: seed)
    var random = Xoshiro256(seed: seed, purpose: "cut")
    let path = "\(image.path)/state.db-wal"
    let bytes = TestFiles.read(path)
    try TestFiles.write(Array(bytes.prefix(random.next(below: bytes.count))), to: path)
    try expectPrefix(image.path, of: maker, atLeast: 40)
  }

  @Test(arguments: 0..<32 as Range<UInt64>)
  func `lanes whose log is cut fall back to a prefix or are refused`(seed: UInt64) throws {
    let (image, maker) = try unclosed(seed: seed)
    var random = Xoshiro256(seed: seed, purpose: "cut")
    let path = "\(image.path)/log.db-wal"
    let bytes = TestFiles.read(path)
    try TestFiles.write(Array(bytes.prefix(random.next(below: bytes.count))), to: path)
    do throws(OpenStorageError) {
      let (storage, recovery) = try Reports().open(image.path)
      #expect(recovery.content.heads.covers(recovery.content.applied))
      withExtendedLifetime(storage) {}
    } catch {
      guard case .logBehindState(let lane, let held, let applied) = error.reason else {
        Issue.record("refused for \(error.reason)")
        return
      }
      #expect(held < applied && applied <= maker.frontiers[39][lane])
    }
    // Without the rows, which could tell, the lanes alone are a sound prefix.
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
      unlink("\(image.path)/\(name)")
    }
    try expectPrefix(image.path, of: maker, atLeast: 0)
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `a flipped byte is noticed or harmless`(seed: UInt64) throws {
    let (image, maker) = try unclosed(seed: seed % 4, steps: 12)
    let isClosed = seed.isMultiple(of: 2)
    do {
      let (storage, _) = try Reports().open(image.path)
      if isClosed { try storage.close() }
    }
    var random = Xoshiro256(seed: seed, purpose: "flip")
    let file = random.chance(Ratio(1, in: 2)) ? "log.db" : "state.db"
    var bytes = TestFiles.read("\(image.path)/\(file)")
    let place = random.next(below: bytes.count)
    bytes[place] ^= UInt8(1 + random.next(below: 255))
    try TestFiles.write(bytes, to: "\(image.path)/\(file)")
    do throws(OpenStorageError) {
      let (storage, recovery) = try Reports().open(image.path)
      guard recovery.content.stateOrigin == .kept else { return }
      let report = try? Verification.run(directory: image.path, tables: TestTables.all)
      if let report, report.isSound {
        #expect(recovery.content.heads == maker.frontiers[11])
        let rowSet = try? recovery.computedRowSet()
        #expect(rowSet == maker.rowSets[11])
      }
      withExtendedLifetime(storage) {}
    } catch {
      #expect(!error.description.isEmpty)
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `a killed process loses nothing that it was told is durable`(seed: UInt64) async throws {
    let directory = try TemporaryDirectory()
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = directory.path as String, seed = seed as UInt64] in
      var random = Xoshiro256(seed: seed, purpose: "kill")
      let victim = 5 + UInt64(random.next(below: 40))
      let told = open("\(path)/told", O_WRONLY | O_CREAT, 0o600)
      var options = StorageOptions()
      options.queuedBatchesMax = 16
      let (storage, _) = try SwarmStorage.open(
        directory: path, tables: TestTables.all, options: options, logger: .silent,
        onDurable: { sequence in
          var number = sequence
          pwrite(told, &number, 8, 0)
          if sequence >= victim { kill(getpid(), SIGKILL) }
        }, onFailure: { _ in exit(3) })
      var maker = StepMaker(seed: seed)
      while true {
        let batch = maker.next()
        while storage.submit(batch) != .accepted {
          sched_yield()
        }
      }
    }
    let told = TestFiles.read("\(directory.path)/told")
    try #require(told.count == 8)
    let durable = told.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    #expect(durable >= 5)
    var maker = StepMaker(seed: seed)
    for _ in 0..<(durable + 64) {
      _ = maker.next()
    }
    try expectPrefix(directory.path, of: maker, atLeast: durable)
  }

  @Test func `a full disk stops storage for good and loses nothing durable`() async throws {
    let directory = try TemporaryDirectory()
    await #expect(processExitsWith: .success) {
      [path = directory.path as String] in
      var maker = StepMaker(seed: 5)
      let reports = Reports()
      do {
        let (storage, _) = try reports.open(path)
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit(rlim_cur: 600_000, rlim_max: rlim_t.max)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
        while storage.submit(maker.next()) == .accepted {
          do { try storage.flush() } catch { break }
        }
        limit.rlim_cur = rlim_t.max
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
        try #require(storage.submit(maker.next()) == .stopped)
        try #require(storage.failure != nil)
        #expect(throws: StorageFailure.self) { try storage.flush() }
        #expect(throws: StorageFailure.self) { try storage.setMeta("a", [1]) }
        #expect(throws: StorageFailure.self) { try storage.close() }
        // The report comes from the writer's thread, which has ended by now.
        try #require(reports.allFailures.count == 1)
      }
      let (again, recovery) = try Reports().open(path)
      try #require(!recovery.content.wasClosed)
      let durable = Int(reports.durableSequence)
      try #require(durable > 0)
      try #require(recovery.content.heads.covers(maker.frontiers[durable - 1]))
      try again.close()
      let report = try Verification.run(directory: path, tables: TestTables.all)
      try #require(report.isSound)
    }
  }
}
