internal import Configuration
internal import Glibc
package import Primitives

/// The verbs that disturb a cluster on purpose, and those that move its leader.
package enum ClusterFaultVerbs {
  static func all(_ launcher: NodeLauncher) -> [Verb] {
    [
      partition(launcher), slow(launcher), heal(launcher), pause(launcher), resume(launcher),
      leader(launcher), transfer(launcher),
    ]
  }

  // MARK: Packets

  private static func partition(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster partition", group: .cluster,
      summary: "Let nodes of different groups not reach each other", usage: "GROUPS",
      details: """
        GROUPS are numbers with commas inside a group and slashes between groups; a
        node in no group reaches everybody. Takes the place of what partition or slow
        set before, until cluster heal. A node that is started later knows nothing of
        it; the other ends of its links do.
        """,
      options: [ClusterVerbs.directoryOption], positionalMax: 1,
      examples: [Verb.Example("cluster partition 1,2/3,4,5", "two against three")]
    ) { arguments, console in
      let text = try arguments.argument(0, "the GROUPS")
      return try change(arguments, console, launcher) { links, cluster in
        links.partition(try groups(text, count: cluster.indices.upperBound))
      }
    }
  }

  private static func slow(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster slow", group: .cluster, summary: "Delay and lose the packets of node I", usage: "I",
      details: """
        Every packet that leaves node I is delayed, and packets of both ways are lost
        by chance. Takes the place of what partition or slow set before, until cluster
        heal.
        """,
      options: [
        ClusterVerbs.directoryOption,
        .value("delay", "TIME", "delay packets by this, such as 50ms (default: none)"),
        .value("loss", "SHARE", "lose this share of packets, such as 5% (default: none)"),
      ], positionalMax: 1,
      examples: [Verb.Example("cluster slow 2 --delay 50ms --loss 5%", "a node far away")]
    ) { arguments, console in
      let delay = try arguments.value("delay").map { try span($0, "--delay") }
      let loss = try arguments.value("loss").map { try share($0, "--loss") }
      guard delay != nil || loss != nil else { throw UsageError("give --delay, --loss or both") }
      let index = try ArgumentList.integer(
        try arguments.argument(0, "the node's number I"), "I", in: 1...ClusterFile.nodesMax)
      return try change(arguments, console, launcher) { links, cluster in
        _ = try cluster.node(index)
        links.slow(index - 1, delay: delay ?? .zero, lossMillionths: loss ?? 0)
      }
    }
  }

  private static func heal(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster heal", group: .cluster, summary: "End what partition and slow set",
      options: [ClusterVerbs.directoryOption],
      examples: [Verb.Example("cluster heal", "everybody reaches everybody")]
    ) { arguments, console in
      try change(arguments, console, launcher) { _, _ in }
    }
  }

  /// Tells every node that runs what stands between it and the others.
  private static func change(
    _ arguments: ArgumentList, _ console: Console, _ launcher: NodeLauncher,
    _ body: (inout LinkFaults, LocalCluster) throws -> Void
  ) throws -> Int32 {
    let cluster = try open(arguments, launcher)
    var links = LinkFaults(nodeCount: cluster.indices.upperBound, network: nil)
    try body(&links, cluster)
    let ids = cluster.file.nodes.map(\.id)
    let running = cluster.running
    for index in running {
      let line = NodeOrders.faults(
        links.links(of: index - 1), ids: ids, seed: UInt64(index))
      try NodeOrders.send(line, to: try cluster.node(index))
    }
    let silent = cluster.indices.filter { !running.contains($0) }
    console.line("\(running.count) nodes do as told")
    if !silent.isEmpty {
      console.error(
        "not running and so not told: \(silent.map { "\($0)" }.joined(separator: ", "))")
    }
    return ExitStatus.success
  }

  // MARK: Processes

  private static func pause(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster pause", group: .cluster, summary: "Let node I stand still (SIGSTOP)", usage: "I",
      details: "With --for the command waits and lets it go on, also after Ctrl-C.",
      options: [
        ClusterVerbs.directoryOption,
        .value("for", "TIME", "let it go on after this, such as 5s (default: cluster resume)"),
      ], positionalMax: 1,
      examples: [Verb.Example("cluster pause 2 --for 5s", "what a long stall looks like")]
    ) { arguments, console in
      let length = try arguments.value("for").map { try span($0, "--for") }
      var signals = SignalWait()
      if length != nil { signals.begin() }
      let (cluster, index) = try openOne(arguments, launcher)
      guard try cluster.process(index).send(SIGSTOP) else {
        console.error("node \(index) does not run")
        return ExitStatus.failure
      }
      console.line("node \(index) stands still")
      guard let length else { return ExitStatus.success }
      let end = MonotonicClock.milliseconds + Int(length.nanoseconds / 1_000_000)
      while true {
        let left = end - MonotonicClock.milliseconds
        guard left > 0 else { break }
        if let signal = signals.wait(milliseconds: left), signal != SIGCHLD { break }
      }
      try cluster.process(index).send(SIGCONT)
      console.line("node \(index) goes on")
      return ExitStatus.success
    }
  }

  private static func resume(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster resume", group: .cluster, summary: "Let node I go on (SIGCONT)", usage: "I",
      options: [ClusterVerbs.directoryOption], positionalMax: 1,
      examples: [Verb.Example("cluster resume 2", "after cluster pause 2")]
    ) { arguments, console in
      let (cluster, index) = try openOne(arguments, launcher)
      guard try cluster.process(index).send(SIGCONT) else {
        console.error("node \(index) does not run")
        return ExitStatus.failure
      }
      console.line("node \(index) goes on")
      return ExitStatus.success
    }
  }

  // MARK: The leader

  private static func leader(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster leader", group: .cluster, summary: "Say which node leads the control log",
      details: "Exit status 1 when nobody does.", options: [ClusterVerbs.directoryOption],
      examples: [Verb.Example("cluster leader", "its number, its term and its id")]
    ) { arguments, console in
      guard let (node, term) = try findLeader(try open(arguments, launcher)) else {
        console.error("nobody leads")
        return ExitStatus.failure
      }
      console.line("node \(node.index) leads in term \(term): \(node.id)")
      return ExitStatus.success
    }
  }

  private static func transfer(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "cluster transfer", group: .cluster, summary: "Have the leader hand over, to node I if named",
      usage: "[I]", details: "Returns when another node leads; exit status 1 after 5 s without.",
      options: [ClusterVerbs.directoryOption], positionalMax: 1,
      examples: [
        Verb.Example("cluster transfer", "to whoever is best"),
        Verb.Example("cluster transfer 3", "to node 3"),
      ]
    ) { arguments, console in
      let cluster = try open(arguments, launcher)
      let heir = try arguments.positional.first.map {
        try cluster.node(try ArgumentList.integer($0, "I", in: 1...ClusterFile.nodesMax))
      }
      guard let (node, _) = try findLeader(cluster) else {
        console.error("nobody leads")
        return ExitStatus.failure
      }
      if heir?.index != node.index {
        try NodeOrders.send(NodeOrders.transfer(to: heir?.id), to: node)
        var patience = Patience(milliseconds: 5_000)
        while true {
          if try hasMoved(from: node.index, to: heir?.index, cluster) { break }
          guard patience.pause() else {
            console.error("node \(node.index) has not handed over")
            return ExitStatus.failure
          }
        }
      }
      guard let (now, term) = try findLeader(cluster) else { return ExitStatus.failure }
      console.line("node \(now.index) leads in term \(term)")
      return ExitStatus.success
    }
  }

  private static func hasMoved(
    from old: Int, to heir: Int?, _ cluster: LocalCluster
  ) throws -> Bool {
    guard let now = try findLeader(cluster)?.node.index else { return false }
    return heir.map { $0 == now } ?? (now != old)
  }

  /// The node that says that it leads, in the latest term.
  private static func findLeader(
    _ cluster: LocalCluster
  ) throws -> (node: ClusterFile.Node, term: Int64)? {
    var found: (node: ClusterFile.Node, term: Int64)?
    for index in cluster.running {
      let node = try cluster.node(index)
      guard let address = PlainAddress(node.api),
        let view = ControlView.ask(PlainConnection(address), timeoutMilliseconds: 500),
        view.role == "leader", found.map({ view.term > $0.term }) ?? true
      else { continue }
      found = (node, view.term)
    }
    return found
  }

  // MARK: Arguments

  private static func open(_ arguments: ArgumentList, _ launcher: NodeLauncher) throws
    -> LocalCluster
  {
    try LocalCluster(
      opening: arguments.value("dir") ?? ClusterVerbs.defaultDirectory, launcher: launcher)
  }

  private static func openOne(_ arguments: ArgumentList, _ launcher: NodeLauncher) throws
    -> (LocalCluster, Int)
  {
    let index = try ArgumentList.integer(
      try arguments.argument(0, "the node's number I"), "I", in: 1...ClusterFile.nodesMax)
    let cluster = try open(arguments, launcher)
    _ = try cluster.node(index)
    return (cluster, index)
  }

  /// Reads `1,2/3,4,5` into groups of nodes, counted from 0.
  package static func groups(_ text: String, count: Int) throws -> [[Int]] {
    var seen: Set<Int> = []
    let groups = try text.split(separator: "/", omittingEmptySubsequences: false).map { group in
      try group.split(separator: ",", omittingEmptySubsequences: false).map { word in
        let node = try ArgumentList.integer(String(word), "a node of GROUPS", in: 1...count)
        guard seen.insert(node).inserted else {
          throw UsageError("node \(node) stands in GROUPS twice")
        }
        return node - 1
      }
    }
    guard groups.count > 1 else {
      throw UsageError("GROUPS are two or more, with slashes between them, such as 1,2/3,4,5")
    }
    return groups
  }

  /// Reads a time such as `50ms`, `5s` or `200us`, up to an hour.
  package static func span(_ text: String, _ name: String) throws -> TimeSpan {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units: [(String, UInt64)] = [("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)]
    guard let count = UInt64(digits), count <= 3_600_000_000,
      let unit = units.first(where: { $0.0 == text[digits.endIndex...] })?.1,
      count * unit <= 3_600_000_000_000
    else {
      throw UsageError("\(name) is '\(text)': expected a time such as 50ms or 5s, up to an hour")
    }
    return TimeSpan(nanoseconds: count * unit)
  }

  /// Reads a share such as `5%` in millionths.
  package static func share(_ text: String, _ name: String) throws -> UInt64 {
    guard text.hasSuffix("%"), let percent = UInt64(text.dropLast()), percent <= 100 else {
      throw UsageError("\(name) is '\(text)': expected a share from 0% to 100%")
    }
    return percent * 10_000
  }
}
