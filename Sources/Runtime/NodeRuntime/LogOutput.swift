internal import Glibc
internal import QUICTransport
internal import Telemetry

/// Writes log lines as text: time, level, message, details.
enum LogOutput {
  /// A logger that writes one line per call to the standard error.
  static func standardError(level: LogLevel) -> Logger {
    Logger(level: level) { line in
      var text = timestamp()
      text += " \(name(line.level)) \(line.message)"
      for field in line.fields {
        text += " \(field.name)=\(quoted(field.value))"
      }
      text += "\n"
      let bytes = Array(text.utf8)
      // One call per line keeps lines of different threads whole; a full disk must not stop a node.
      _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
  }

  private static func timestamp() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = [
      padded(Int(parts.tm_year) + 1_900, 4), padded(Int(parts.tm_mon) + 1, 2),
      padded(Int(parts.tm_mday), 2),
    ].joined(separator: "-")
    let clock = [
      padded(Int(parts.tm_hour), 2), padded(Int(parts.tm_min), 2), padded(Int(parts.tm_sec), 2),
    ].joined(separator: ":")
    return "\(date)T\(clock).\(padded(Int(time.tv_nsec) / 1_000_000, 3))Z"
  }

  private static func name(_ level: LogLevel) -> String {
    switch level {
    case .debug: "DEBUG"
    case .info: "INFO"
    case .warning: "WARN"
    case .error: "ERROR"
    }
  }

  /// A value in quotes when it needs them; control characters never reach a terminal.
  private static func quoted(_ value: String) -> String {
    let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 < 0x7f }
    if isPlain && !value.isEmpty { return value }
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: text += "?"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

/// Turns the transport's log lines into the node's.
enum TransportLog {
  /// A sink for the transport.
  static func sink(_ logger: Logger) -> QUICLogger {
    { level, event, fields in
      let mapped: LogLevel =
        switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
      var all = [LogField("event", event)]
      for (name, value) in fields { all.append(LogField(name, value)) }
      logger.log(mapped, "transport", all)
    }
  }
}
