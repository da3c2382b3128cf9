import ControlStorage
import Crypto
import FinalityStorage
import Glibc
import Primitives
import Records
import Testing

/// What a key knows about what it has signed.
@Suite struct AmnesiaTests {
  @Test func `a key that has signed and lost its journal is told so until it says it is over`()
    throws
  {
    let directory = try TemporaryDirectory()
    let (first, recovery) = try VoteJournal.open(directory)
    #expect(!recovery.isAmnesiac && !TestFiles.exists(directory.marker))
    try first.write(1, [[1]])
    try first.close()
    #expect(TestFiles.exists(directory.marker))
    TestFiles.removeTree(directory.journal)
    let (second, lost) = try VoteJournal.open(directory)
    #expect(lost == VoteRecovery(records: [], isAmnesiac: true))
    try second.write(1, [[2]])
    try second.write(2, [[3]], isCheckpoint: true)
    try second.close()
    let (third, still) = try VoteJournal.open(directory)
    #expect(still == VoteRecovery(records: [[3]], isAmnesiac: true))
    try third.write(1, [[4]], isCheckpoint: true, endsAmnesia: true)
    try third.write(2, [[5]])
    try third.close()
    let (fourth, over) = try VoteJournal.open(directory)
    #expect(over == VoteRecovery(records: [[4], [5]], isAmnesiac: false))
    try fourth.close()
  }

  @Test func `a key that never signed is not told so`() throws {
    let directory = try TemporaryDirectory()
    let (first, _) = try VoteJournal.open(directory)
    try first.write(1, [])
    try first.close()
    #expect(!TestFiles.exists(directory.marker))
    TestFiles.removeTree(directory.journal)
    let (second, recovery) = try VoteJournal.open(directory)
    #expect(!recovery.isAmnesiac)
    try second.close()
  }

  @Test func `the marker of another key or chain says nothing of this one`() throws {
    let directory = try TemporaryDirectory()
    let (first, _) = try VoteJournal.open(directory)
    try first.write(1, [[1]])
    try first.close()
    TestFiles.removeTree(directory.journal)
    let other = NodeID(key: Blake2b.hash([7], .chain))
    let (second, recovery) = try VoteJournal.open(directory, key: other)
    #expect(!recovery.isAmnesiac)
    try second.write(1, [[1]])
    try second.close()
    #expect(TestFiles.read(directory.marker).count == 192)
    TestFiles.removeTree(directory.journal)
    for key in [Owner.key, other] {
      let (third, both) = try VoteJournal.open(directory, key: key)
      #expect(both.isAmnesiac)
      try third.close()
      TestFiles.removeTree(directory.journal)
    }
    let (fourth, foreign) = try VoteJournal.open(directory, chain: ChainID(digest: .zero))
    #expect(!foreign.isAmnesiac)
    try fourth.close()
  }

  @Test(arguments: [0, 40, 95])
  func `a marker that cannot be read counts for every key`(offset: Int) throws {
    let directory = try TemporaryDirectory()
    let (first, _) = try VoteJournal.open(directory)
    try first.write(1, [[1]])
    try first.close()
    var bytes = TestFiles.read(directory.marker)
    bytes[offset] ^= 1
    TestFiles.removeTree(directory.journal)
    for damaged in [bytes, Array(bytes.prefix(offset + 1))] {
      try TestFiles.write(damaged, to: directory.marker)
      let (second, recovery) = try VoteJournal.open(directory)
      #expect(recovery.isAmnesiac)
      try second.close()
      TestFiles.removeTree(directory.journal)
    }
  }

  @Test func `a journal without its marker makes it again`() throws {
    let directory = try TemporaryDirectory()
    let (first, _) = try VoteJournal.open(directory)
    try first.write(1, [[1]])
    try first.close()
    unlink(directory.marker)
    #expect(try VoteJournal.records(in: directory) == [[1]])
    #expect(TestFiles.exists(directory.marker))
  }

  @Test func `the marker is durable before the first record is written`() throws {
    let directory = try TemporaryDirectory()
    let crash = Crash()
    let (journal, _) = try VoteJournal.open(directory, interception: crash.interception)
    let before = crash.operations.count
    try journal.write(1, [[1]])
    let operations = Array(crash.operations.dropFirst(before).prefix(5))
    #expect(
      operations == [
        .open(file: "signed"),
        .write(file: "signed", offset: 0, byteCount: 96, isDurable: false),
        .sync(file: "signed"), .syncDirectory,
        .write(file: "votes-0", offset: 8_192, byteCount: 4_096, isDurable: true),
      ])
    try journal.close()
  }
}
