internal import Configuration
internal import JSONText

/// The verbs that measure the control plane; each prints JSON.
enum ControlBenchVerbs {
  static func all(_ launcher: NodeLauncher) -> [Verb] {
    [kv(launcher), detection(launcher), idle(launcher)]
  }

  private static func kv(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "bench kv", group: .check, summary: "Measure linearizable writes of keys",
      details: """
        Starts a cluster in a temporary directory. One thread with many connections
        writes values to the leader's node, each connection its next one when the last
        is confirmed, first one connection alone, then more. Prints JSON: writes per
        second, p50 and p99, processor time of the nodes and of the client. Clients and
        nodes share this host's processors. Use a release build.
        """,
      options: [
        .value("nodes", "N", "start N nodes (default: 3)"),
        .value("clients", "N,N", "measure these numbers of connections (default: 1,16,64,256)"),
        .value("seconds", "S", "measure S seconds each time (default: 10)"),
        .value("bytes", "N", "write values of N bytes (default: 256)"),
        .flag("spread", "connect to all nodes instead of the leader's alone"),
      ],
      examples: [
        Verb.Example("bench kv", "four measurements of ten seconds"),
        Verb.Example("bench kv --clients 64 --seconds 3 --spread", "through all nodes"),
      ]
    ) { arguments, console in
      var settings = KVSettings()
      settings.nodeCount = try arguments.integer(
        "nodes", in: 1...ClusterFile.nodesMax, default: settings.nodeCount)
      settings.seconds = try arguments.integer(
        "seconds", in: 1...3_600, default: settings.seconds)
      settings.bytes = try arguments.integer("bytes", in: 0...65_536, default: settings.bytes)
      settings.isSpread = arguments.has("spread")
      if let text = arguments.value("clients") {
        settings.clientCounts = try KVSettings.clientCounts(text)
      }
      let bench = ClusterBench(
        nodeCount: settings.nodeCount, launcher: launcher, console: console)
      return try bench.run { [settings] cluster in
        let kv = KVBench(settings: settings, cluster: cluster) { console.error($0) }
        return .object([
          JSONMember(key: "nodes", value: .integer(Int64(settings.nodeCount))),
          JSONMember(key: "valueBytes", value: .integer(Int64(settings.bytes))),
          JSONMember(key: "seconds", value: .integer(Int64(settings.seconds))),
          JSONMember(key: "spread", value: .bool(settings.isSpread)),
          JSONMember(key: "measurements", value: .array(try kv.run().map(\.json))),
        ])
      }
    }
  }

  private static func detection(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "bench detection", group: .check, summary: "Measure how soon a dead node is known",
      details: """
        Starts a cluster, kills one node (SIGKILL) and measures how long it takes until
        every other holds it for down. Then half of all packets are lost on every link,
        and whoever holds a living node for down is counted. Prints JSON.
        """,
      options: [
        .value("nodes", "N", "start N nodes (default: 20)"),
        .value("seconds", "S", "lose packets for S seconds (default: 30)"),
        .value("loss", "P", "lose P percent of all packets (default: 50)"),
      ],
      examples: [Verb.Example("bench detection", "twenty nodes, about a minute")]
    ) { arguments, console in
      var settings = DetectionBench.Settings()
      settings.nodeCount = try arguments.integer(
        "nodes", in: 3...ClusterFile.nodesMax, default: settings.nodeCount)
      settings.lossSeconds = try arguments.integer(
        "seconds", in: 1...3_600, default: settings.lossSeconds)
      settings.lossMillionths = UInt64(
        10_000 * (try arguments.integer("loss", in: 0...100, default: 50)))
      let bench = ClusterBench(
        nodeCount: settings.nodeCount, launcher: launcher, console: console)
      return try bench.run { [settings] cluster in
        try DetectionBench(settings: settings, cluster: cluster) { console.error($0) }.run()
      }
    }
  }

  private static func idle(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "bench idle", group: .check, summary: "Measure what nodes cost that have nothing to do",
      details: """
        Starts a cluster, leaves it alone and prints as JSON how much processor time
        each node used, in percent of one processor.
        """,
      options: [
        .value("nodes", "N", "start N nodes (default: 10)"),
        .value("seconds", "S", "measure S seconds (default: 10)"),
      ],
      examples: [Verb.Example("bench idle", "ten nodes, ten seconds")]
    ) { arguments, console in
      let nodes = try arguments.integer("nodes", in: 1...ClusterFile.nodesMax, default: 10)
      let seconds = try arguments.integer("seconds", in: 1...3_600, default: 10)
      let bench = ClusterBench(nodeCount: nodes, launcher: launcher, console: console)
      return try bench.run { cluster in
        try IdleBench(seconds: seconds, cluster: cluster).run()
      }
    }
  }
}
