import CommandLineTool
import Synchronization

/// A console whose text a test can read.
final class Transcript: Sendable {
  private let texts = Mutex((output: "", errors: ""))

  var output: String { texts.withLock { $0.output } }
  var errors: String { texts.withLock { $0.errors } }

  func console(isColored: Bool = false) -> Console {
    Console(
      isColored: isColored, output: { text in self.texts.withLock { $0.output += text } },
      errorOutput: { text in self.texts.withLock { $0.errors += text } })
  }
}

extension Tool {
  /// Runs a command line; returns the status and what was written.
  func transcript(_ arguments: String...) -> (status: Int32, output: String, errors: String) {
    let transcript = Transcript()
    let status = run(arguments, console: transcript.console())
    return (status, transcript.output, transcript.errors)
  }
}
