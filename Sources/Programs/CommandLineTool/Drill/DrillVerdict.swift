internal import Configuration
internal import Glibc
internal import JSONText
internal import Telemetry

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

  /// Makes a cluster for a drill, whose nodes all have the same further settings, and hands it over
  /// before it starts; whatever goes wrong, no node is left running.
  static func withCluster<Verdict>(
    of nodes: Int, in directory: String, _ launcher: NodeLauncher,
    changing change: (inout NodeSettings) -> Void = { _ in },
    _ body: (inout LocalCluster, SignalWait) throws -> Verdict
  ) throws -> Verdict {
    var signals = SignalWait()
    // Before any thread starts, so that all of them leave these signals to the one that waits.
    signals.begin()
    var cluster = try LocalCluster(
      creating: directory, count: nodes, logLevel: .info, launcher: launcher)
    for node in cluster.file.nodes {
      let path = Files.resolve(NodeSettings.fileName, in: node.dir)
      var settings = try NodeSettings(json: try Files.read(path), source: path)
      change(&settings)
      try Files.replace(path, with: settings.json)
    }
    do {
      return try body(&cluster, signals)
    } catch {
      for index in cluster.running { try cluster.kill(index) }
      throw error
    }
  }
}

extension SignalWait {
  /// Waits a moment, unless somebody wants the drill to end.
  func pause(milliseconds: Int) throws {
    switch wait(milliseconds: milliseconds) {
    case SIGINT, SIGTERM, SIGHUP: throw DrillError("the drill was interrupted")
    // open set: signals; the ends of children need nothing here
    default: break
    }
  }
}
