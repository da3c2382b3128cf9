import ControlStorage
import Crypto
import FinalityStorage
import Glibc
import Primitives
import Records
import Testing

/// Journals that are not what was written.
@Suite struct VoteDamageTests {
  /// Where the first frame begins.
  private static let start = 8_192

  /// The records of three frames and the files as they were when the last was reported, before the
  /// mark was written.
  private static func made() throws -> (records: [[UInt8]], image: JournalImage) {
    let directory = try TemporaryDirectory()
    let reports = Reports(watching: directory.journal)
    let (journal, _) = try VoteJournal.open(directory, reports)
    let records = (UInt64(1)...3).map { testBytes(60, seed: $0) }
    for (index, record) in records.enumerated() {
      try journal.write(UInt64(index + 1), [record])
    }
    let image = try #require(reports.image)
    // The mark of the second frame may or may not have been written before the third came.
    var unmarked = image
    for index in 4_096..<8_192 { unmarked.files[0][index] = 0 }
    return (records, unmarked)
  }

  private static func open(_ image: JournalImage) throws -> VoteRecovery {
    let directory = try TemporaryDirectory()
    try image.restore(directory.journal)
    let (journal, recovery) = try VoteJournal.open(directory)
    try journal.write(1, [[9]])
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == recovery.records + [[9]])
    return recovery
  }

  private static func refusal(_ image: JournalImage) throws -> OpenVoteJournalError.Reason? {
    let directory = try TemporaryDirectory()
    try image.restore(directory.journal)
    let error = #expect(throws: OpenVoteJournalError.self) { try VoteJournal.open(directory) }
    #expect(JournalImage(directory.journal).files == image.files)
    #expect(error?.description.contains("move the directory away") == true)
    return error?.reason
  }

  @Test func `a last frame torn at any byte is dropped and nothing else`() throws {
    let (records, image) = try VoteDamageTests.made()
    let last = VoteDamageTests.start + 2 * 4_096
    let used = 48 + 4 + 60
    for count in 0..<used {
      var zeroed = image
      for index in last + count..<last + used { zeroed.files[0][index] = 0 }
      // A byte that was zero anyway is not torn off.
      let isWhole = zeroed.files[0] == image.files[0]
      #expect(
        try VoteDamageTests.open(zeroed).records == Array(records.prefix(isWhole ? 3 : 2)),
        "\(count) bytes")
      var shortened = image
      shortened.files[0] = Array(image.files[0].prefix(last + count))
      #expect(
        try VoteDamageTests.open(shortened).records == Array(records.prefix(2)), "\(count) bytes")
    }
    #expect(try VoteDamageTests.open(image).records == records)
  }

  @Test func `a flipped bit before the last frame is refused, in it taken for a torn write`() throws
  {
    let (records, image) = try VoteDamageTests.made()
    for frame in 0..<3 {
      for offset in Array(0..<115) + [500, 4_095] {
        var flipped = image
        flipped.files[0][VoteDamageTests.start + frame * 4_096 + offset] ^= 4
        if frame < 2 {
          guard case .damaged(let file, let place, _)? = try VoteDamageTests.refusal(flipped)
          else {
            Issue.record("byte \(offset) of frame \(frame) is not missed")
            continue
          }
          #expect(file == "votes-0" && place == UInt64(VoteDamageTests.start + frame * 4_096))
        } else {
          #expect(try VoteDamageTests.open(flipped).records == Array(records.prefix(2)))
        }
      }
    }
  }

  @Test func `a frame in the place of another is refused`() throws {
    let (_, image) = try VoteDamageTests.made()
    for (source, target) in [(1, 0), (0, 1), (2, 1), (2, 0)] {
      var moved = image
      let from = VoteDamageTests.start + source * 4_096
      let to = VoteDamageTests.start + target * 4_096
      moved.files[0].replaceSubrange(to..<to + 4_096, with: image.files[0][from..<from + 4_096])
      guard case .damaged? = try VoteDamageTests.refusal(moved) else {
        Issue.record("frame \(source + 1) passes for frame \(target + 1)")
        continue
      }
    }
  }

  @Test func `nothing of a torn write is left behind`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports(watching: directory.journal)
    let (journal, _) = try VoteJournal.open(directory, reports)
    try journal.write(1, [testBytes(9_000, seed: 1)])
    var image = try #require(reports.image)
    image.files[0][VoteDamageTests.start] ^= 1
    let torn = try TemporaryDirectory()
    try image.restore(torn.journal)
    #expect(try VoteJournal.records(in: torn).isEmpty)
    let rest = JournalImage(torn.journal).files[0].dropFirst(VoteDamageTests.start)
    #expect(rest.allSatisfy { $0 == 0 })
  }

  @Test func `after closing, the loss of the last frame is refused too`() throws {
    let directory = try TemporaryDirectory()
    let (journal, _) = try VoteJournal.open(directory)
    try journal.write(1, [[1]])
    try journal.write(2, [[2]])
    try journal.close()
    var image = JournalImage(directory.journal)
    image.files[0][VoteDamageTests.start + 4_096 + 50] ^= 1
    guard case .damaged? = try VoteDamageTests.refusal(image) else {
      Issue.record("the last frame is not missed")
      return
    }
  }

  @Test func `a header that goes bad is refused, a mark that does is not missed`() throws {
    let directory = try TemporaryDirectory()
    let (journal, _) = try VoteJournal.open(directory)
    try journal.write(1, [[1]])
    try journal.write(2, [[2]], isCheckpoint: true)
    try journal.close()
    let image = JournalImage(directory.journal)
    for offset in Array(0..<145) + [4_095] {
      var flipped = image
      flipped.files[1][offset] ^= 16
      guard case .damaged? = try VoteDamageTests.refusal(flipped) else {
        Issue.record("byte \(offset) of the header is not missed")
        continue
      }
    }
    for offset in [4_096, 4_120, 4_130, 8_191] {
      var flipped = image
      flipped.files[1][offset] ^= 16
      #expect(try VoteDamageTests.open(flipped).records == [[2]])
    }
  }

  @Test func `frames of an older generation never pass for new ones`() throws {
    let directory = try TemporaryDirectory()
    let reports = Reports(watching: directory.journal)
    let (journal, _) = try VoteJournal.open(directory, reports)
    for sequence in UInt64(1)...3 { try journal.write(sequence, [[UInt8(sequence)]]) }
    try journal.write(4, [[4]], isCheckpoint: true)
    try journal.write(5, [[5]], isCheckpoint: true)
    let image = try #require(reports.image)
    // Behind the frame of the third generation still stand two of the first.
    #expect(image.files[0][VoteDamageTests.start + 4_096] != 0)
    #expect(try VoteDamageTests.open(image).records == [[5]])
  }

  @Test func `a file that is gone is made again when it was not the one that counts`() throws {
    let directory = try TemporaryDirectory()
    let (journal, _) = try VoteJournal.open(directory)
    try journal.write(1, [[1]])
    try journal.write(2, [[2]], isCheckpoint: true)
    try journal.close()
    unlink("\(directory.journal)/votes-0")
    #expect(try VoteJournal.records(in: directory) == [[2]])
    unlink("\(directory.journal)/votes-1")
    let (again, recovery) = try VoteJournal.open(directory)
    #expect(recovery == VoteRecovery(records: [], isAmnesiac: true))
    try again.close()
  }

  /// Records are the numbers of steps; a checkpoint is one record, of its own number.
  @Test(arguments: UInt64(0)..<40)
  func `whatever a crash interrupts, what was reported is there`(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var random = Xoshiro256(seed: seed)
    var held: [UInt8] = []
    var number: UInt8 = 0
    for _ in 0..<6 {
      let reports = Reports()
      let crash = Crash(seed: random.next())
      let opened = try? VoteJournal.open(directory, reports, interception: crash.interception)
      let (journal, recovery) = try #require(opened)
      #expect(recovery.records == held.map { [$0] } && !recovery.isAmnesiac)
      crash.arm(after: Int(random.next() % 14))
      var states = [held]
      var sequences: [UInt64] = [0]
      while !crash.isDown, sequences.count < 40 {
        number &+= 1
        let isCheckpoint = random.next() % 4 == 0
        let step = VoteStep(
          sequence: UInt64(sequences.count), records: [[number]], isCheckpoint: isCheckpoint)
        guard journal.submit(step) == .accepted else { break }
        sequences.append(step.sequence)
        states.append(isCheckpoint ? [number] : (states.last ?? []) + [number])
        if random.next() % 3 == 0 { try? journal.flush() }
      }
      try? journal.close()
      let recovered = try VoteJournal.records(in: directory).map { $0[0] }
      let durable = Int(reports.durable.last ?? 0)
      #expect(states[durable...].contains(recovered), "\(recovered) after \(durable) of \(states)")
      held = recovered
    }
  }

  @Test(arguments: 0..<24)
  func `opening that is interrupted can be repeated`(count: Int) throws {
    let directory = try TemporaryDirectory()
    let crash = Crash(seed: UInt64(count))
    crash.arm(after: count)
    if let (journal, _) = try? VoteJournal.open(directory, interception: crash.interception) {
      try? journal.close()
    }
    let (journal, recovery) = try VoteJournal.open(directory)
    #expect(recovery == VoteRecovery())
    try journal.write(1, [[1]])
    try journal.close()
    #expect(try VoteJournal.records(in: directory) == [[1]])
  }
}
