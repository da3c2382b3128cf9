internal import Records
internal import StorageThreads

/// What a repair did.
package struct RepairReport: Hashable, Sendable {
  /// What was repaired.
  package let damage: StorageDamage
  /// What was brought over from the lanes, when they were damaged and this run copied them.
  package internal(set) var salvage: SalvageReport?
  /// Where the damaged files are now.
  package internal(set) var setAside: [String] = []
}

/// Repairs a closed directory whose marker names a damaged database.
///
/// - `state.db` is set aside; opening makes a new one and the owner replays the lanes.
/// - `log.db` is copied as far as it is sound, then set aside and replaced by the copy; the rest
///   comes from peers. The rows may reflect more than the copy holds, so `state.db` is set aside
///   too. Values of the owner that must not survive, above all the epoch of its lane, are dropped:
///   a lane that may have lost its end is not continued.
///
/// Every step is durable before the next, and may be the last before a crash: the marker goes when
/// all is done, and a repair that was interrupted is carried on from what stands in the directory.
///
/// | In the directory | Next |
/// |---|---|
/// | `log.db`, nothing set aside | copy anew, set `log.db` aside |
/// | `log.db` set aside, none there | its write-ahead log follows; the copy takes its name |
/// | both | the rows |
package struct DirectoryRepair {
  /// The steps after which a crash can leave the directory.
  package enum Step: Hashable, Sendable {
    /// The copy of the lanes is complete and synced.
    case copied
    /// A file has its new name.
    case moved(String)
    /// The copy has the name of the lanes.
    case replaced
  }

  /// The name of the copy until it is complete.
  private static let copy = "log.db.new"

  private let directory: String
  private let droppedMeta: [String]
  private let didReach: (Step) throws -> Void

  /// Describes a repair.
  ///
  /// - Parameters:
  ///   - directory: the path of one swarm's directory, which nobody has open.
  ///   - droppedMeta: named values that the new lanes must not inherit.
  ///   - didReach: called after each step; an error ends the repair as a crash would.
  package init(
    directory: String, droppedMeta: [String], didReach: @escaping (Step) throws -> Void = { _ in }
  ) {
    self.directory = directory
    self.droppedMeta = droppedMeta
    self.didReach = didReach
  }

  /// Refuses a directory that a process has open.
  package static func checkIsFree(_ directory: String) throws(OpenStorageError) {
    do throws(DirectoryLock.Refusal) {
      try DirectoryLock(directory: directory).release()
    } catch {
      switch error {
      case .held(let holder):
        throw OpenStorageError(.locked(processIdentifier: holder), directory: directory)
      case .system(let code, let operation):
        throw OpenStorageError(.system(code: code, operation: operation), directory: directory)
      }
    }
  }

  /// Does what the marker asks for; `nil` without a marker.
  package func run() throws -> RepairReport? {
    let books = RepairBooks(directory: directory)
    guard let marker = try books.marker() else { return nil }
    let lock = try DirectoryLock(directory: directory)
    defer { lock.release() }
    let aside = SetAside(directory: directory, mark: marker.mark)
    var report = RepairReport(damage: marker.damage)
    if marker.damage.file == .log { report.salvage = try replaceLog(aside, marker) }
    // With the lanes replaced the rows may reflect what the lanes do not hold.
    if !FileSystem.exists(aside.path(of: StateSchema.file)) || isLeftover(StateSchema.file) {
      try move(StateSchema.file, aside)
    }
    report.setAside = DatabaseFile.allCases.map { aside.path(of: $0.name) }
      .filter(FileSystem.exists)
    try books.settle()
    return report
  }

  /// Whether the database is gone but something that belongs to it is still there.
  private func isLeftover(_ file: String) -> Bool {
    !FileSystem.exists("\(directory)/\(file)")
      && FileSystem.databaseSuffixes.contains { FileSystem.exists("\(directory)/\(file)\($0)") }
  }

  private func replaceLog(
    _ aside: SetAside, _ marker: RepairBooks.Marker
  ) throws -> SalvageReport? {
    let path = "\(directory)/\(LogSchema.file)"
    var report: SalvageReport?
    if !FileSystem.exists(aside.path(of: LogSchema.file)) {
      report = try salvage(path, marker.withdrawal)
      try didReach(.copied)
      try move(LogSchema.file, aside)
    } else if !FileSystem.exists(path) {
      try move(LogSchema.file, aside)
    }
    if !FileSystem.exists(path) {
      try FileSystem.move("\(directory)/\(DirectoryRepair.copy)", to: path)
      try FileSystem.syncDirectory(directory)
      try didReach(.replaced)
    }
    return report
  }

  private func move(_ file: String, _ aside: SetAside) throws {
    for suffix in FileSystem.databaseSuffixes {
      try FileSystem.move("\(directory)/\(file)\(suffix)", to: aside.path(of: file) + suffix)
      try FileSystem.syncDirectory(directory)
      try didReach(.moved(file + suffix))
    }
  }

  private func salvage(_ path: String, _ withdrawal: LanePosition?) throws -> SalvageReport {
    let copy = "\(directory)/\(DirectoryRepair.copy)"
    let rescued = "\(directory)/\(RescuedBundles.file)"
    for suffix in FileSystem.databaseSuffixes {
      try FileSystem.remove(copy + suffix)
    }
    guard FileSystem.exists(path) else {
      // Lanes that are gone: a new file begins them anew.
      return SalvageReport()
    }
    var salvage = try LogSalvage(
      damaged: path, target: copy, rescued: rescued, withdrawal: withdrawal)
    let report = try salvage.run(droppingMeta: droppedMeta)
    // Both were moved into their databases and synced.
    for suffix in FileSystem.databaseSuffixes.dropFirst() {
      try FileSystem.remove(copy + suffix)
    }
    _ = try RescuedBundles(directory: directory)?.removeIfEmpty()
    try FileSystem.syncDirectory(directory)
    return report
  }
}
