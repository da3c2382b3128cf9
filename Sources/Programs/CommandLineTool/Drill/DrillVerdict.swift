internal import Configuration
internal import JSONText

/// What a drill comes to.
protocol DrillVerdict {
  /// Whether every promise was kept.
  var isPassed: Bool { get }
  /// The verdict for programs.
  var json: JSONValue { get }
  /// The verdict for people.
  func text(_ console: Console) -> String
}

/// What all drills share on the command line: where they work, and where the verdict goes.
enum DrillRun {
  static let options: [Option] = [
    .value("json", "FILE", "write the verdict as JSON too"),
    .value("dir", letter: "d", "DIR", "a directory that does not exist yet (default: in /tmp)"),
  ]

  /// Carries a drill out in a directory that is made for it and removed afterwards, tells its
  /// verdict and gives the exit status.
  static func conclude(
    _ arguments: ArgumentList, _ console: Console,
    _ drill: (_ directory: String) throws -> some DrillVerdict
  ) throws -> Int32 {
    let place = try DrillDirectory(arguments.value("dir"))
    defer { place.remove() }
    let verdict = try drill(place.path)
    console.write(verdict.text(console))
    if let path = arguments.value("json") {
      try Files.replace(try Files.absolute(path), with: JSONLayout.bytes(verdict.json))
    }
    return verdict.isPassed ? ExitStatus.success : ExitStatus.failure
  }
}
