package import Configuration
internal import Crypto
internal import Glibc
internal import HTTPClient
internal import Primitives
internal import Records
package import Telemetry

/// The nodes that run on this host for one directory.
///
/// ```
/// D/cluster.json     what runs where; replaced as a whole
/// D/cluster.lock     held by the command that is changing the cluster
/// D/operator.token   the operator's token, the same for every node
/// D/node-1/ …        one directory per node, with its log in node.log
/// ```
package struct LocalCluster: Sendable {
  /// The file of a node's output inside its directory.
  package static let logName = "node.log"
  /// How long nodes have to become ready, in milliseconds.
  package static let readyMilliseconds = 30_000
  /// How long nodes have to end after SIGTERM, in milliseconds.
  package static let endMilliseconds = 10_000

  /// The cluster's directory, from the root.
  package let directory: String
  /// What `cluster.json` says, or will say once the first node has started.
  package private(set) var file: ClusterFile
  private let launcher: NodeLauncher

  /// Opens a cluster that was made earlier.
  package init(opening directory: String, launcher: NodeLauncher) throws {
    let directory = try Files.absolute(directory)
    guard LocalCluster.exists(in: directory) else {
      throw ConfigurationError(
        source: directory,
        reason: "no cluster here; make one with: \(Tool.name) cluster up 4 --dir \(directory)")
    }
    self.directory = directory
    file = try ClusterFile(in: directory)
    self.launcher = launcher
  }

  /// Makes the directories, keys and documents of a cluster of `count` nodes; starts nothing.
  ///
  /// Node `i` uses port `basePort + i` for agents (TCP) and for peers (UDP); without a base port,
  /// free ports are chosen.
  package init(
    creating directory: String, count: Int, basePort: Int? = nil, logLevel: LogLevel = .info,
    launcher: NodeLauncher
  ) throws {
    precondition((1...ClusterFile.nodesMax).contains(count), "a cluster of \(count) nodes")
    let directory = try Files.absolute(directory)
    self.directory = directory
    self.launcher = launcher
    try Files.makeDirectory(directory)
    let nodes = try LocalCluster.addresses(count: count, basePort: basePort)
    let keys = try (1...count).map { index in
      let path = "\(directory)/node-\(index)"
      try Files.makeDirectory(path, mode: 0o700)
      return try NodeKey.create(at: Files.resolve(NodeKey.fileName, in: path))
    }
    let genesis = try Genesis(
      name: "local", createdMilliseconds: WallClock.milliseconds,
      voters: zip(keys, nodes).map { Voter(node: $0.node, transport: $1.quic, api: $1.api) })
    let token = OperatorToken.make()
    let tokenFile = Files.resolve(OperatorToken.fileName, in: directory)
    try token.create(at: tokenFile)
    file = ClusterFile(
      cluster: genesis.cluster.digest.hexadecimal, operatorTokenFile: tokenFile, nodes: [])
    for (offset, addresses) in nodes.enumerated() {
      let path = "\(directory)/node-\(offset + 1)"
      var settings = NodeSettings(
        name: "node-\(offset + 1)", transport: addresses.quic, api: addresses.api)
      settings.logLevel = logLevel
      try NodeConfiguration.write(settings, genesis: genesis, operatorToken: token, in: path)
      file.nodes.append(
        ClusterFile.Node(
          index: offset + 1, id: keys[offset].node.key.hexadecimal, pid: 0, startTicks: 0,
          api: "http://\(addresses.api)", quic: addresses.quic.description, dir: path))
    }
  }

  /// Whether a cluster was made in `directory`.
  package static func exists(in directory: String) -> Bool {
    Files.exists(Files.resolve(ClusterFile.fileName, in: directory))
  }

  /// The numbers of the nodes, from 1.
  package var indices: ClosedRange<Int> { 1...file.nodes.count }

  /// The node numbered `index`.
  package func node(_ index: Int) throws -> ClusterFile.Node {
    guard indices.contains(index) else {
      throw UsageError("node \(index) does not exist: this cluster has \(indices.upperBound)")
    }
    return file.nodes[index - 1]
  }

  /// The process of a node, which may have ended.
  package func process(_ index: Int) throws -> ProcessIdentity {
    let node = try node(index)
    return ProcessIdentity(number: node.pid, startTicks: node.startTicks)
  }

  /// The numbers of the nodes that run.
  package var running: [Int] {
    file.nodes.filter { ProcessIdentity(number: $0.pid, startTicks: $0.startTicks).isAlive }
      .map(\.index)
  }

  private static func addresses(
    count: Int, basePort: Int?
  ) throws -> [(quic: NetworkAddress, api: NetworkAddress)] {
    let reservation = PortReservation()
    return try (1...count).map { index in
      let port = UInt16(basePort.map { $0 + index } ?? 0)
      let api = try reservation.reserve(.tcp, port: port)
      let quic = try reservation.reserve(.udp, port: port)
      guard let quic = NetworkAddress("127.0.0.1:\(quic)"),
        let api = NetworkAddress("127.0.0.1:\(api)")
      else { preconditionFailure("ports \(quic) and \(api) make no address") }
      return (quic, api)
    }
  }
}

