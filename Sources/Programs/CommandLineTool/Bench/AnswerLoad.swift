internal import Configuration
internal import Crypto
internal import Glibc
internal import JSONText
internal import Primitives

/// Clients that answer questions at the nodes of a cluster, as fast as they can or at a pace.
///
/// Clients are threads with one keep-alive connection each, spread over the nodes. They share the
/// processors with the nodes, so their own processor time is reported apart.
struct AnswerLoad {
  /// What one measurement came to.
  struct Outcome {
    /// What each client counted.
    var counts: [IngestCount]
    /// From the first request to the last answer.
    var seconds: Double
    /// Processor seconds of the nodes; `nil` when their processes are not known.
    var nodeSeconds: Double?
    /// Processor seconds of this process.
    var clientSeconds: Double
  }

  private let processes: [pid_t]
  private var clients: [IngestClient]

  /// Asks questions, waits until every node has them, and makes clients.
  init(endpoints: [String], processes: [pid_t], clientCount: Int, bytes: Int) throws {
    self.processes = processes
    let questions = try AnswerLoad.ask(endpoints, threads: min(clientCount, 32))
    let workload = IngestWorkload(questions: questions, bytes: bytes)
    clients = (0..<clientCount).map {
      IngestClient(endpoint: endpoints[$0 % endpoints.count], workload: workload)
    }
  }

  // MARK: Preparation

  /// Asks the questions on several threads, and waits until every node has them.
  private static func ask(_ endpoints: [String], threads: Int) throws -> [String] {
    let total = IngestSettings.questionCount
    let results = Monitor<[Result<[String], any Error>]>([])
    let workers = (0..<threads).map { place in
      WorkerThread {
        let count = total / threads + (place < total % threads ? 1 : 0)
        let result = Result { try AnswerLoad.ask(count, at: place % endpoints.count, endpoints) }
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
      let key = Entropy.identifier(AnswerLoad.self).description
      let body = Array(#"{"text":"What is there to be measured?","minimumAnswers":1}"#.utf8)
      let reply = try client.post("/v1/questions?consistency=quorum", body, key: key)
      guard let id = reply.json["id"]?.string else {
        throw UnexpectedReply("a question", lacks: "id")
      }
      return id
    }
  }

  // MARK: Measurement

  /// What the clients' threads share: how many are connected, when they start, what they counted.
  private struct Starting: Sendable {
    var connected = 0
    var startNanoseconds: UInt64?
    var counts: [IngestCount] = []
    var clients: [IngestClient]
  }

  /// Has the first `count` clients, or all, answer for some seconds.
  mutating func run(
    _ pattern: AnswerPattern, seconds: Int, clients count: Int? = nil
  ) throws -> Outcome {
    let count = min(count ?? clients.count, clients.count)
    let shared = Monitor(Starting(clients: clients))
    let length = UInt64(seconds) * 1_000_000_000
    let workers = (0..<count).map { place in
      WorkerThread {
        var client = shared.value.clients[place]
        let connection = Result { try client.connect() }
        shared.update { $0.connected += 1 }
        let start = shared.wait { $0.startNanoseconds }
        var counted = IngestCount()
        switch connection {
        case .failure(let error): counted.fault = "\(error)"
        case .success(let connection):
          // At a pace the clients take turns instead of sending all at once.
          let turn = (pattern.paceNanoseconds ?? 0) * UInt64(place) / UInt64(count)
          counted = client.run(
            pattern, on: connection, from: start + turn, untilNanoseconds: start + length)
        }
        shared.update { [client, counted] state in
          state.clients[place] = client
          state.counts.append(counted)
        }
      }
    }
    shared.wait { $0.connected == count ? () : nil }
    let nodeSeconds = try nodeSeconds()
    let clientSeconds = ProcessorTime.ownSeconds
    let start = BenchClock.nanoseconds
    shared.update { $0.startNanoseconds = start }
    for worker in workers { worker.join() }
    let state = shared.value
    clients = state.clients
    let end = state.counts.map(\.endNanoseconds).max() ?? start
    return Outcome(
      counts: state.counts, seconds: Double(max(1, end - min(end, start))) / 1_000_000_000,
      nodeSeconds: try nodeSeconds.flatMap { before in try self.nodeSeconds().map { $0 - before } },
      clientSeconds: ProcessorTime.ownSeconds - clientSeconds)
  }

  private func nodeSeconds() throws -> Double? {
    processes.isEmpty ? nil : try ProcessorTime.seconds(of: processes)
  }
}
