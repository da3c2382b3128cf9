import ControlStorage
import Glibc
import Primitives
import Records
import Testing

/// What becomes of files that a crash has torn or that have changed since they were written.
@Suite struct DamageTests {
  static let log = "log-00000000000000000001"
  static let block = 4_096

  /// A log of three frames at blocks 1 to 3, one entry each, as a crash leaves it.
  private func makeImage(
    _ directory: TemporaryDirectory, close: Bool = false
  ) throws -> (path: String, log: [UInt8]) {
    let storage = try ControlStorage.open(directory.control).storage
    for index in UInt64(1)...3 {
      try storage.write(
        .step(index, term: 1, vote: 5, entries: RaftEntry.run(index...index, term: 1)))
    }
    if close { try storage.close() }
    let image = "\(directory.path)/image"
    try TestFiles.copyTree(from: directory.control, to: image)
    return (image, TestFiles.read("\(image)/\(DamageTests.log)"))
  }

  /// How many bytes of the frame at a block are not padding.
  private func usedBytes(_ log: [UInt8], _ block: Int) -> Int {
    let start = block * DamageTests.block
    return (log[start..<start + DamageTests.block].lastIndex { $0 != 0 } ?? start) + 1 - start
  }

  @Test func `the last frame torn or cut at every byte is dropped and nothing else`() throws {
    let directory = try TemporaryDirectory()
    let (image, log) = try makeImage(directory)
    let path = "\(image)/\(DamageTests.log)"
    let start = 3 * DamageTests.block
    let used = usedBytes(log, 3)
    #expect(used > 110)
    for kept in 0...used {
      let whole = kept == used
      var torn = log
      for offset in start + kept..<start + DamageTests.block { torn[offset] = 0 }
      try TestFiles.write(torn, to: path)
      try expectEntries(image, through: whole ? 3 : 2)
      try TestFiles.write(Array(log[..<(start + kept)]), to: path)
      try expectEntries(image, through: 2)
    }
  }

  /// Opens the image twice, with a step in between: what was dropped does not come back.
  private func expectEntries(_ image: String, through last: UInt64) throws {
    let first = try ControlStorage.open(image)
    try #require(first.recovery.entries == RaftEntry.run(1...last, term: 1))
    try #require(first.recovery.hardState == RaftHardState(term: 1, vote: RaftID(5)))
    let next = RaftEntry.run(last + 1...last + 1, term: 1, byteCount: 1)
    try first.storage.write(.step(1, term: 1, vote: 5, entries: next))
    // Opened as after a crash: closing would be one more thing that could help.
    let copy = "\(image).again"
    try TestFiles.copyTree(from: image, to: copy)
    let second = try ControlStorage.open(copy)
    try #require(second.recovery.entries == RaftEntry.run(1...last, term: 1) + next)
  }

