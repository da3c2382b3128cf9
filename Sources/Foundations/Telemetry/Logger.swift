/// How much a log line matters.
package enum LogLevel: Int, Comparable, CaseIterable, Sendable {
  /// For finding a fault in the program.
  case debug
  /// What an operator may want to know.
  case info
  /// Something was refused or went wrong and the node goes on.
  case warning
  /// Something an operator must act on.
  case error

  package static func < (left: LogLevel, right: LogLevel) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A named detail of a log line.
package struct LogField: Hashable, Sendable {
  /// The name.
  package let name: String
  /// The value as text.
  package let value: String

  /// Names a detail.
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// One line of a log: a constant message and details.
package struct LogLine: Sendable {
  /// How much it matters.
  package let level: LogLevel
  /// What happened, the same words every time.
  package let message: StaticString
  /// The details, in the order they were given.
  package let fields: [LogField]
}

/// Writes log lines to a sink that its maker chose; a value handed down, never global.
package struct Logger: Sendable {
  /// Lines below this level are not made.
  package let level: LogLevel
  private let sink: @Sendable (LogLine) -> Void

  /// Makes a logger.
  package init(level: LogLevel, sink: @escaping @Sendable (LogLine) -> Void) {
    self.level = level
    self.sink = sink
  }

  /// A logger that drops every line.
  package static let silent = Logger(level: .error) { _ in }

  /// Writes a line when its level is high enough; the fields are not evaluated otherwise.
  package func log(
    _ level: LogLevel, _ message: StaticString, _ fields: @autoclosure () -> [LogField] = []
  ) {
    guard level >= self.level else { return }
    sink(LogLine(level: level, message: message, fields: fields()))
  }
}
