internal import Configuration
internal import Telemetry

/// The cluster of the demonstration, used by several threads.
final class DemoNodes: Sendable {
  private let cluster: Monitor<LocalCluster>

  /// Makes the documents of a cluster in a directory; starts nothing.
  init(directory: String, launcher: NodeLauncher) throws {
    cluster = Monitor(
      try LocalCluster(
        creating: directory, count: DemoSettings.nodeCount, logLevel: .info, launcher: launcher))
  }

  /// The nodes as `cluster.json` describes them.
  var nodes: [ClusterFile.Node] { cluster.value.file.nodes }

  /// The APIs of the nodes.
  var endpoints: [String] { nodes.map(\.api) }

  /// The operator's token.
  func operatorToken() throws -> String {
    try SecretFile.read(cluster.value.file.operatorTokenFile)
  }

  /// Starts the nodes at some places and waits until they are ready.
  func start(_ places: some Sequence<Int> & Sendable) throws {
    let numbers = places.map { $0 + 1 }
    try cluster.update { _ = try $0.start(numbers) }
    try cluster.value.waitUntilReady(numbers)
  }

  /// Kills a node with SIGKILL.
  func kill(_ place: Int) throws {
    guard try cluster.value.kill(place + 1) else {
      throw NotReadyError(
        cluster.value.file.nodes[place], "was not running when it was to be killed")
    }
  }

  /// Stops every node that runs; returns the numbers of those that run nevertheless.
  func stop() -> [Int] {
    let cluster = cluster.value
    // Whatever could not be stopped is found right below.
    _ = try? cluster.stop(cluster.running)
    return cluster.running
  }
}
