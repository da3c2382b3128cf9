internal import Configuration
internal import Glibc
internal import Telemetry

/// The verb that measures how fast answers are taken.
enum BenchVerb {
  static func ingest(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "bench ingest", group: .check, summary: "Measure how fast a cluster takes answers",
      details: """
        Starts a cluster in a temporary directory, or uses the nodes of --api. Clients
        send answers and wait until a quorum has each: first one answer per request,
        then batches. Beside it SQLite alone commits rows in groups as large as the
        bundles were, in the same run and on the same disk: that of $TMPDIR.
        Clients and nodes share this host's processors; the processor time of both is
        shown apart. Use a release build.
        """,
      options: [
        .value("nodes", "N", "start N nodes (default: 4)"),
        .value("clients", "N", "use N connections at the same time (default: 64)"),
        .value("seconds", "S", "measure S seconds each time (default: 10)"),
        .value("batch", "N", "send N answers per request in the second phase (default: 100)"),
        .value("bytes", "N", "write N bytes of text per answer (default: 256)"),
        .value("repeats", "N", "measure each phase N times and show medians (default: 3)"),
        .value("api", "URLS", "measure nodes that run already, with commas between them"),
        .output,
      ],
      examples: [
        Verb.Example("bench ingest", "about a minute and a half"),
        Verb.Example("bench ingest --seconds 3 --repeats 1 -o json", "a quick look, for programs"),
      ]
    ) { try BenchCommand(settings($0), $0.wantsJSON, launcher, $1).run() }
  }

  private static func settings(_ arguments: ArgumentList) throws -> IngestSettings {
    var settings = IngestSettings()
    settings.nodeCount = try arguments.integer(
      "nodes", in: 1...ClusterFile.nodesMax, default: settings.nodeCount)
    settings.clientCount = try arguments.integer(
      "clients", in: 1...1_024, default: settings.clientCount)
    settings.seconds = try arguments.integer("seconds", in: 1...3_600, default: settings.seconds)
    settings.batchCount = try arguments.integer(
      "batch", in: 1...1_000, default: settings.batchCount)
    settings.bytes = try arguments.integer(
      "bytes", in: IngestSettings.bytesRange, default: settings.bytes)
    settings.repeats = try arguments.integer("repeats", in: 1...100, default: settings.repeats)
    if arguments.value("api") != nil { settings.endpoints = try APIOptions.endpoints(arguments) }
    return settings
  }
}

/// One call of `bench ingest`.
struct BenchCommand {
  private let settings: IngestSettings
  private let wantsJSON: Bool
  private let launcher: NodeLauncher
  private let console: Console

  init(
    _ settings: IngestSettings, _ wantsJSON: Bool, _ launcher: NodeLauncher, _ console: Console
  ) {
    self.settings = settings
    self.wantsJSON = wantsJSON
    self.launcher = launcher
    self.console = console
  }

  func run() throws -> Int32 {
    var signals = SignalWait()
    signals.begin()
    let directory = try TemporaryDirectory.make("swarmoracle-bench")
    defer {
      do {
        try TemporaryDirectory.remove(directory)
      } catch {
        console.error("\(error)")
      }
    }
    let cluster = try cluster(in: directory)
    let outcome = Monitor<Result<IngestReport, any Error>?>(nil)
    let thread = WorkerThread { [self] in
      let result = Result { try measure(cluster, directory) }
      outcome.update { $0 = result }
    }
    defer { stop(cluster) }
    while outcome.value == nil {
      guard let signal = signals.wait(milliseconds: 50), signal != SIGCHLD else { continue }
      // The clients fail when their nodes are gone, which ends the measurement.
      console.error("\nstopping everything …")
      stop(cluster)
      if cluster != nil { thread.join() }
      return 128 + signal
    }
    thread.join()
    guard let report = try outcome.value?.get() else { return ExitStatus.failure }
    console.write(
      wantsJSON ? String(decoding: report.json, as: UTF8.self) + "\n" : report.text(console))
    return ExitStatus.success
  }

  private func cluster(in directory: String) throws -> Monitor<LocalCluster>? {
    guard settings.endpoints.isEmpty else { return nil }
    return Monitor(
      try LocalCluster(
        creating: Files.resolve("cluster", in: directory), count: settings.nodeCount,
        logLevel: .warning, launcher: launcher))
  }

  private func measure(
    _ cluster: Monitor<LocalCluster>?, _ directory: String
  ) throws -> IngestReport {
    var (endpoints, processes) = (settings.endpoints, [pid_t]())
    if let cluster {
      try cluster.update { _ = try $0.start($0.indices) }
      let started = cluster.value
      try started.waitUntilReady(started.indices)
      endpoints = started.file.nodes.map(\.api)
      processes = started.file.nodes.map(\.pid)
    }
    let bench = IngestBench(
      settings, endpoints: endpoints, processes: processes, directory: directory,
      tell: { [console] in console.error($0) })
    return IngestReport(
      settings: settings, nodeCount: endpoints.count, phases: try bench.run())
  }

  private func stop(_ cluster: Monitor<LocalCluster>?) {
    guard let cluster = cluster?.value else { return }
    do {
      _ = try cluster.stop(cluster.running)
    } catch {
      console.error("\(error)")
    }
  }
}
