internal import Configuration
internal import Glibc
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// Why a node that holds lanes can go on only by a snapshot.
struct RejoinNeeded: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Has a node join again by a snapshot, when what it holds leads no further: its lanes begin after
/// a base, so rows or a ledger that are damaged cannot be made again from them, or all peers have
/// let go of what it lacks.
///
/// ```
/// wanted ─► lanes, rows and ledger set aside ─► snapshot installed ─► rescued ─► done
/// ```
///
/// The key, the votes and the control log stay. What the lanes that were set aside hold beyond the
/// snapshot waits in `rescued.db`, as after a repair: nothing is lost that only this node has.
///
/// The book is one small file, replaced as a whole; each step can be the last before a crash.
enum Rejoin {
  static let bookName = "rejoin"
  /// Times within an hour beyond which a node does not try again by itself.
  static let countMax = 3
  private static let windowMilliseconds: UInt64 = 3_600_000

  /// What the book says.
  private struct Book {
    enum Stage: Equatable {
      case none
      case wanted
      /// Moved to names with this end.
      case aside(String)
    }

    var stage = Stage.none
    var reason = ""
    var times: [UInt64] = []
  }

  /// Writes down durably that a node must join again.
  static func note(
    _ reason: String, _ configuration: NodeConfiguration, _ logger: Logger
  ) throws {
    logger.log(
      .error, "this node can go on only by a snapshot", [LogField("reason", reason)])
    var book = try book(configuration)
    if book.stage == .none { book.times.append(WallClock.milliseconds()) }
    if book.stage == .none || book.stage == .wanted {
      book.stage = .wanted
      book.reason = String(reason.map { $0.isNewline ? " " : $0 })
      try write(book, configuration)
    }
  }

  /// Sets aside what leads no further; true while a snapshot is to be fetched or was just made.
  static func begin(_ configuration: NodeConfiguration, _ logger: Logger) throws -> Bool {
    var book = try book(configuration)
    if book.stage == .none { return false }
    if book.stage == .wanted {
      let start = WallClock.milliseconds() - min(WallClock.milliseconds(), windowMilliseconds)
      guard book.times.count(where: { $0 >= start }) <= countMax else {
        throw StartError(
          "\(book.reason); this node joined again \(countMax) times within an hour, so something "
            + "else is wrong; see what, then remove \(path(configuration)) and start it again")
      }
      book.stage = .aside(SetAside(directory: configuration.dataDirectory, files: ["main"]).mark)
      try write(book, configuration)
    }
    guard case .aside(let mark) = book.stage else { return false }
    for directory in directories(configuration) {
      let aside = "\(directory).damaged-\(mark)"
      guard Files.exists(directory), !Files.exists(aside) else { continue }
      try FileSystem.move(directory, to: aside)
      logger.log(.warning, "set aside", [LogField("directory", aside)])
    }
    try FileSystem.syncDirectory(configuration.dataDirectory)
    try FileSystem.syncDirectory("\(configuration.dataDirectory)/finality")
    return true
  }

  /// Takes what the lanes that were set aside hold beyond the snapshot, and ends.
  static func finish(_ configuration: NodeConfiguration, _ logger: Logger) throws {
    var book = try book(configuration)
    guard case .aside(let mark) = book.stage else { return }
    let directory = NodeRepair.directory(configuration)
    let log = "\(directory).damaged-\(mark)/\(DatabaseFile.log.name)"
    if Files.exists(log) {
      let count = try RescuedBundles.collect(from: log, into: directory)
      logger.log(
        .info, "bundles beyond the snapshot are kept", [LogField("bundles", "\(count)")])
    }
    book.stage = .none
    book.reason = ""
    book.times = Array(book.times.suffix(2 * countMax))
    try write(book, configuration)
  }

  /// Whether lanes of a closed directory begin after a base, so that rows and ledger cannot be made
  /// from them; false when that cannot be read.
  static func hasBases(_ configuration: NodeConfiguration) -> Bool {
    LaneBases.exist(in: NodeRepair.directory(configuration))
  }

  private static func directories(_ configuration: NodeConfiguration) -> [String] {
    [NodeRepair.directory(configuration), FinalityStart.ledgerDirectory(configuration)]
  }

  // MARK: The book

  private static func path(_ configuration: NodeConfiguration) -> String {
    "\(configuration.dataDirectory)/\(bookName)"
  }

  private static func book(_ configuration: NodeConfiguration) throws -> Book {
    let path = path(configuration)
    guard Files.exists(path) else { return Book() }
    let lines = String(decoding: try Files.read(path), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    var book = Book()
    let words = lines.first?.split(separator: " ") ?? []
    switch (words.first, words.count) {
    case ("none", 1): break
    case ("wanted", 1): book.stage = .wanted
    case ("aside", 2): book.stage = .aside(String(words[1]))
    // open set: what a file can hold
    default:
      throw StartError("\(path) cannot be read; remove it if this node's databases are sound")
    }
    book.reason = lines.count > 1 ? String(lines[1]) : ""
    book.times = lines.dropFirst(2).compactMap { UInt64($0) }
    return book
  }

  private static func write(_ book: Book, _ configuration: NodeConfiguration) throws {
    let stage =
      switch book.stage {
      case .none: "none"
      case .wanted: "wanted"
      case .aside(let mark): "aside \(mark)"
      }
    let lines = [stage, book.reason] + book.times.map { "\($0)" }
    try FileSystem.replace(
      path(configuration), with: Array((lines.joined(separator: "\n") + "\n").utf8))
  }
}
