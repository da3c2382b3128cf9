internal import Glibc

/// Where a verb writes: results to the standard output, messages to the standard error.
package struct Console: Sendable {
  /// Whether results may carry colours: the output is a terminal and nobody objects.
  package let isColored: Bool
  /// Whether results go to a terminal.
  package let isTerminal: Bool
  private let output: @Sendable (String) -> Void
  private let errorOutput: @Sendable (String) -> Void

  /// Makes a console of two sinks.
  package init(
    isTerminal: Bool = false, isColored: Bool = false,
    output: @escaping @Sendable (String) -> Void,
    errorOutput: @escaping @Sendable (String) -> Void
  ) {
    self.isTerminal = isTerminal
    self.isColored = isColored
    self.output = output
    self.errorOutput = errorOutput
  }

  /// The process's own output; `NO_COLOR` (no-color.org) and `TERM=dumb` are obeyed.
  package static func standard() -> Console {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let isPlain = Environment.value("NO_COLOR") != nil || Environment.value("TERM") == "dumb"
    return Console(
      isTerminal: isTerminal, isColored: isTerminal && !isPlain,
      output: { Console.send($0, to: STDOUT_FILENO) },
      errorOutput: { Console.send($0, to: STDERR_FILENO) })
  }

  /// The same console without colours.
  package var withoutColor: Console {
    Console(isTerminal: isTerminal, isColored: false, output: output, errorOutput: errorOutput)
  }

  /// Writes results as they are.
  package func write(_ text: String) { output(text) }

  /// Writes one line of results.
  package func line(_ text: String = "") { output(text + "\n") }

  /// Writes one line to people.
  package func error(_ text: String) { errorOutput(text + "\n") }

  /// The text in a colour, where colours are wanted.
  package func colored(_ text: String, _ color: Color) -> String {
    isColored ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// The colours in use, by their number in the terminal's set.
  package enum Color: Int, Sendable {
    /// Something is wrong.
    case red = 31
    /// Something is as it should be.
    case green = 32
    /// Something needs a look.
    case yellow = 33
    /// A heading.
    case bold = 1
  }

  private static func send(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty {
        let count = Glibc.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        // A reader that has gone away wants nothing more.
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}

/// The process's environment.
package enum Environment {
  /// The value of a variable that is set and not empty.
  package static func value(_ name: String) -> String? {
    guard let pointer = getenv(name) else { return nil }
    let text = String(cString: pointer)
    return text.isEmpty ? nil : text
  }
}
