package import Configuration
internal import Glibc
internal import HTTPClient
package import JSONText

/// `cluster status`: what every node says about itself, side by side.
struct ClusterStatus {
  let directory: String
  let isWatching: Bool
  let wantsJSON: Bool
  let launcher: NodeLauncher
  let console: Console

  init(_ arguments: ArgumentList, _ console: Console, _ launcher: NodeLauncher) throws {
    directory = arguments.value("dir") ?? ClusterVerbs.defaultDirectory
    isWatching = arguments.has("watch")
    wantsJSON = arguments.wantsJSON
    self.launcher = launcher
    self.console = console
  }

  func run() throws -> Int32 {
    let connection = HTTPConnection(responseBytesMax: 16 << 20)
    while true {
      let cluster = try LocalCluster(opening: directory, launcher: launcher)
      let report = ClusterReport(
        cluster: cluster.file.cluster,
        nodes: try cluster.file.nodes.map { node in
          let isAlive = try cluster.process(node.index).isAlive
          return ClusterReport.Node(
            node: node, isAlive: isAlive,
            status: isAlive ? ClusterStatus.get("/v1/status", node.api, connection) : nil,
            control: isAlive ? ClusterStatus.get("/v1/control", node.api, connection) : nil)
        })
      if wantsJSON {
        console.write(String(decoding: JSONLayout.bytes(report.json), as: UTF8.self))
      } else {
        if isWatching && console.isTerminal { console.write("\u{1B}[H\u{1B}[2J") }
        console.write(report.text(console))
      }
      guard isWatching else {
        return report.areEqual == true && report.nodes.allSatisfy { $0.status != nil }
          ? ExitStatus.success : ExitStatus.failure
      }
      if !wantsJSON && !console.isTerminal { console.line() }
      poll(nil, 0, 1_000)
    }
  }

  /// What a node answers; `nil` when it does not.
  private static func get(
    _ path: String, _ api: String, _ connection: HTTPConnection
  ) -> JSONValue? {
    // A node that cannot answer is shown as such, whatever the cause.
    guard
      let response = try? connection.send(
        method: "GET", url: api + path, timeoutMilliseconds: 2_000),
      response.status == 200
    else { return nil }
    return try? JSONValue.parse(response.body)
  }
}

