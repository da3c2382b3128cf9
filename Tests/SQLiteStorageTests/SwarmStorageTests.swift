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
}
