internal import Configuration
internal import HTTPClient

/// What `bench finality` is asked to measure.
struct FinalitySettings: Sendable {
  /// Nodes of each cluster.
  var nodeCounts = [4, 7, 10]
  /// Connections that are used at the same time in the batches.
  var clientCount = 64
  /// Seconds of one measurement.
  var seconds = 10
  /// Answers in one request of a batch.
  var batchCount = 100
  /// Bytes of text in an answer.
  var bytes = 256
  /// How often each load is measured.
  var repeats = 3
  /// Answers in a second under moderate load.
  var pacedPerSecond = 50

  /// Connections under moderate load.
  static let pacedClients = 8
}

/// A load that is measured.
struct FinalityLoad: Sendable {
  /// What it is called.
  let name: String
  /// How answers are sent.
  let pattern: AnswerPattern
  /// Connections.
  let clients: Int

  /// Moderate load and as much as goes, each at both levels.
  static func all(_ settings: FinalitySettings) -> [FinalityLoad] {
    let paced = min(FinalitySettings.pacedClients, settings.clientCount)
    let pace = UInt64(1_000_000_000 * paced / settings.pacedPerSecond)
    return ["final", "quorum"].flatMap { level in
      [
        FinalityLoad(
          name: "paced \(level)",
          pattern: AnswerPattern(phase: .single, level: level, paceNanoseconds: pace),
          clients: paced),
        FinalityLoad(
          name: "batch \(level)",
          pattern: AnswerPattern(phase: .batch, batchCount: settings.batchCount, level: level),
          clients: settings.clientCount),
      ]
    }
  }
}

/// Measures how soon and how many answers become final on one cluster.
struct FinalityBench {
  /// How long everything may take to become final once the clients are done, in milliseconds.
  private static let settleMilliseconds = 180_000

  let settings: FinalitySettings
  let cluster: LocalCluster
  let tell: (String) -> Void

  /// Measures each load as often as asked, in turns, so that all meet the same surroundings.
  func run() throws -> FinalityReport.Cluster {
    let endpoints = cluster.file.nodes.map(\.api)
    tell("\(endpoints.count) nodes: asking \(IngestSettings.questionCount) questions …")
    var answers = try AnswerLoad(
      endpoints: endpoints, processes: cluster.file.nodes.map(\.pid),
      clientCount: settings.clientCount, bytes: settings.bytes)
    _ = try settle(endpoints)
    let loads = FinalityLoad.all(settings)
    var report = FinalityReport.Cluster(
      nodeCount: endpoints.count, loads: loads.map { ($0.name, []) })
    for number in 1...settings.repeats {
      for (place, load) in loads.enumerated() {
        let figures = try measure(load, &answers, endpoints)
        report.loads[place].runs.append(figures)
        tell("\(load.name) \(number)/\(settings.repeats): \(figures.summary)")
      }
    }
    let end = try settle(endpoints)
    report.height = end.views[0].executedHeight
    report.root = end.views[0].rootText
    return report
  }

  private func measure(
    _ load: FinalityLoad, _ answers: inout AnswerLoad, _ endpoints: [String]
  ) throws -> FinalityFigures {
    let inspection = DemoInspection(endpoints: endpoints, isCancelled: { false })
    let held = try endpoints.indices.map(inspection.state)
    let before = try chain(endpoints[0])
    let outcome = try answers.run(
      load.pattern, seconds: settings.seconds, clients: load.clients)
    let after = try chain(endpoints[0])
    if let fault = outcome.counts.compactMap(\.fault).first {
      throw DemoFailure(description: fault)
    }
    let operations = outcome.counts.reduce(0) { $0 + $1.operations }
    let latencies = outcome.counts.flatMap(\.latencies).sorted()
    guard operations > 0 else { throw DemoFailure(description: "no answer was acknowledged") }
    // Everything acknowledged must be executed on every node, in blocks that are the same.
    let settled = try settle(endpoints)
    for (place, earlier) in held.enumerated() {
      let now = try inspection.state(place).operations
      guard now - earlier.operations >= operations else {
        throw DemoFailure(
          description: "\(operations) answers were acknowledged, and node \(place + 1) has "
            + "executed \(now - earlier.operations) operations more")
      }
    }
    var figures = FinalityFigures()
    figures.operationsPerSecond = Double(operations) / outcome.seconds
    figures.medianMilliseconds = Double(IngestFigures.percentile(500, of: latencies)) / 1_000
    figures.p99Milliseconds = Double(IngestFigures.percentile(990, of: latencies)) / 1_000
    figures.maxMilliseconds = Double(latencies.last ?? 0) / 1_000
    let blocks = after.blocks - min(after.blocks, before.blocks)
    let bundles = after.bundles - min(after.bundles, before.bundles)
    figures.blocksPerSecond = Double(blocks) / outcome.seconds
    figures.bundlesPerBlock = Double(bundles) / Double(max(1, blocks))
    figures.nodeMicrosecondsPerOperation =
      (outcome.nodeSeconds ?? 0) * 1_000_000 / Double(operations)
    figures.clientMicrosecondsPerOperation =
      outcome.clientSeconds * 1_000_000 / Double(operations)
    figures.settleMilliseconds = Double(settled.milliseconds)
    figures.overloaded = outcome.counts.reduce(0) { $0 + $1.overloaded }
    figures.undecided = outcome.counts.reduce(0) { $0 + $1.undecided }
    return figures
  }

  private func chain(_ endpoint: String) throws -> FinalityView {
    guard let view = FinalityView.ask(endpoint, HTTPConnection(responseBytesMax: 16 << 20)) else {
      throw UnexpectedReply("\(endpoint)/metrics", lacks: "what it says of finality")
    }
    return view
  }

  private func settle(_ endpoints: [String]) throws -> FinalitySettlement {
    guard
      let settled = try FinalitySettlement.wait(
        endpoints, patience: FinalityBench.settleMilliseconds)
    else {
      throw DemoFailure(
        description: "the nodes have not executed the same blocks after "
          + "\(FinalityBench.settleMilliseconds / 1_000) s")
    }
    return settled
  }
}
