/// Why a text is no scenario.
package struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, counting from 1; 0 when the scenario as a whole is wrong.
  package let line: Int
  /// What is wrong and what would be right.
  package let message: String

  init(_ line: Int, _ message: String) {
    self.line = line
    self.message = message
  }

  /// The line and the message.
  package var description: String { line == 0 ? message : "line \(line): \(message)" }
}