  @Test func `a frame of which any block is missing is dropped`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(.step(1, term: 1, entries: RaftEntry.run(1...2, term: 1)))
    try storage.write(.step(2, term: 1, entries: RaftEntry.run(3...8, term: 1, byteCount: 5_000)))
    let image = "\(directory.path)/image"
    try TestFiles.copyTree(from: directory.control, to: image)
    for block in 2...9 {
      let path = "\(image)/\(DamageTests.log)"
      let log = TestFiles.read(path)
      let start = block * DamageTests.block
      try TestFiles.patch(path, at: start, Array(repeating: 0, count: DamageTests.block))
      let opened = try ControlStorage.open(image)
      #expect(opened.recovery.entries == RaftEntry.run(1...2, term: 1))
      try opened.storage.close()
      try TestFiles.copyTree(from: directory.control, to: image)
      #expect(TestFiles.read(path) == log)
    }
  }

  @Test func `every flipped byte of a log is found`() throws {
    let directory = try TemporaryDirectory()
    let (image, log) = try makeImage(directory)
    let path = "\(image)/\(DamageTests.log)"
    for offset in offsetsToFlip(log) {
      try TestFiles.patch(path, at: offset, [log[offset] ^ 0x10])
      let report = try ControlStorage.inspect(image)
      switch offset / DamageTests.block {
      case 0, 1, 2:
        try #require(!report.damages.isEmpty, "byte \(offset)")
        try #require(report.damages[0].file == DamageTests.log)
      default:
        try #require(report.damages.isEmpty, "byte \(offset)")
        try #require(report.tornWrite?.file == DamageTests.log)
        try #require(report.tornWrite?.offset == UInt64(max(3, offset / 4_096) * 4_096))
        try #require(report.entries == 1...(offset / 4_096 == 3 ? 2 : 3))
      }
      try TestFiles.patch(path, at: offset, [log[offset]])
    }
    #expect(throws: Never.self) { try ControlStorage.open(image) }
  }

  /// All bytes that carry something and some of the others, up to a block after the last frame.
  private func offsetsToFlip(_ log: [UInt8]) -> [Int] {
    (0..<5).flatMap { block -> [Int] in
      let start = block * DamageTests.block
      let used = block == 4 ? 0 : usedBytes(log, block)
      let rest = stride(from: start + used, to: start + DamageTests.block, by: 97)
      return Array(start..<start + used) + Array(rest) + [start + DamageTests.block - 1]
    }
  }

  @Test func `every flipped byte of a closed log is damage, the last frame included`() throws {
    let directory = try TemporaryDirectory()
    let (image, log) = try makeImage(directory, close: true)
    let path = "\(image)/\(DamageTests.log)"
    for offset in offsetsToFlip(log) where offset < 4 * DamageTests.block {
      try TestFiles.patch(path, at: offset, [log[offset] ^ 0x01])
      try #require(!(try ControlStorage.inspect(image).damages.isEmpty), "byte \(offset)")
      try TestFiles.patch(path, at: offset, [log[offset]])
    }
    try TestFiles.patch(path, at: 3 * DamageTests.block, [log[3 * DamageTests.block] ^ 1])
    do {
      _ = try ControlStorage.open(image)
      Issue.record("opened a damaged directory")
    } catch {
      guard case .damaged(let damages) = error.reason else { throw error }
      #expect(damages[0].offset == UInt64(3 * DamageTests.block))
      #expect(error.description.contains("\(DamageTests.log) at byte 12288"))
    }
  }

  @Test func `one bad slot of the hard state loses nothing, two refuse the directory`() throws {
    let directory = try TemporaryDirectory()
    let (image, _) = try makeImage(directory, close: true)
    let path = "\(image)/hard-state"
    let bytes = TestFiles.read(path)
    try #require(bytes.count == 2 * DamageTests.block)
    let fields = (bytes[32..<4_096], bytes[32 + 4_096..<8_192])
    #expect(fields.0.elementsEqual(fields.1), "a slot that is not written twice")
    for offset in Array(0..<90) + Array(stride(from: 90, to: 4_096, by: 131)) {
      for slot in 0..<2 {
        var spoiled = bytes
        spoiled[slot * DamageTests.block + offset] ^= 0x80
        try TestFiles.write(spoiled, to: path)
        let report = try ControlStorage.inspect(image)
        try #require(report.damages.isEmpty)
        try #require(report.hardState == RaftHardState(term: 1, vote: RaftID(5)))
        try #require(report.tornWrite?.file == "hard-state")
        spoiled[(1 - slot) * DamageTests.block + 40] ^= 1
        try TestFiles.write(spoiled, to: path)
        try #require(!(try ControlStorage.inspect(image).damages.isEmpty))
      }
    }
    #expect(throws: OpenControlStorageError.self) { try ControlStorage.open(image) }
    unlink(path)
    #expect(throws: OpenControlStorageError.self) { try ControlStorage.open(image) }
    for length in [0, 1, 100, 4_095] {
      try TestFiles.write(Array(bytes[..<length]), to: path)
      #expect(throws: OpenControlStorageError.self) { try ControlStorage.open(image) }
    }
  }

  @Test func `a vote older than what the log has seen is refused`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(.step(1, term: 2, entries: RaftEntry.run(1...1, term: 1)))
    let older = TestFiles.read("\(directory.control)/hard-state")
    try storage.write(.step(2, term: 2, vote: 6))
    try storage.write(.step(3, term: 2, vote: 6))
    try storage.write(
      .step(4, term: 2, vote: 6, entries: RaftEntry.run(2...2, term: 1)) { $0.incarnation = 3 })
    try storage.close()
    try TestFiles.write(older, to: "\(directory.control)/hard-state")
    let report = try ControlStorage.inspect(directory.control)
    #expect(report.damages.map(\.file) == ["hard-state"])
  }

  @Test func `a torn frame is wiped, so that it is not between the log and its next segment`()
    throws
  {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    let blocks = UInt64(ControlStorageOptions.segmentBytesMin / DamageTests.block - 1)
    for index in 1..<blocks {
      try storage.write(.step(index, term: 1, entries: RaftEntry.run(index...index, term: 1)))
    }
    let image = "\(directory.path)/image"
    try TestFiles.copyTree(from: directory.control, to: image)
    let torn = TestBytes.make(900, seed: 1)
    try TestFiles.patch("\(image)/\(DamageTests.log)", at: Int(blocks) * DamageTests.block, torn)
    let next = RaftEntry.run(blocks...blocks, term: 1, byteCount: 5_000)
    let second = try ControlStorage.open(image)
    #expect(second.recovery.entries == RaftEntry.run(1...blocks - 1, term: 1))
    try second.storage.write(.step(1, term: 1, entries: next))
    try second.storage.close()
    #expect(
      try ControlStorage.open(image).recovery.entries
        == RaftEntry.run(1...blocks - 1, term: 1) + next)
  }

  @Test func `every flipped byte of a snapshot refuses the directory`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    try storage.write(
      .step(1, term: 1, commit: 3, entries: RaftEntry.run(1...3, term: 1)) {
        $0.takenSnapshot = .made(3, term: 1)
      })
    try storage.close()
    let path = "\(directory.control)/snapshot-00000000000000000003"
    let bytes = TestFiles.read(path)
    #expect(bytes.count > 300)
    for offset in bytes.indices {
      try TestFiles.patch(path, at: offset, [bytes[offset] ^ 0x04])
      let report = try ControlStorage.inspect(directory.control)
      try #require(report.damages.map(\.file) == ["snapshot-00000000000000000003"])
      try TestFiles.patch(path, at: offset, [bytes[offset]])
    }
    for length in [0, 5, bytes.count - 1] {
      try TestFiles.write(Array(bytes[..<length]), to: path)
      #expect(!(try ControlStorage.inspect(directory.control).damages.isEmpty))
    }
  }

  @Test func `a missing or foreign segment is damage`() throws {
    let directory = try TemporaryDirectory()
    let storage = try ControlStorage.open(directory.control).storage
    for index in UInt64(1)...80 {
      try storage.write(.step(index, term: 1, entries: RaftEntry.run(index...index, term: 1)))
    }
    try storage.close()
    let names = TestFiles.names(in: directory.control).filter { $0.hasPrefix("log-") }
    #expect(names.count >= 3)
    for name in names.prefix(3) {
      let image = "\(directory.path)/image"
      try TestFiles.copyTree(from: directory.control, to: image)
      unlink("\(image)/\(name)")
      #expect(!(try ControlStorage.inspect(image).damages.isEmpty), "without \(name)")
      let other = try TemporaryDirectory()
      let foreign = try ControlStorage.open(other.control, life: 8)
      try foreign.storage.close()
      let bytes = TestFiles.read("\(other.control)/\(DamageTests.log)")
      try TestFiles.write(bytes, to: "\(image)/\(name)")
      #expect(!(try ControlStorage.inspect(image).damages.isEmpty), "foreign \(name)")
    }
  }

  @Test func `records of another segment or in a payload are not taken for records`() throws {
    let directory = try TemporaryDirectory()
    let (image, log) = try makeImage(directory)
    let other = try TemporaryDirectory()
    let foreign = try makeImage(other).log
    // A whole frame of another log, number 4 next: its checksum is salted with another secret.
    let frame = Array(foreign[4_096..<8_192])
    let path = "\(image)/\(DamageTests.log)"
    try TestFiles.patch(path, at: 4 * DamageTests.block, frame)
    let report = try ControlStorage.inspect(image)
    #expect(report.damages.isEmpty)
    #expect(report.entries == 1...3)
    #expect(report.tornWrite?.offset == UInt64(4 * DamageTests.block))
    // A frame of the same segment at another place was valid once: that is damage.
    try TestFiles.patch(path, at: 4 * DamageTests.block, Array(log[4_096..<8_192]))
    #expect(!(try ControlStorage.inspect(image).damages.isEmpty))
  }
}
