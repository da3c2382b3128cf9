internal import Configuration
internal import Glibc
internal import Telemetry

/// `cluster up`: makes a cluster when there is none, starts its nodes, and watches them.
struct ClusterUp {
  let directory: String
  let count: Int?
  let basePort: Int?
  let logLevel: LogLevel
  let isDetached: Bool
  let launcher: NodeLauncher
  let console: Console

  init(_ arguments: ArgumentList, _ console: Console, _ launcher: NodeLauncher) throws {
    directory = try Files.absolute(arguments.value("dir") ?? ClusterVerbs.defaultDirectory)
    count = try arguments.positional.first.map {
      try ArgumentList.integer($0, "N", in: 1...ClusterFile.nodesMax)
    }
    basePort = try arguments.value("base-port").map {
      try ArgumentList.integer($0, "--base-port", in: 1_023...65_000)
    }
    let level = arguments.value("log-level") ?? LogLevel.info.name
    guard let logLevel = LogLevel(name: level) else {
      throw UsageError("--log-level is '\(level)'")
    }
    self.logLevel = logLevel
    isDetached = arguments.has("detach")
    self.launcher = launcher
    self.console = console
  }

  func run() throws -> Int32 {
    var signals = SignalWait()
    if !isDetached { signals.begin() }
    let cluster = try start()
    show(cluster)
    guard !isDetached else { return ExitStatus.success }
    console.error("running until Ctrl-C, which stops the nodes and keeps their data")
    try watch(signals)
    let last = try LocalCluster(opening: directory, launcher: launcher)
    let killed = try last.stop(last.running)
    for index in killed { console.error("node \(index) did not end in 10 s and was killed") }
    console.error("all nodes are stopped; cluster up starts them again")
    return ExitStatus.success
  }

  private func start() throws -> LocalCluster {
    try Files.makeDirectory(directory)
    let lock = try ClusterLock(directory)
    defer { withExtendedLifetime(lock) {} }
    var cluster = try open()
    let running = cluster.running
    let missing = cluster.indices.filter { !running.contains($0) }
    do {
      let started = try cluster.start(missing)
      try cluster.waitUntilReady(started, withQuorum: true)
    } catch {
      // What ran before goes on running.
      try cluster.stop(missing)
      throw error
    }
    return cluster
  }

  private func open() throws -> LocalCluster {
    guard LocalCluster.exists(in: directory) else {
      return try LocalCluster(
        creating: directory, count: count ?? 4, basePort: basePort, logLevel: logLevel,
        launcher: launcher)
    }
    let cluster = try LocalCluster(opening: directory, launcher: launcher)
    let size = cluster.indices.upperBound
    guard cluster.running.count < size else {
      throw ConfigurationError(
        source: directory,
        reason: "all \(size) nodes run already; see cluster status, or stop them with cluster down")
    }
    guard basePort == nil else {
      throw ConfigurationError(
        source: directory,
        reason: "a cluster is here, and its ports are chosen; leave out --base-port, or choose "
          + "another --dir")
    }
    guard count == nil || count == size else {
      throw ConfigurationError(
        source: directory,
        reason: "a cluster of \(size) nodes is here; start it with cluster up \(size), or choose "
          + "another --dir")
    }
    return cluster
  }

  private func show(_ cluster: LocalCluster) {
    var table = Table([("NODE", .right), ("PID", .right), ("API", .left), ("QUIC", .left)])
    for node in cluster.file.nodes {
      table.append([
        .init("\(node.index)"), .init("\(node.pid)"), .init(node.api), .init(node.quic),
      ])
    }
    console.write(table.text(console))
    let flag =
      directory.hasSuffix("/\(ClusterVerbs.defaultDirectory)") ? "" : " --dir \(directory)"
    console.line("\ntry this:")
    console.line("  curl -s \(cluster.file.nodes[0].api)/v1/status")
    console.line("  \(Tool.name) cluster status\(flag)")
  }

  /// Waits for Ctrl-C, telling of nodes that end meanwhile; returns too when none is left.
  private func watch(_ signals: SignalWait) throws {
    var emptyRounds = 0
    while emptyRounds < 3 {
      switch signals.wait(milliseconds: 1_000) {
      case SIGINT, SIGTERM, SIGHUP: return
      case SIGCHLD: try reportEnded()
      default: break
      }
      let cluster = try LocalCluster(opening: directory, launcher: launcher)
      emptyRounds = cluster.running.isEmpty ? emptyRounds + 1 : 0
    }
    console.error("no node is left")
  }

  private func reportEnded() throws {
    let cluster = try LocalCluster(opening: directory, launcher: launcher)
    while true {
      var status: Int32 = 0
      let ended = waitpid(-1, &status, WNOHANG)
      guard ended > 0 else { return }
      for node in cluster.file.nodes where node.pid == ended {
        let cause = status & 0x7f == 0 ? "status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
        console.error(
          "node \(node.index) (process \(ended)) ended with \(cause); "
            + "\(Tool.name) cluster start \(node.index) brings it back")
      }
    }
  }
}

/// Waiting for signals in place of handling them.
struct SignalWait {
  private var set = sigset_t()

  /// Blocks the signals of an end and of children, so that they can be waited for.
  mutating func begin() {
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// The next signal, or `nil` after `milliseconds`.
  func wait(milliseconds: Int) -> Int32? {
    var set = set
    var time = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    let signal = sigtimedwait(&set, nil, &time)
    return signal > 0 ? signal : nil
  }
}