/// The nodes of a cluster as they described themselves within one round.
package struct ClusterReport: Sendable {
  /// One node.
  package struct Node: Sendable {
    /// What `cluster.json` says about it.
    package let node: ClusterFile.Node
    /// Whether its process runs.
    package let isAlive: Bool
    /// Its answer to `GET /v1/status`, if it gave one.
    package let status: JSONValue?
    /// Its answer to `GET /v1/control`, if it gave one.
    package let control: JSONValue?

    /// Describes a node.
    package init(
      node: ClusterFile.Node, isAlive: Bool, status: JSONValue?, control: JSONValue? = nil
    ) {
      self.node = node
      self.isAlive = isAlive
      self.status = status
      self.control = control
    }

    /// `leader`, `voter` or `learner`, as far as it says.
    package var role: String {
      guard let control else { return "-" }
      if control["role"]?.string == "leader" { return "leader" }
      let own = control["members"]?.array?.first { $0["node"]?.string == node.id }
      return own?["votes"]?.bool == true ? "voter" : "learner"
    }

    /// The term it is in.
    package var term: Int64? { control?["term"]?.integer }

    /// Whether it says that it reaches no majority.
    package var isPartitioned: Bool { control?["coordination"]?.string == "partitioned" }

    /// What this node thinks of another.
    fileprivate func state(of other: Node) -> String? {
      control?["view"]?.array?.first { $0["node"]?.string == other.node.id }?["state"]?.string
    }

    /// How many bundles the node has applied, over all lanes.
    package var bundles: Int64? {
      status?["frontier"]?.object?.reduce(0) { $0 + ($1.value.integer ?? 0) }
    }

    var peers: String {
      guard let peers = status?["peers"] else { return "-" }
      if let count = peers.integer { return "\(count)" }
      guard let list = peers.array else { return "-" }
      let connected = list.filter { $0["connected"]?.bool ?? true }.count
      return connected == list.count ? "\(connected)" : "\(connected)/\(list.count)"
    }
  }

  /// The cluster's name in hexadecimal.
  package let cluster: String
  /// The nodes by number.
  package let nodes: [Node]

  /// Describes a cluster.
  package init(cluster: String, nodes: [Node]) {
    self.cluster = cluster
    self.nodes = nodes
  }

  /// Whether all nodes that answered have the same roots; `nil` when none answered.
  package var areEqual: Bool? {
    let answers = nodes.compactMap(\.status)
    guard let first = answers.first else { return nil }
    return answers.allSatisfy { answer in
      ["lanesRoot", "rowsDigest"].allSatisfy { key in
        guard let root = answer[key]?.string else { return false }
        return root == first[key]?.string
      }
    }
  }

  /// What the others think of a node: the leader where it says something of another, then whoever
  /// says something first.
  package func memberState(of node: Node) -> String? {
    let others = nodes.filter { $0.node.id != node.node.id }
    let leaders = others.filter { $0.role == "leader" }.sorted { ($0.term ?? 0) > ($1.term ?? 0) }
    return (leaders + others).lazy.compactMap { $0.state(of: node) }.first
  }

  private func memberCell(_ entry: Node) -> Table.Cell {
    if entry.isPartitioned { return .init("PARTITIONED", .red) }
    guard let state = memberState(of: entry) else { return .init("-") }
    return .init(state, state == "alive" ? .green : state == "suspect" ? .yellow : .red)
  }

  func text(_ console: Console) -> String {
    var table = Table([
      ("NODE", .right), ("PID", .right), ("STATE", .left), ("ROLE", .left), ("TERM", .right),
      ("MEMBER", .left), ("API", .left), ("BUNDLES", .right),
      ("ROOT", .left), ("ROWS", .left), ("PEERS", .right), ("OPERATIONS", .right),
    ])
    for entry in nodes {
      let state: Table.Cell =
        !entry.isAlive
        ? .init("down", .red) : entry.status == nil ? .init("silent", .yellow) : .init("up", .green)
      table.append([
        .init("\(entry.node.index)"), .init(entry.isAlive ? "\(entry.node.pid)" : "-"), state,
        .init(entry.role), .init(entry.term.map { "\($0)" } ?? "-"), memberCell(entry),
        .init(entry.node.api), .init(entry.bundles.map { "\($0)" } ?? "-"),
        .init(short(entry, "lanesRoot")), .init(short(entry, "rowsDigest")), .init(entry.peers),
        .init(entry.status?["operations"]?.integer.map { "\($0)" } ?? "-"),
      ])
    }
    return table.text(console) + verdict(console) + "\n"
  }

  private func short(_ entry: Node, _ key: String) -> String {
    entry.status?[key]?.string.map { String($0.prefix(8)) } ?? "-"
  }

  private func verdict(_ console: Console) -> String {
    let answered = nodes.filter { $0.status != nil }.count
    let who =
      answered == nodes.count ? "all \(answered) nodes" : "\(answered) of \(nodes.count) nodes"
    switch areEqual {
    case nil: return console.colored("no node answers", .red)
    case true?:
      return console.colored("\(who): roots equal", answered == nodes.count ? .green : .yellow)
    case false?:
      return console.colored("\(who): roots differ (writes may be on their way)", .yellow)
    }
  }

  var json: JSONValue {
    let entries = nodes.map { entry in
      JSONValue.object([
        JSONMember(key: "index", value: .integer(Int64(entry.node.index))),
        JSONMember(key: "id", value: .string(entry.node.id)),
        JSONMember(key: "pid", value: .integer(Int64(entry.node.pid))),
        JSONMember(key: "alive", value: .bool(entry.isAlive)),
        JSONMember(key: "api", value: .string(entry.node.api)),
        JSONMember(key: "quic", value: .string(entry.node.quic)),
        JSONMember(key: "dir", value: .string(entry.node.dir)),
        JSONMember(key: "bundles", value: entry.bundles.map { .integer($0) } ?? .null),
        JSONMember(key: "member", value: memberState(of: entry).map { .string($0) } ?? .null),
        JSONMember(key: "partitioned", value: .bool(entry.isPartitioned)),
        JSONMember(key: "status", value: entry.status ?? .null),
        JSONMember(key: "control", value: entry.control ?? .null),
      ])
    }
    return .object([
      JSONMember(key: "cluster", value: .string(cluster)),
      JSONMember(key: "rootsEqual", value: areEqual.map { .bool($0) } ?? .null),
      JSONMember(key: "nodes", value: .array(entries)),
    ])
  }
}