extension LocalCluster {
  /// Starts the nodes that do not run and writes `cluster.json`; returns the started numbers.
  @discardableResult package mutating func start(_ indices: some Sequence<Int>) throws -> [Int] {
    var started: [Int] = []
    for index in indices {
      if try process(index).isAlive { continue }
      let identity = try launcher.start(try node(index).dir)
      file.nodes[index - 1].pid = identity.number
      file.nodes[index - 1].startTicks = identity.startTicks
      started.append(index)
    }
    if !started.isEmpty && file.nodes.allSatisfy({ $0.pid > 0 }) { try file.write(in: directory) }
    return started
  }

  /// Waits until nodes answer `/ready` with 200, with a quorum in reach when that is asked for;
  /// fails with the end of its log when one ends before that, or is not ready in time.
  package func waitUntilReady(
    _ indices: some Sequence<Int>, withQuorum: Bool = false, milliseconds: Int = readyMilliseconds
  ) throws {
    let path = withQuorum ? "/ready?quorum=1" : "/ready"
    var patience = Patience(milliseconds: milliseconds)
    let connection = HTTPConnection(responseBytesMax: 1 << 20)
    var waiting = Array(indices)
    while true {
      waiting = try waiting.filter { index in
        guard try process(index).isAlive else {
          // Takes note of the end, so that no zombie of ours is left.
          _ = try process(index).waitForEnd(milliseconds: 0)
          throw NotReadyError(try node(index), "ended before it was ready")
        }
        let url = try node(index).api + path
        return !LocalCluster.isReady(url, connection)
      }
      guard let first = waiting.first else { return }
      guard patience.pause() else {
        throw NotReadyError(try node(first), "was not ready after \(milliseconds / 1_000) s")
      }
    }
  }

  private static func isReady(_ url: String, _ connection: HTTPConnection) -> Bool {
    do {
      return try connection.send(
        method: "GET", url: url, timeoutMilliseconds: 1_000
      ).status == 200
    } catch {
      // A node that is starting refuses connections.
      return false
    }
  }

  /// Kills a node at once; returns whether it ran.
  @discardableResult package func kill(_ index: Int) throws -> Bool {
    let process = try process(index)
    let wasRunning = process.send(SIGKILL)
    _ = process.waitForEnd(milliseconds: LocalCluster.endMilliseconds)
    return wasRunning
  }

  /// Asks nodes to end, and kills those that have not by then; returns the killed numbers.
  @discardableResult package func stop(
    _ indices: some Sequence<Int>, milliseconds: Int = endMilliseconds
  ) throws -> [Int] {
    let indices = Array(indices)
    for index in indices { try process(index).send(SIGTERM) }
    let deadline = MonotonicClock.milliseconds + milliseconds
    var killed: [Int] = []
    for index in indices {
      let left = max(0, deadline - MonotonicClock.milliseconds)
      if try process(index).waitForEnd(milliseconds: left) { continue }
      try kill(index)
      killed.append(index)
    }
    return killed
  }
}

/// A node that did not become ready, with the end of what it wrote.
package struct NotReadyError: Error, CustomStringConvertible {
  /// What happened, and the last lines of the node's log.
  package let description: String

  init(_ node: ClusterFile.Node, _ reason: String) {
    let path = Files.resolve(LocalCluster.logName, in: node.dir)
    // Without a log there is nothing to show besides the reason.
    let bytes = (try? Files.read(path, limit: 64 << 20)) ?? []
    let lines = String(decoding: bytes.suffix(16_384), as: UTF8.self).split(separator: "\n")
    let tail = lines.suffix(15).map { "  \($0)" }.joined(separator: "\n")
    let log = tail.isEmpty ? "it wrote nothing to \(path)" : "the end of \(path):\n\(tail)"
    description = "node \(node.index) \(reason); \(log)"
  }
}

/// The right to change a cluster: held by one command at a time.
package final class ClusterLock {
  private let descriptor: Int32

  /// Waits for the right.
  package init(_ directory: String) throws {
    let path = Files.resolve("cluster.lock", in: try Files.absolute(directory))
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw FileError(operation: "open", path: path, code: errno)
    }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else {
        let code = errno
        close(descriptor)
        throw FileError(operation: "lock", path: path, code: code)
      }
    }
  }

  deinit { close(descriptor) }
}
