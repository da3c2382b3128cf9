internal import CSQLite

/// What SQLite answered instead of doing what it was asked.
package struct SQLiteError: Error, Hashable, Sendable {
  /// SQLite's extended result code (sqlite.org/rescode.html).
  package let code: Int32
  /// SQLite's own words.
  package let message: String
  /// What was being done: a file's path or a statement.
  package let context: String
  /// The database; empty when it was not opened.
  package let path: String

  /// Describes a failure.
  package init(code: Int32, message: String, context: String, path: String = "") {
    self.code = code
    self.message = message
    self.context = context
    self.path = path
  }

  /// The primary result code: the low eight bits.
  package var primaryCode: Int32 { code & 0xff }

  /// Whether the file's content is at fault rather than the disk or the caller.
  package var isCorruption: Bool {
    primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB || isReadFailure
  }

  /// Whether the disk refuses to give back what was written.
  private var isReadFailure: Bool {
    code == SQLITE_IOERR | 1 << 8 || code == SQLITE_IOERR | 33 << 8
  }

  /// Whether the file is not what this program wrote: damaged pages, or tables missing or changed.
  var isDamage: Bool {
    isCorruption || primaryCode == SQLITE_ERROR || primaryCode == SQLITE_FORMAT
      || primaryCode == SQLITE_MISMATCH
  }

  /// Whether what stands in the file, or the disk below it, cannot be read.
  var isUnreadable: Bool { isDamage || isReadFailure }

  /// Whether another connection was in the way.
  var isBusy: Bool { primaryCode == SQLITE_BUSY }

  /// Whether the disk or a quota is full.
  package var isDiskFull: Bool { primaryCode == SQLITE_FULL }
}

extension SQLiteError: CustomStringConvertible {
  package var description: String { "SQLite error \(code) (\(message)) in \(context)" }
}
