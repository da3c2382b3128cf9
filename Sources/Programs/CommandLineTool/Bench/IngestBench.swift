internal import Configuration
internal import Glibc
internal import SQLiteStorage

/// Measures how fast a cluster takes answers that a quorum must acknowledge.
struct IngestBench {
  private let settings: IngestSettings
  private let endpoints: [String]
  private let processes: [pid_t]
  /// Where SQLite alone is measured.
  private let directory: String
  private let tell: (String) -> Void

  init(
    _ settings: IngestSettings, endpoints: [String], processes: [pid_t], directory: String,
    tell: @escaping (String) -> Void
  ) {
    self.settings = settings
    self.endpoints = endpoints
    self.processes = processes
    self.directory = directory
    self.tell = tell
  }

  /// Measures both phases as often as asked; the figures by phase.
  func run() throws -> [(phase: IngestPhase, runs: [IngestFigures])] {
    tell("asking \(IngestSettings.questionCount) questions …")
    var load = try AnswerLoad(
      endpoints: endpoints, processes: processes, clientCount: settings.clientCount,
      bytes: settings.bytes)
    return try IngestPhase.allCases.map { phase in
      let runs = try (1...settings.repeats).map { number in
        let figures = try measure(phase, &load)
        tell("\(phase.name) \(number)/\(settings.repeats): \(Int(figures.operationsPerSecond))/s")
        return figures
      }
      return (phase, runs)
    }
  }

  // MARK: Measurement

  private func measure(
    _ phase: IngestPhase, _ load: inout AnswerLoad
  ) throws -> IngestFigures {
    let inspection = DemoInspection(endpoints: endpoints, isCancelled: { false })
    let before = try inspection.states()[0]
    let load = try load.run(
      AnswerPattern(phase: phase, batchCount: settings.batchCount), seconds: settings.seconds)
    let after = try inspection.states()[0]
    let counts = load.counts
    if let fault = counts.compactMap(\.fault).first { throw DemoFailure(description: fault) }
    let operations = counts.reduce(0) { $0 + $1.operations }
    let latencies = counts.flatMap(\.latencies).sorted()
    guard operations > 0 else { throw DemoFailure(description: "no answer was acknowledged") }
    guard after.operations - before.operations >= operations else {
      throw DemoFailure(
        description: "\(operations) answers were acknowledged, and the nodes have "
          + "\(after.operations - before.operations) operations more")
    }
    var figures = IngestFigures()
    figures.operationsPerSecond = Double(operations) / load.seconds
    figures.requestsPerSecond = Double(latencies.count) / load.seconds
    figures.medianMilliseconds = Double(IngestFigures.percentile(500, of: latencies)) / 1_000
    figures.p99Milliseconds = Double(IngestFigures.percentile(990, of: latencies)) / 1_000
    figures.nodeMicrosecondsPerOperation = load.nodeSeconds.map {
      $0 * 1_000_000 / Double(operations)
    }
    figures.clientMicrosecondsPerOperation = load.clientSeconds * 1_000_000 / Double(operations)
    let bundles = max(1, after.bundles - before.bundles)
    figures.bundlesPerSecond = Double(bundles) / load.seconds
    figures.operationsPerBundle = Double(after.operations - before.operations) / Double(bundles)
    figures.overloaded = counts.reduce(0) { $0 + $1.overloaded }
    figures.undecided = counts.reduce(0) { $0 + $1.undecided }
    figures.rawOperationsPerSecond = try raw(groupSize: Int(figures.operationsPerBundle.rounded()))
    return figures
  }

  /// What SQLite alone does with groups of a size, about as long as 300 syncs take.
  private func raw(groupSize: Int) throws -> Double {
    let groupSize = max(1, groupSize)
    let benchmark = IngestBenchmark(
      operationCount: min(300 * groupSize, 100_000), operationBytes: settings.bytes,
      groupSize: groupSize)
    return try benchmark.run(directory: directory).operationsPerSecond
  }
}
