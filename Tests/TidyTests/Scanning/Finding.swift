import Testing

/// One place that breaks a rule.
struct Finding: CustomStringConvertible {
  var path: String
  var line: Int
  var message: String

  init(_ file: SourceFile, _ line: Int, _ message: String) {
    self.path = file.path
    self.line = line
    self.message = message
  }

  init(path: String, _ message: String) {
    self.path = path
    self.line = 1
    self.message = message
  }

  var description: String { "\(path):\(line): \(message)" }
}

/// Fails the running test once for every finding.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings {
    Issue.record("\(finding)", sourceLocation: sourceLocation)
  }
}
