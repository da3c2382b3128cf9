internal import Crypto
internal import Glibc
internal import Primitives
package import Records

/// What is written down about damage, so that a crash cannot forget it: the *marker*, which names
/// the database that must be repaired before anything is opened, and the *history* of repairs.
///
/// Both are small files of text in the swarm's directory, replaced as a whole; the first line is a
/// digest of the others.
package struct RepairBooks: Sendable {
  /// The marker's name.
  package static let markerName = "damage"
  /// The history's name.
  package static let historyName = "repairs"
  /// Repairs that the history names; older ones are forgotten.
  package static let historyMax = 64
  /// Repairs within `windowMilliseconds` after which a node repairs no more by itself.
  package static let repairsMax = 3
  /// Begins the line of a marker that names a withdrawal.
  private static let withdrawalWord = "withdraw-after"
  /// One hour.
  package static let windowMilliseconds: UInt64 = 3_600_000

  /// The directory of the swarm.
  package let directory: String

  /// Looks at the books of a directory.
  package init(directory: String) {
    self.directory = directory
  }

  /// What the marker says.
  package struct Marker: Hashable, Sendable {
    /// What has to be repaired.
    package let damage: StorageDamage
    /// The end of the names under which files are set aside.
    package let mark: String
    /// A place after which a lane is left out: another version of what follows is final.
    package let withdrawal: LanePosition?
  }

  /// One repair that was begun.
  package struct Entry: Hashable, Sendable {
    /// When the damage was found, in milliseconds since 1970.
    package let atMilliseconds: UInt64
    /// The database.
    package let file: DatabaseFile
  }

  /// A book that cannot be read or written.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and what to do.
    package let description: String
  }

  /// Writes down a damage durably. What is written down already stays; damage of the lanes takes
  /// the place of damage of the rows, since repairing lanes makes the rows anew.
  package func note(_ damage: StorageDamage, atMilliseconds now: UInt64) throws(Failure) {
    let known = try marker()
    if let known, known.damage.file == damage.file || known.damage.file == .log { return }
    let entries = try history() + [Entry(atMilliseconds: now, file: damage.file)]
    try write(
      entries.suffix(RepairBooks.historyMax).map { "\($0.atMilliseconds) \($0.file.name)" },
      to: RepairBooks.historyName)
    let mark = known?.mark ?? SetAside(directory: directory).mark
    let findings = damage.findings.map { String($0.map { $0.isNewline ? " " : $0 }) }
    try write([damage.file.name, mark] + findings, to: RepairBooks.markerName)
  }

  /// Writes down durably that what follows a place in its lane is to leave the log, since another
  /// version of it is final; returns what the repair is then for.
  ///
  /// The history does not count it: neither the disk nor the memory of this host is at fault, and
  /// a lane that is proven to fork is taken back once. Damage of the lanes that was written down
  /// before takes precedence: the place is met again after that repair.
  package func note(withdrawalAfter place: LanePosition) throws(Failure) -> StorageDamage {
    let known = try marker()
    if let known, known.damage.file == .log { return known.damage }
    let mark = known?.mark ?? SetAside(directory: directory).mark
    let finding = "another version than the one held after bundle \(place.number) is final"
    let name = place.lane.digest.hexadecimal
    try write(
      [
        DatabaseFile.log.name, mark, "\(RepairBooks.withdrawalWord) \(name) \(place.number)",
        finding,
      ],
      to: RepairBooks.markerName)
    return StorageDamage(.log, [finding])
  }

  /// The marker, if there is one.
  package func marker() throws(Failure) -> Marker? {
    guard let lines = try read(RepairBooks.markerName) else { return nil }
    guard lines.count >= 2, let file = DatabaseFile(name: lines[0]) else {
      throw unreadable(RepairBooks.markerName)
    }
    var findings = lines.dropFirst(2)
    var withdrawal: LanePosition?
    if let words = findings.first?.split(separator: " "), words.count == 3,
      words[0] == RepairBooks.withdrawalWord, let lane = Digest(hexadecimal: String(words[1])),
      let number = UInt64(words[2])
    {
      withdrawal = LanePosition(lane: LaneID(digest: lane), number: number)
      findings = findings.dropFirst()
    }
    return Marker(
      damage: StorageDamage(file, Array(findings)), mark: lines[1], withdrawal: withdrawal)
  }

  /// Repairs that were begun, oldest first.
  package func history() throws(Failure) -> [Entry] {
    try (try read(RepairBooks.historyName) ?? []).map { (line) throws(Failure) in
      let parts = line.split(separator: " ")
      guard parts.count == 2, let time = UInt64(parts[0]),
        let file = DatabaseFile(name: String(parts[1]))
      else { throw unreadable(RepairBooks.historyName) }
      return Entry(atMilliseconds: time, file: file)
    }
  }

  /// Whether a node has repaired so often lately that something else is wrong.
  package func isExhausted(atMilliseconds now: UInt64) throws(Failure) -> Bool {
    let start = now - min(now, RepairBooks.windowMilliseconds)
    return try history().count { $0.atMilliseconds >= start } > RepairBooks.repairsMax
  }

  /// Forgets marker and history: an operator takes it from here.
  package func clear() throws(Failure) {
    do throws(FileSystem.Failure) {
      try FileSystem.remove("\(directory)/\(RepairBooks.markerName)")
      try FileSystem.remove("\(directory)/\(RepairBooks.historyName)")
      try FileSystem.syncDirectory(directory)
    } catch {
      throw Failure(description: "\(directory): could not \(error.operation), error \(error.code)")
    }
  }

  /// Removes the marker: what it named is repaired.
  func settle() throws(FileSystem.Failure) {
    try FileSystem.remove("\(directory)/\(RepairBooks.markerName)")
    try FileSystem.syncDirectory(directory)
  }

  private func write(_ lines: [String], to name: String) throws(Failure) {
    let text = lines.map { $0 + "\n" }.joined()
    let digest = Blake2b.hash(Array(text.utf8), .storedValues).hexadecimal
    do throws(FileSystem.Failure) {
      try FileSystem.replace("\(directory)/\(name)", with: Array("\(digest)\n\(text)".utf8))
    } catch {
      throw Failure(
        description: "\(directory)/\(name): could not \(error.operation), error \(error.code)")
    }
  }

  private func read(_ name: String) throws(Failure) -> [String]? {
    let path = "\(directory)/\(name)"
    guard FileSystem.exists(path) else { return nil }
    guard let bytes = FileSystem.contents(of: path), bytes.last == UInt8(ascii: "\n"),
      let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
    else { throw unreadable(name) }
    let rest = Array(bytes[(end + 1)...])
    let digest = Blake2b.hash(rest, .storedValues).hexadecimal
    guard Array(digest.utf8) == Array(bytes[..<end]) else { throw unreadable(name) }
    let text = String(decoding: rest.dropLast(), as: UTF8.self)
    return rest.isEmpty
      ? []
      : text.split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init)
  }

  private func unreadable(_ name: String) -> Failure {
    Failure(
      description: """
        \(directory)/\(name) cannot be read; run `swarmoracle recover` on the node's directory, \
        which checks both databases without it
        """)
  }
}

extension DatabaseFile {
  /// The database of a name.
  package init?(name: String) {
    guard let file = DatabaseFile.allCases.first(where: { $0.name == name }) else { return nil }
    self = file
  }
}
