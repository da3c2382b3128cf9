internal import Configuration
internal import Crypto
internal import Glibc
internal import JSONText
internal import Primitives
internal import SQLiteStorage

/// Measures how fast a cluster takes answers that a quorum must acknowledge.
///
/// Clients are threads with one keep-alive connection each, spread over the nodes. They share the
/// processors with the nodes, so their own processor time is reported apart.
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
    let workload = IngestWorkload(questions: try ask(), bytes: settings.bytes)
    var clients = (0..<settings.clientCount).map {
      IngestClient(endpoint: endpoints[$0 % endpoints.count], workload: workload)
    }
    return try IngestPhase.allCases.map { phase in
      let runs = try (1...settings.repeats).map { number in
        let figures = try measure(phase, &clients)
        tell("\(phase.name) \(number)/\(settings.repeats): \(Int(figures.operationsPerSecond))/s")
        return figures
      }
      return (phase, runs)
    }
  }

  // MARK: Preparation

  /// Asks the questions on several threads, and waits until every node has them.
  private func ask() throws -> [String] {
    let (endpoints, total) = (endpoints, IngestSettings.questionCount)
    let threads = min(settings.clientCount, 32)
    let results = Monitor<[Result<[String], any Error>]>([])
    let workers = (0..<threads).map { place in
      WorkerThread {
        let count = total / threads + (place < total % threads ? 1 : 0)
        let result = Result { try IngestBench.ask(count, at: place % endpoints.count, endpoints) }
        results.update { $0.append(result) }
      }
    }
    for worker in workers { worker.join() }
    let questions = try results.value.flatMap { try $0.get() }
    _ = try DemoInspection(endpoints: endpoints, isCancelled: { false }).states()
    return questions
  }

  private static func ask(_ count: Int, at home: Int, _ endpoints: [String]) throws -> [String] {
    let client = SwarmClient(
      endpoints: endpoints, preferred: home,
      token: try DemoCast.register(
        "bench asker", "Asks questions to be answered", "ask",
        SwarmClient(endpoints: endpoints, preferred: home)
      ).token)
    return try (0..<count).map { _ in
      let key = Entropy.identifier(IngestBench.self).description
      let body = Array(#"{"text":"What is there to be measured?","minimumAnswers":1}"#.utf8)
      let reply = try client.post("/v1/questions?consistency=quorum", body, key: key)
      guard let id = reply.json["id"]?.string else {
        throw UnexpectedReply("a question", lacks: "id")
      }
      return id
    }
  }

  // MARK: Measurement

  private func measure(
    _ phase: IngestPhase, _ clients: inout [IngestClient]
  ) throws -> IngestFigures {
    let inspection = DemoInspection(endpoints: endpoints, isCancelled: { false })
    let before = try inspection.states()[0]
    let load = try load(phase, &clients)
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

  private struct Load {
    var counts: [IngestCount]
    var seconds: Double
    var nodeSeconds: Double?
    var clientSeconds: Double
  }

  /// What the clients' threads share: how many are connected, when they start, what they counted.
  private struct Starting: Sendable {
    var connected = 0
    var startNanoseconds: UInt64?
    var counts: [IngestCount] = []
    var clients: [IngestClient]
  }

  private func load(_ phase: IngestPhase, _ clients: inout [IngestClient]) throws -> Load {
    let shared = Monitor(Starting(clients: clients))
    let (seconds, batchCount) = (UInt64(settings.seconds), settings.batchCount)
    let workers = clients.indices.map { place in
      WorkerThread {
        var client = shared.value.clients[place]
        let connection = Result { try client.connect() }
        shared.update { $0.connected += 1 }
        let start = shared.wait { $0.startNanoseconds }
        var count = IngestCount()
        switch connection {
        case .failure(let error): count.fault = "\(error)"
        case .success(let connection):
          count = client.run(
            phase, batchCount: batchCount, on: connection,
            untilNanoseconds: start + seconds * 1_000_000_000)
        }
        shared.update { [client, count] state in
          state.clients[place] = client
          state.counts.append(count)
        }
      }
    }
    shared.wait { [count = clients.count] in $0.connected == count ? () : nil }
    let nodeSeconds = try nodeSeconds()
    let clientSeconds = ProcessorTime.ownSeconds
    let start = BenchClock.nanoseconds
    shared.update { $0.startNanoseconds = start }
    for worker in workers { worker.join() }
    let state = shared.value
    clients = state.clients
    let end = state.counts.map(\.endNanoseconds).max() ?? start
    return Load(
      counts: state.counts, seconds: Double(max(1, end - min(end, start))) / 1_000_000_000,
      nodeSeconds: try nodeSeconds.flatMap { before in try self.nodeSeconds().map { $0 - before } },
      clientSeconds: ProcessorTime.ownSeconds - clientSeconds)
  }

  /// Processor seconds of the nodes; `nil` when their processes are not known.
  private func nodeSeconds() throws -> Double? {
    processes.isEmpty ? nil : try ProcessorTime.seconds(of: processes)
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
