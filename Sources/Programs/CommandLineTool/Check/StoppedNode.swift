internal import Configuration
internal import ControlStorage
internal import FinalityStorage
internal import LedgerCore
internal import Records
internal import SQLiteStorage

/// What a node that does not run has stored, part by part, with the way to repair each.
struct StoppedNode {
  /// One part of what a node stores.
  struct Part {
    /// The file or directory.
    let path: String
    /// What it holds.
    var facts: [String] = []
    /// What is wrong; empty when it is sound.
    var findings: [String] = []
    /// What a repair does.
    let repair: String
    /// Repairs it; what was done.
    let apply: () throws -> [String]
  }

  /// Findings that are shown of one part.
  private static let findingsMax = 10

  private let directory: String
  private let data: String
  private let databases: String

  /// Finds the data of a node's directory and makes sure that the node does not run.
  init(_ directory: String) throws {
    self.directory = directory
    let path = Files.resolve(NodeSettings.fileName, in: directory)
    guard Files.exists(path) else {
      throw ConfigurationError(source: directory, reason: "no node is here: \(path) is missing")
    }
    let settings = try NodeSettings(json: try Files.read(path), source: path)
    data = Files.resolve(settings.dataDirectory, in: directory)
    databases = Files.resolve("main", in: data)
    guard Files.isDirectory(databases) else {
      throw ConfigurationError(source: directory, reason: "the node has no data yet")
    }
    for place in [databases, control] where Files.isDirectory(place) {
      try DirectoryRepair.checkIsFree(place)
    }
  }

  private var control: String { Files.resolve(ControlLogCheck.name, in: data) }

  /// Checks everything.
  func parts(wantsNewLane: Bool) throws -> [Part] {
    var parts = try databaseParts(wantsNewLane: wantsNewLane)
    if Files.isDirectory(control) { parts.append(try controlPart()) }
    let votes = Files.resolve("finality/votes", in: data)
    if Files.isDirectory(votes) {
      let finding = try VoteJournal.finding(in: votes)
      parts.append(
        Part(
          path: votes, findings: finding.map { [$0] } ?? [],
          repair: "set it aside; the node asks others where agreement stands before it votes again"
        ) { try setAside(votes) })
    }
    let ledger = Files.resolve("finality/ledger", in: data)
    if Files.isDirectory(ledger) {
      parts.append(
        Part(
          path: ledger, findings: LedgerDatabase.findings(ledger),
          repair: "set it aside; blocks come from peers and are executed anew"
        ) { ["set aside as \(try LedgerDatabase.setAside(ledger))"] })
    }
    return parts
  }

  /// Forgets what the node itself has noted about damage: everything was looked at here.
  func settle() throws { try RepairBooks(directory: databases).clear() }

  // MARK: Lanes and rows

  private func databaseParts(wantsNewLane: Bool) throws -> [Part] {
    var log = Part(
      path: Files.resolve(DatabaseFile.log.name, in: databases),
      repair: """
        keep every sound bundle, set the file aside, begin a new lane; peers give the rest; the \
        rows are made anew
        """
    ) { try repair(.log) }
    var state = Part(
      path: Files.resolve(DatabaseFile.state.name, in: databases),
      repair: "set the file aside; the rows are made anew from the lanes when the node starts"
    ) { try repair(.state) }
    if Files.exists(state.path) && Files.exists(log.path) {
      do {
        let reports = try Verification.runEach(
          directory: databases, tables: LiveTables.schemas)
        log.facts = [
          "\(reports.log.lanes) lanes, \(reports.log.bundles) bundles, "
            + "\(reports.log.operations) operations"
        ]
        state.facts = ["\(reports.state.rows) rows"]
        log.findings = StoppedNode.shown(reports.log)
        state.findings = StoppedNode.shown(reports.state)
        // Rows that reflect more than the lanes hold: the lanes have lost their end.
        if reports.state.findings.contains(where: { $0.kind == .applied }) {
          log.findings += state.findings
        }
      } catch let error as SQLiteError {
        let isState = error.path.hasSuffix(DatabaseFile.state.name)
        if isState { state.findings = ["\(error)"] } else { log.findings = ["\(error)"] }
      }
    } else if Files.exists(state.path) {
      log.findings = ["the lanes are gone, the rows are not"]
    }
    if wantsNewLane { log.findings.append("a new lane is asked for") }
    // Lanes that cannot be read, or an interrupted repair of them, come first; it makes the rows.
    if let marker = try? RepairBooks(directory: databases).marker() {
      let found = marker.damage.findings.map { "the node found: \($0)" }
      switch marker.damage.file {
      case .log: log.findings += found
      case .state: state.findings += found
      }
    }
    return log.findings.isEmpty ? [log, state] : [log]
  }

  private static func shown(_ report: VerificationReport) -> [String] {
    var lines = report.findings.prefix(findingsMax).map(\.description)
    if report.findingCount > lines.count {
      lines.append("and \(report.findingCount - lines.count) more")
    }
    return lines
  }

  private func repair(_ file: DatabaseFile) throws -> [String] {
    let books = RepairBooks(directory: databases)
    // A repair that was interrupted is carried on under its own names; a marker that cannot be
    // read, or asks for less, gives way.
    let known = try? books.marker()
    if known?.damage.file != file {
      try books.clear()
      try books.note(
        StorageDamage(file, ["found by recover"]), atMilliseconds: WallClock.milliseconds)
    }
    let report = try DirectoryRepair(
      directory: databases, droppedMeta: [NodeConfiguration.epochKey]
    ).run()
    guard let report else { return [] }
    var lines: [String] = []
    if let salvage = report.salvage {
      lines.append(
        "\(salvage.kept) bundles kept, \(salvage.rescued) wait for what is missing before them, "
          + "\(salvage.rejected) lost")
    }
    return lines + report.setAside.map { "set aside as \($0)" }
  }

  // MARK: The control log

  private func controlPart() throws -> Part {
    let report = try ControlStorage.inspect(control)
    return Part(
      path: control, findings: report.damages.map(\.description),
      repair: """
        set it aside: the node forgets its votes, so it comes back in a new life, first as a \
        learner; a majority of the voters must run meanwhile
        """
    ) {
      let mark = Files.resolve(NodeConfiguration.foundedFileName, in: directory)
      // Without it a founder would begin in its first life again and could vote twice.
      if !Files.exists(mark) { try Files.create(mark, Array("yes\n".utf8)) }
      return try setAside(control)
    }
  }

  private func setAside(_ path: String) throws -> [String] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let parent = String(path.dropLast(name.utf8.count + 1))
    let aside = SetAside(directory: parent, files: [name]).path(of: name)
    try FileSystem.move(path, to: aside)
    try FileSystem.syncDirectory(parent)
    return ["set aside as \(aside)"]
  }
}
