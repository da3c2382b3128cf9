internal import Configuration
internal import Telemetry

/// The verbs for several nodes on this host.
enum ClusterVerbs {
  /// Where a cluster is when nobody says otherwise.
  static let defaultDirectory = "swarm"

  static let directoryOption = Option.value(
    "dir", letter: "d", "DIR", "the cluster's directory (default: ./\(defaultDirectory))")

  /// All of them.
  static func all(_ launcher: NodeLauncher) -> [Verb] {
    [
      up(launcher), status(launcher), kill(launcher), stop(launcher), start(launcher),
      down(launcher),
    ] + ClusterFaultVerbs.all(launcher)
  }

  private static func up(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster up", group: .cluster, summary: "Start N nodes on this host and connect them",
      usage: "[N]",
      details: """
        Makes keys, the genesis document, an operator's token and a directory per node
        when there is no cluster yet; starts the nodes of the one that is there
        otherwise. N is 4 unless stated. Returns when every node is ready, or stays
        until Ctrl-C without --detach.
        """,
      options: [
        directoryOption,
        .value("base-port", "P", "node i uses port P+i (default: free ports are chosen)"),
        .flag("detach", "return when the nodes are ready; they outlive this terminal"),
        .value(
          "log-level", "LEVEL", choices: LogLevel.allCases.map(\.name),
          "what nodes of a new cluster log: debug, info, warning or error"),
      ], positionalMax: 1,
      examples: [
        Verb.Example("cluster up 4", "four nodes until Ctrl-C, in ./swarm"),
        Verb.Example("cluster up 3 --dir /tmp/c --base-port 8000 --detach", "APIs on 8001 to 8003"),
      ]
    ) { try ClusterUp($0, $1, launcher).run() }
  }

  private static func status(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster status", group: .cluster, summary: "Show the nodes and whether their data is equal",
      details: """
        ROLE is leader, voter or learner, as the node itself says, TERM the leader's
        number. MEMBER is what the others think of the node: alive, suspect, down, left,
        removed; PARTITIONED is what a node says that reaches no majority. ROOT commits
        to every lane, ROWS to every row of the live tables. Nodes with the same bundles
        have the same of both. Exit status 1 when a node does not answer or the roots
        differ.
        """,
      options: [
        directoryOption, .output, .flag("watch", letter: "w", "show it again every second"),
      ],
      examples: [
        Verb.Example("cluster status", "once"),
        Verb.Example("cluster status --watch", "until Ctrl-C"),
        Verb.Example("cluster status -o json", "for programs"),
      ]
    ) { try ClusterStatus($0, $1, launcher).run() }
  }

  private static func kill(_ launcher: NodeLauncher) -> Verb {
    one(
      "cluster kill", "Kill node I without warning (SIGKILL)", "cluster kill 2",
      "what a crash looks like", launcher
    ) { cluster, index, console in
      let wasRunning = try cluster.kill(index)
      console.line(wasRunning ? "node \(index) is killed" : "node \(index) did not run")
    }
  }

  private static func stop(_ launcher: NodeLauncher) -> Verb {
    one(
      "cluster stop", "Stop node I in good order (SIGTERM)", "cluster stop 2",
      "before maintenance", launcher
    ) { cluster, index, console in
      let wasRunning = try cluster.process(index).isAlive
      let killed = try cluster.stop([index])
      let text = killed.isEmpty ? "is stopped" : "did not end in 10 s and was killed"
      console.line("node \(index) \(wasRunning ? text : "did not run")")
    }
  }

  private static func start(_ launcher: NodeLauncher) -> Verb {
    one(
      "cluster start", "Start node I again on the same ports and data", "cluster start 2",
      "after cluster kill 2", launcher
    ) { cluster, index, console in
      let started = try cluster.start([index])
      guard !started.isEmpty else {
        console.line("node \(index) runs already")
        return
      }
      try cluster.waitUntilReady([index])
      let node = try cluster.node(index)
      console.line("node \(index) is ready: process \(node.pid), \(node.api)")
    }
  }

  private static func down(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster down", group: .cluster, summary: "Stop all nodes and keep their data",
      details: "Nodes that have not ended after 10 s are killed.", options: [directoryOption],
      examples: [Verb.Example("cluster down", "stop the cluster of ./swarm")]
    ) { arguments, console in
      let directory = arguments.value("dir") ?? defaultDirectory
      var cluster = try LocalCluster(opening: directory, launcher: launcher)
      let lock = try ClusterLock(directory)
      defer { withExtendedLifetime(lock) {} }
      cluster = try LocalCluster(opening: directory, launcher: launcher)
      let running = cluster.running
      for index in try cluster.stop(running) {
        console.error("node \(index) did not end in 10 s and was killed")
      }
      console.line("\(running.count) nodes are stopped; their data is in \(cluster.directory)")
      return ExitStatus.success
    }
  }

  /// A verb that changes one node.
  private static func one(
    _ name: String, _ summary: String, _ example: String, _ note: String,
    _ launcher: NodeLauncher,
    _ act: @escaping @Sendable (inout LocalCluster, Int, Console) throws -> Void
  ) -> Verb {
    Verb(
      name, group: .cluster, summary: summary, usage: "I", options: [directoryOption],
      positionalMax: 1, examples: [Verb.Example(example, note)]
    ) { arguments, console in
      let index = try ArgumentList.integer(
        try arguments.argument(0, "the node's number I"), "I", in: 1...ClusterFile.nodesMax)
      let directory = arguments.value("dir") ?? defaultDirectory
      // Without a cluster there is no directory to put a lock in.
      _ = try LocalCluster(opening: directory, launcher: launcher)
      let lock = try ClusterLock(directory)
      defer { withExtendedLifetime(lock) {} }
      var cluster = try LocalCluster(opening: directory, launcher: launcher)
      try act(&cluster, index, console)
      return ExitStatus.success
    }
  }
}
