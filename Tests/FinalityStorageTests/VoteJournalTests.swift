import ControlStorage
import Crypto
import FinalityStorage
import Glibc
import Primitives
import Records
import Testing

@Suite struct VoteJournalTests {
  @Test func `records come back in order after closing and after a crash`() throws {
    let directory = try TemporaryDirectory()
    let records: [[UInt8]] = [[1], [], testBytes(5_000, seed: 1), [0, 0]]
    do {
      let (journal, recovery) = try VoteJournal.open(directory)
      #expect(recovery == VoteRecovery())
      try journal.write(1, [records[0], records[1]])
      try journal.write(2, [])
      try journal.write(7, [records[2]])
      // Neither closed nor flushed further: the holder goes away as in a crash.
    }
    let (journal, recovery) = try VoteJournal.open(directory)
    #expect(recovery.records == Array(records[0...2]))
    try journal.write(1, [records[3]])
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == records)
  }

  @Test func `a checkpoint replaces everything before and the files take turns`() throws {
    let directory = try TemporaryDirectory()
    var (journal, recovery) = try VoteJournal.open(directory)
    var sequence: UInt64 = 0
    for round in UInt64(1)...5 {
      for count in UInt64(1)...3 {
        sequence += 1
        try journal.write(sequence, [testBytes(300, seed: round * 10 + count)])
      }
      sequence += 1
      try journal.write(sequence, [[UInt8(round)], [0]], isCheckpoint: true)
      sequence += 1
      try journal.write(sequence, [[UInt8(round), 1]])
      if round.isMultiple(of: 2) { try journal.close() }
      let image = JournalImage(directory.journal)
      let whole = image.files.map { $0[16] != 0 }
      #expect(whole == (round.isMultiple(of: 2) ? [true, false] : [false, true]))
      guard round.isMultiple(of: 2) else { continue }
      (journal, recovery) = try VoteJournal.open(directory)
      #expect(recovery.records == [[UInt8(round)], [0], [UInt8(round), 1]])
      sequence = 0
    }
  }

  @Test func `an empty checkpoint forgets everything`() throws {
    let directory = try TemporaryDirectory()
    let (journal, _) = try VoteJournal.open(directory)
    try journal.write(1, [[1], [2]])
    try journal.write(2, [], isCheckpoint: true)
    try journal.close()
    let (again, recovery) = try VoteJournal.open(directory)
    #expect(recovery.records.isEmpty && !recovery.isAmnesiac)
    try again.write(1, [[3]])
    try again.close()
    #expect(try VoteJournal.records(in: directory) == [[3]])
  }

  @Test func `a file grows when it is full, up to its limit`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let (journal, _) = try VoteJournal.open(directory, reports) { $0.fileBytesMax = 131_072 }
    let records = (UInt64(0)..<12).map { testBytes(8_000, seed: $0) }
    for (index, record) in records.enumerated() {
      try journal.write(UInt64(index + 1), [record])
    }
    #expect(journal.statistics.usedBytes == 8_192 * 13)
    let tooMuch = VoteStep(sequence: 20, records: [testBytes(90_000, seed: 9)])
    #expect(journal.submit(tooMuch) == .accepted)
    #expect(throws: ControlStorageFailure.self) { try journal.close() }
    #expect(reports.failures.map(\.code) == [EFBIG])
    #expect(try VoteJournal.records(in: directory) == records)
  }

  @Test func `records of several megabytes take several frames`() throws {
    let directory = try TemporaryDirectory()
    let (journal, _) = try VoteJournal.open(directory)
    let records = (UInt64(0)..<10).map { testBytes(VoteStep.recordBytesMax - 7, seed: $0) }
    try journal.write(1, records)
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == records)
  }

  @Test func `steps that wait share one write and are reported in order`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let gate = Gate()
    let (journal, _) = try VoteJournal.open(directory, reports, interception: gate.interception)
    try journal.write(1, [[1]])
    // Whichever write comes next, the mark or the step, everything else waits behind it.
    gate.arm()
    #expect(journal.submit(VoteStep(sequence: 2, records: [[2]])) == .accepted)
    gate.waitForArrival()
    for sequence in UInt64(3)...12 {
      let step = VoteStep(sequence: sequence, records: [[UInt8(sequence)]])
      #expect(journal.submit(step) == .accepted)
    }
    gate.open()
    try journal.flush()
    #expect(reports.durable.last == 12 && reports.durable == reports.durable.sorted())
    #expect(journal.statistics.groups <= 3 && journal.statistics.steps == 12)
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == (1...12).map { [$0] })
  }

  @Test func `steps before a checkpoint of the same group are not written`() throws {
    let directory = try TemporaryDirectory()
    let gate = Gate()
    let (journal, _) = try VoteJournal.open(directory, interception: gate.interception)
    gate.arm()
    #expect(journal.submit(VoteStep(sequence: 1, records: [[1]])) == .accepted)
    gate.waitForArrival()
    let steps = [
      VoteStep(sequence: 2, records: [[2]]),
      VoteStep(sequence: 3, records: [[3]], isCheckpoint: true),
      VoteStep(sequence: 4, records: [[4]]),
    ]
    for step in steps { #expect(journal.submit(step) == .accepted) }
    gate.open()
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == [[3], [4]])
  }

  @Test func `too many steps are refused until some are written`() throws {
    let directory = try TemporaryDirectory()
    let gate = Gate()
    let (journal, _) = try VoteJournal.open(directory, interception: gate.interception) {
      $0.queuedStepsMax = 2
    }
    gate.arm()
    #expect(journal.submit(VoteStep(sequence: 1, records: [[1]])) == .accepted)
    gate.waitForArrival()
    #expect(journal.submit(VoteStep(sequence: 2, records: [[2]])) == .accepted)
    #expect(journal.submit(VoteStep(sequence: 3, records: [[3]])) == .accepted)
    #expect(journal.submit(VoteStep(sequence: 4, records: [[4]])) == .busy)
    #expect(journal.statistics.refusals == 1 && journal.statistics.queuedSteps == 2)
    gate.open()
    try journal.flush()
    #expect(journal.submit(VoteStep(sequence: 4, records: [[4]])) == .accepted)
    try journal.close()
    #expect(journal.submit(VoteStep(sequence: 5, records: [[5]])) == .stopped)
  }

  @Test func `a second opening is refused until the first has closed`() throws {
    let directory = try TemporaryDirectory()
    let (journal, _) = try VoteJournal.open(directory)
    let error = #expect(throws: OpenVoteJournalError.self) { try VoteJournal.open(directory) }
    #expect(error?.reason == .locked(processIdentifier: getpid()))
    try journal.write(1, [[1]])
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == [[1]])
  }

  @Test func `the journal of another key or chain is refused`() throws {
    let directory = try TemporaryDirectory()
    try VoteJournal.open(directory).journal.close()
    let other = NodeID(key: Blake2b.hash([7], .chain))
    let foreign = OpenVoteJournalError.Reason.foreign(key: Owner.key, chain: Owner.chain)
    let error = #expect(throws: OpenVoteJournalError.self) {
      try VoteJournal.open(directory, key: other)
    }
    #expect(error?.reason == foreign)
    let second = #expect(throws: OpenVoteJournalError.self) {
      try VoteJournal.open(directory, chain: ChainID(digest: .zero))
    }
    #expect(second?.reason == foreign)
    #expect(try VoteJournal.records(in: directory).isEmpty)
  }

  @Test(arguments: [ENOSPC, EIO])
  func `after a failed write nothing is written or reported`(code: Int32) throws {
    let directory = try TemporaryDirectory()
    let reports = Reports()
    let crash = Crash(code: code)
    let (journal, _) = try VoteJournal.open(directory, reports, interception: crash.interception)
    try journal.write(1, [[1]])
    crash.arm(after: 0)
    #expect(journal.submit(VoteStep(sequence: 2, records: [[2]])) != .busy)
    #expect(throws: ControlStorageFailure.self) { try journal.flush() }
    let image = JournalImage(directory.journal)
    #expect(journal.submit(VoteStep(sequence: 3, records: [[3]])) == .stopped)
    #expect(throws: ControlStorageFailure.self) { try journal.close() }
    #expect(JournalImage(directory.journal).files == image.files)
    #expect(reports.durable == [1] && reports.failures.map(\.code) == [code])
    #expect(journal.failure?.code == code)
  }
}
