internal import Glibc

/// The names under which damaged databases are kept: they are moved, never deleted.
package struct SetAside: Hashable, Sendable {
  /// The directory of the files.
  package let directory: String
  /// The end of the names: the time of the finding.
  package let mark: String

  /// Chooses a name by the time, which none of `files` was given earlier.
  package init(
    directory: String, files: [String] = DatabaseFile.allCases.map(\.name)
  ) {
    var seconds = time(nil)
    var mark = SetAside.text(of: seconds)
    // Two findings within a second: the later one gets a later name.
    while files.contains(where: {
      FileSystem.exists(SetAside(directory: directory, mark: mark).path(of: $0))
    }) {
      seconds += 1
      mark = SetAside.text(of: seconds)
    }
    self.init(directory: directory, mark: mark)
  }

  /// Names files as an earlier finding did.
  init(directory: String, mark: String) {
    self.directory = directory
    self.mark = mark
  }

  /// Where a file goes.
  package func path(of file: String) -> String { "\(directory)/\(file).damaged-\(mark)" }

  /// Moves a database and what belongs to it, the database first.
  ///
  /// Once the database has its new name the finding is settled, and what a crash left behind of it
  /// can follow later: nobody takes a write-ahead log without its database for a new one's, because
  /// the new one comes last.
  package func move(_ file: String) throws(FileSystem.Failure) {
    for suffix in FileSystem.databaseSuffixes {
      try FileSystem.move("\(directory)/\(file)\(suffix)", to: path(of: file) + suffix)
      try FileSystem.syncDirectory(directory)
    }
  }

  private static func text(of seconds: time_t) -> String {
    var seconds = seconds
    var parts = tm()
    _ = unsafe gmtime_r(&seconds, &parts)
    func digits(_ number: Int32, _ count: Int) -> String {
      let text = "\(number)"
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    return digits(parts.tm_year + 1_900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2)
      + "T" + digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2) + "Z"
  }
}
