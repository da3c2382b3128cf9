internal import Configuration
internal import JSONText

/// The verb that measures how soon and how many answers become final.
enum FinalityBenchVerb {
  /// Seeds of the simulated regions.
  private static let seeds: ClosedRange<UInt64> = 1...5

  static func verb(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "bench finality", group: .check, summary: "Measure how soon and how many answers are final",
      details: """
        Starts one cluster after the other in a temporary directory. Clients send answers
        and wait until each is final: at a moderate pace, one per request, its latency
        counted from when it was due; then batches from many clients, as much as goes.
        The same load waits for a quorum, for comparison. After each measurement every
        node must have executed everything, at one height, to one root. At the end seven
        nodes in simulated regions write in virtual time. Clients and nodes share this
        host's processors. Use a release build.
        """,
      options: [
        .value("nodes", "N,N", "measure clusters of these sizes (default: 4,7,10)"),
        .value("clients", "N", "use N connections for the batches (default: 64)"),
        .value("seconds", "S", "measure S seconds each time (default: 10)"),
        .value("batch", "N", "send N answers per request in the batches (default: 100)"),
        .value("bytes", "N", "write N bytes of text per answer (default: 256)"),
        .value("rate", "N", "send N answers per second at the moderate pace (default: 50)"),
        .value("repeats", "N", "measure each load N times and show medians (default: 3)"),
        .output,
      ],
      examples: [
        Verb.Example("bench finality", "about ten minutes"),
        Verb.Example("bench finality --nodes 4 --seconds 3 --repeats 1", "a quick look"),
      ]
    ) { arguments, console in
      let settings = try settings(arguments)
      var clusters: [FinalityReport.Cluster] = []
      for count in settings.nodeCounts {
        let bench = ClusterBench(nodeCount: count, launcher: launcher, console: console)
        let outcome = try bench.outcome { cluster in
          try FinalityBench(settings: settings, cluster: cluster) { console.error($0) }.run()
        }
        switch outcome {
        case .interrupted(let status): return status
        case .finished(let cluster): clusters.append(cluster)
        }
      }
      console.error("seven simulated regions …")
      let report = FinalityReport(
        settings: settings, clusters: clusters, regions: try RegionBench.run(seeds: seeds))
      console.write(
        arguments.wantsJSON
          ? String(decoding: report.json, as: UTF8.self) + "\n" : report.text(console))
      return report.regions.violation == nil ? ExitStatus.success : ExitStatus.failure
    }
  }

  private static func settings(_ arguments: ArgumentList) throws -> FinalitySettings {
    var settings = FinalitySettings()
    if let text = arguments.value("nodes") {
      settings.nodeCounts = try text.split(separator: ",", omittingEmptySubsequences: false).map {
        try ArgumentList.integer(String($0), "--nodes", in: 4...ClusterFile.nodesMax)
      }
    }
    settings.clientCount = try arguments.integer(
      "clients", in: 1...1_024, default: settings.clientCount)
    settings.seconds = try arguments.integer("seconds", in: 1...3_600, default: settings.seconds)
    settings.batchCount = try arguments.integer(
      "batch", in: 1...1_000, default: settings.batchCount)
    settings.bytes = try arguments.integer(
      "bytes", in: IngestSettings.bytesRange, default: settings.bytes)
    settings.pacedPerSecond = try arguments.integer(
      "rate", in: 1...10_000, default: settings.pacedPerSecond)
    settings.repeats = try arguments.integer("repeats", in: 1...100, default: settings.repeats)
    return settings
  }
}
