/// Why a file, a value or a text of the configuration is refused: what it is and what would do.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, or the name of the text, that is refused.
  package let source: String
  /// The key inside it, such as `api.listen`; empty when the whole is refused.
  package let key: String
  /// The offending value as it was written; empty when there is none.
  package let value: String
  /// What is wrong and what would be right.
  package let reason: String

  /// Describes one refusal.
  package init(source: String, key: String = "", value: String = "", reason: String) {
    self.source = source
    self.key = key
    self.value = value
    self.reason = reason
  }

  /// One line: `node.json: api.listen is "x": expected …`.
  package var description: String {
    var text = source
    if !key.isEmpty { text += ": \(key)" }
    if !value.isEmpty { text += " is \(value)" }
    return "\(text): \(reason)"
  }
}

/// A failed system call on a file.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was attempted, such as `open`.
  package let operation: String
  /// The file's path.
  package let path: String
  /// The error number of the system.
  package let code: Int32

  /// Describes one failed call.
  package init(operation: String, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// One line: `open /x: No such file or directory`.
  package var description: String {
    "\(operation) \(path): \(SystemText.describe(code))"
  }
}
