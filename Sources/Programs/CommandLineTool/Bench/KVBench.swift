internal import Configuration
internal import Glibc
internal import JSONText
internal import Telemetry

/// What `bench kv` measures.
package struct KVSettings: Sendable {
  /// Nodes that are started.
  var nodeCount = 3
  /// Connections at once, one measurement each.
  var clientCounts = [1, 16, 64, 256]
  /// How long each measurement takes.
  var seconds = 10
  /// Bytes of each value.
  var bytes = 256
  /// Different keys.
  var keys = 1_000
  /// Whether connections go to all nodes instead of the leader alone.
  var isSpread = false

  /// Starts with what is measured unless told otherwise.
  package init() {}

  /// Reads numbers of clients with commas between them.
  package static func clientCounts(_ text: String) throws -> [Int] {
    let counts = try text.split(separator: ",", omittingEmptySubsequences: false).map {
      try ArgumentList.integer(String($0), "--clients", in: 1...4_096)
    }
    guard (1...16).contains(counts.count) else {
      throw UsageError("--clients takes 1 to 16 numbers with commas between them")
    }
    return counts
  }
}

/// What one measurement came to.
package struct KVFigures: Sendable {
  /// Connections.
  var clients = 0
  /// Confirmed writes.
  var operations = 0
  /// Confirmed writes in a second.
  var operationsPerSecond = 0.0
  /// The time that half of the writes stayed below, in microseconds.
  var medianMicroseconds: UInt32 = 0
  /// The time that 99 of 100 writes stayed below, in microseconds.
  var p99Microseconds: UInt32 = 0
  /// The longest write, in microseconds.
  var maxMicroseconds: UInt32 = 0
  /// Processor time of each node for one write, in microseconds; the leader uses most.
  var nodeMicrosecondsPerOperation: [Double] = []
  /// Processor time of this process for one write, in microseconds.
  var clientMicrosecondsPerOperation = 0.0
  /// Answers that were no success, by status.
  var refusals: [Int: Int] = [:]

  /// The figures as data.
  var json: JSONValue {
    .object([
      JSONMember(key: "clients", value: .integer(Int64(clients))),
      JSONMember(key: "operations", value: .integer(Int64(operations))),
      JSONMember(key: "operationsPerSecond", value: .integer(Int64(operationsPerSecond))),
      JSONMember(key: "p50Microseconds", value: .integer(Int64(medianMicroseconds))),
      JSONMember(key: "p99Microseconds", value: .integer(Int64(p99Microseconds))),
      JSONMember(key: "maxMicroseconds", value: .integer(Int64(maxMicroseconds))),
      JSONMember(
        key: "nodeCPUMicrosecondsPerOperation",
        value: .array(nodeMicrosecondsPerOperation.map { .integer(Int64($0.rounded())) })),
      JSONMember(
        key: "clientCPUMicrosecondsPerOperation",
        value: .integer(Int64(clientMicrosecondsPerOperation.rounded()))),
      JSONMember(
        key: "refusals",
        value: .object(
          refusals.sorted { $0.key < $1.key }.map {
            JSONMember(key: "\($0.key)", value: .integer(Int64($0.value)))
          })),
    ])
  }
}

/// Measures how many linearizable writes a cluster confirms in a second.
///
/// All connections are on one thread of this process, which shares the processors with the nodes;
/// its own processor time is reported apart.
struct KVBench {
  /// How long the load runs before it counts.
  private static let warmUpNanoseconds: UInt64 = 1_000_000_000

  let settings: KVSettings
  let cluster: LocalCluster
  let tell: (String) -> Void

  /// Measures one number of clients after the other.
  func run() throws -> [KVFigures] {
    let token = String(
      decoding: try Files.read(cluster.file.operatorTokenFile).filter { $0 > 0x20 },
      as: UTF8.self)
    return try settings.clientCounts.map { count in
      let figures = try measure(count, token)
      tell(
        "\(count) clients: \(Int(figures.operationsPerSecond))/s, "
          + "p50 \(figures.medianMicroseconds) us, p99 \(figures.p99Microseconds) us")
      return figures
    }
  }

  private func measure(_ count: Int, _ token: String) throws -> KVFigures {
    let targets = try targets()
    let clients = (0..<count).map { number in
      let address = targets[number % targets.count]
      return (address: address, requests: requests(number, count, token, address))
    }
    let load = try LoadClient(clients)
    let processes = cluster.file.nodes.map(\.pid)
    var nodesBefore: [UInt64] = []
    var ownBefore = 0.0
    var start: UInt64 = 0
    var failure: (any Error)?
    let counts = try load.run(
      warmUpNanoseconds: KVBench.warmUpNanoseconds,
      nanoseconds: UInt64(settings.seconds) * 1_000_000_000
    ) {
      do {
        nodesBefore = try processes.map { try ProcessorTime.nanoseconds(of: $0) }
      } catch {
        failure = error
      }
      ownBefore = ProcessorTime.ownSeconds
      start = BenchClock.nanoseconds
    }
    let seconds = Double(BenchClock.nanoseconds - start) / 1_000_000_000
    let own = ProcessorTime.ownSeconds - ownBefore
    let nodes = try processes.map { try ProcessorTime.nanoseconds(of: $0) }
    if let failure { throw failure }
    if let fault = counts.fault {
      throw DemoFailure(description: "\(counts.broken) connections broke: \(fault)")
    }
    guard !counts.latencies.isEmpty else {
      throw DemoFailure(description: "no write was confirmed; answers: \(counts.refusals)")
    }
    let latencies = counts.latencies.sorted()
    var figures = KVFigures()
    figures.clients = count
    figures.operations = latencies.count
    figures.operationsPerSecond = Double(latencies.count) / seconds
    figures.medianMicroseconds = IngestFigures.percentile(500, of: latencies)
    figures.p99Microseconds = IngestFigures.percentile(990, of: latencies)
    figures.maxMicroseconds = latencies.last ?? 0
    figures.nodeMicrosecondsPerOperation = zip(nodes, nodesBefore).map { after, before in
      // A thread that ended takes its time along.
      Double(after - min(before, after)) / 1_000 / Double(latencies.count)
    }
    figures.clientMicrosecondsPerOperation = own * 1_000_000 / Double(latencies.count)
    figures.refusals = counts.refusals
    return figures
  }

  /// The nodes that connections go to: the leader, or all.
  private func targets() throws -> [PlainAddress] {
    let addresses = cluster.file.nodes.compactMap { PlainAddress($0.api) }
    if settings.isSpread { return addresses }
    let patience = MonotonicClock.milliseconds + 10_000
    while MonotonicClock.milliseconds < patience {
      for address in addresses {
        let view = ControlView.ask(PlainConnection(address), timeoutMilliseconds: 1_000)
        if view?.role == "leader" { return [address] }
      }
      DrillClient.pause(milliseconds: 20)
    }
    throw DemoFailure(description: "nobody leads")
  }

  /// The requests that one connection repeats: its share of the keys, each value of a length.
  private func requests(
    _ number: Int, _ count: Int, _ token: String, _ address: PlainAddress
  ) -> [[UInt8]] {
    let value = String(repeating: "x", count: settings.bytes)
    let body = Array("{\"value\":\"\(value)\"}".utf8)
    let share = stride(from: number, to: max(settings.keys, count), by: count)
    return share.prefix(64).map { key in
      PlainRequest("PUT", "/v1/kv/bench/\(key)", token: token, body: body)
        .bytes(to: address.host)
    }
  }
}
