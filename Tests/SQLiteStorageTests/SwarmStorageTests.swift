import Crypto
import Primitives
import Records
import SQLiteStorage
import Testing

/// Opening, writing, closing and opening again.
struct SwarmStorageTests {
  @Test func `a new directory is empty and counts as closed`() throws {
    let directory = try TemporaryDirectory()
    let (storage, recovery) = try Reports().open("\(directory.path)/swarm")
    #expect(recovery.content.lanes.isEmpty)
    #expect(recovery.content.applied == Frontier())
    #expect(recovery.content.wasClosed)
    #expect(recovery.content.stateOrigin == .created)
    try storage.close()
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `what was durable is found again`(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var maker = StepMaker(seed: seed)
    let reports = Reports()
    let (storage, _) = try reports.open(directory.path)
    for _ in 0..<50 {
      #expect(storage.submit(maker.next()) == .accepted)
    }
    try storage.flush()
    #expect(reports.durableSequence == 50)
    try storage.close()
    #expect(storage.submit(maker.next()) == .stopped)

    let (again, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.wasClosed)
    #expect(recovery.content.stateOrigin == .kept)
    #expect(recovery.content.heads == maker.frontiers[49])
    #expect(recovery.content.applied == maker.frontiers[49])
    #expect(recovery.content.rowSet == maker.rowSets[49])
    #expect(try recovery.computedRowSet() == maker.rowSets[49])
    for lane in recovery.content.lanes {
      #expect(lane.times.count == Int(lane.head.number))
      #expect(lane.times.last == lane.head.lastTime)
    }
    try again.close()
    #expect(reports.allFailures.isEmpty)
  }

  @Test func `long write-ahead logs are moved while steps go on`() throws {
    let directory = try TemporaryDirectory()
    var options = StorageOptions()
    options.checkpointPages = 32
    var maker = StepMaker(seed: 4)
    let reports = Reports()
    let (storage, _) = try reports.open(directory.path, options: options)
    while storage.statistics.checkpoints < 6, maker.sequence < 20_000 {
      #expect(storage.submit(maker.next()) == .accepted)
      try storage.flush()
    }
    #expect(storage.statistics.checkpoints >= 6)
    #expect(storage.statistics.batches == maker.sequence)
    let last = maker.frontiers.count - 1
    try storage.close()
    #expect(TestFiles.read("\(directory.path)/log.db-wal").isEmpty)
    #expect(TestFiles.read("\(directory.path)/state.db-wal").isEmpty)
    let (again, recovery) = try Reports().open(directory.path)
    #expect(recovery.content.heads == maker.frontiers[last])
    #expect(try recovery.computedRowSet() == maker.rowSets[last])
    try again.close()
    #expect(reports.allFailures.isEmpty)
  }

  @Test func `a step out of order is a broken rule`() async throws {
    let directory = try TemporaryDirectory()
    await #expect(processExitsWith: .failure) {
      [path = directory.path as String] in
      let (storage, _) = try Reports().open(path)
      #expect(storage.submit(StorageBatch(sequence: 2)) == .accepted)
      _ = storage.submit(StorageBatch(sequence: 2))
    }
  }
}
