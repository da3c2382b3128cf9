internal import Configuration
internal import Glibc
internal import JSONText
internal import Telemetry

/// Runs a measurement on a cluster of its own, which ends with it, also after Ctrl-C.
struct ClusterBench {
  let nodeCount: Int
  let launcher: NodeLauncher
  let console: Console

  /// How a measurement ended.
  enum Outcome<Value: Sendable>: Sendable {
    /// With what was found.
    case finished(Value)
    /// By a signal, with the status to end with.
    case interrupted(Int32)
  }

  /// Starts the nodes, waits until all have one view, and prints what `measure` finds.
  func run(_ measure: @escaping @Sendable (LocalCluster) throws -> JSONValue) throws -> Int32 {
    switch try outcome(measure) {
    case .interrupted(let status): return status
    case .finished(let report):
      console.write(String(decoding: JSONLayout.bytes(report), as: UTF8.self))
      return ExitStatus.success
    }
  }

  /// Starts the nodes, waits until all have one view, and measures.
  func outcome<Value: Sendable>(
    _ measure: @escaping @Sendable (LocalCluster) throws -> Value
  ) throws -> Outcome<Value> {
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
    var cluster = try LocalCluster(
      creating: Files.resolve("cluster", in: directory), count: nodeCount, logLevel: .warning,
      launcher: launcher)
    do {
      try cluster.start(cluster.indices)
    } catch {
      for index in cluster.running { try cluster.kill(index) }
      throw error
    }
    let place = cluster.directory
    defer { end(place, atOnce: false) }
    try cluster.waitUntilReady(cluster.indices)
    try ClusterBench.waitForView(cluster)
    let outcome = Monitor<Result<Value, any Error>?>(nil)
    let thread = WorkerThread { [cluster] in
      let result = Result { try measure(cluster) }
      outcome.update { $0 = result }
    }
    while outcome.value == nil {
      guard let signal = signals.wait(milliseconds: 50), signal != SIGCHLD else { continue }
      console.error("\nstopping everything …")
      // Without its nodes the measurement ends.
      end(place, atOnce: true)
      thread.join()
      return .interrupted(128 + signal)
    }
    thread.join()
    guard let value = try outcome.value?.get() else {
      preconditionFailure("a measurement ended without a result")
    }
    return .finished(value)
  }

  /// Ends the nodes as `cluster.json` names them: the measurement may have started some again.
  private func end(_ directory: String, atOnce: Bool) {
    do {
      let cluster = try LocalCluster(opening: directory, launcher: launcher)
      if atOnce {
        for index in cluster.running { try cluster.kill(index) }
      } else {
        try cluster.stop(cluster.running)
      }
    } catch {
      console.error("\(error)")
    }
  }

  /// Waits until all nodes name one leader and hold each other for alive.
  static func waitForView(_ cluster: LocalCluster) throws {
    let nodes = cluster.file.nodes.compactMap { node in
      PlainAddress(node.api).map { (id: node.id, connection: PlainConnection($0)) }
    }
    let deadline = MonotonicClock.milliseconds + 60_000
    while MonotonicClock.milliseconds < deadline {
      let views = nodes.map {
        (id: $0.id, view: ControlView.ask($0.connection, timeoutMilliseconds: 1_000))
      }
      if ControlView.agree(views) { return }
      DrillClient.pause(milliseconds: 50)
    }
    throw DemoFailure(description: "the nodes did not come to one view within a minute")
  }
}
