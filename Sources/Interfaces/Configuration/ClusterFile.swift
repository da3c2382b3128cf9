internal import JSONText

/// The content of `cluster.json`: the nodes that `cluster up` started on this host.
package struct ClusterFile: Hashable, Sendable {
  /// The file's name inside a cluster's directory.
  package static let fileName = "cluster.json"
  /// Nodes that one command starts at most.
  package static let nodesMax = 64

  /// One node.
  package struct Node: Hashable, Sendable {
    /// The node's number, from 1.
    package var index: Int
    /// The node's public key in hexadecimal.
    package var id: String
    /// The process that was started last for it.
    package var pid: Int32
    /// When that process started, in clock ticks since boot: tells it from a later process that
    /// was given the same number.
    package var startTicks: Int64
    /// The API's address as a URL.
    package var api: String
    /// The address for peers.
    package var quic: String
    /// The node's directory, from the root.
    package var dir: String

    /// Describes a node.
    package init(
      index: Int, id: String, pid: Int32, startTicks: Int64, api: String, quic: String,
      dir: String
    ) {
      self.index = index
      self.id = id
      self.pid = pid
      self.startTicks = startTicks
      self.api = api
      self.quic = quic
      self.dir = dir
    }
  }

  /// The cluster's name in hexadecimal.
  package var cluster: String
  /// The file of the operator's token, from the root.
  package var operatorTokenFile: String
  /// The nodes by index.
  package var nodes: [Node]

  /// Describes a cluster.
  package init(cluster: String, operatorTokenFile: String, nodes: [Node]) {
    self.cluster = cluster
    self.operatorTokenFile = operatorTokenFile
    self.nodes = nodes
  }

  /// Reads `cluster.json` in `directory`.
  package init(in directory: String) throws {
    let path = Files.resolve(ClusterFile.fileName, in: directory)
    try self.init(json: try Files.read(path), source: path)
  }

  /// Reads the JSON form.
  package init(json bytes: [UInt8], source: String = ClusterFile.fileName) throws {
    var fields = try JSONFields(parsing: bytes, source: source)
    cluster = try fields.text("cluster")
    operatorTokenFile = try fields.text("operatorTokenFile")
    nodes = try fields.objects("nodes", count: 1...ClusterFile.nodesMax).map { entry in
      var entry = entry
      let node = Node(
        index: try entry.integer("index", in: 1...ClusterFile.nodesMax),
        id: try entry.text("id"),
        pid: Int32(try entry.integer("pid", in: 2...Int(Int32.max))),
        startTicks: Int64(try entry.integer("startTicks", in: 0...Int.max)),
        api: try entry.text("api"), quic: try entry.text("quic"), dir: try entry.text("dir"))
      try entry.expectNoMore()
      return node
    }
    try fields.expectNoMore()
    for (position, node) in nodes.enumerated() where node.index != position + 1 {
      throw ConfigurationError(
        source: source, key: "nodes[\(position)].index", value: "\(node.index)",
        reason: "expected \(position + 1): nodes are numbered from 1 in order")
    }
  }

  /// The JSON form.
  package var json: [UInt8] {
    let nodes = nodes.map { node in
      JSONValue.object([
        JSONMember(key: "index", value: .integer(Int64(node.index))),
        JSONMember(key: "id", value: .string(node.id)),
        JSONMember(key: "pid", value: .integer(Int64(node.pid))),
        JSONMember(key: "startTicks", value: .integer(node.startTicks)),
        JSONMember(key: "api", value: .string(node.api)),
        JSONMember(key: "quic", value: .string(node.quic)),
        JSONMember(key: "dir", value: .string(node.dir)),
      ])
    }
    return JSONLayout.bytes(
      .object([
        JSONMember(key: "cluster", value: .string(cluster)),
        JSONMember(key: "operatorTokenFile", value: .string(operatorTokenFile)),
        JSONMember(key: "nodes", value: .array(nodes)),
      ]))
  }

  /// Writes `cluster.json` in `directory`; readers see the old text or the new one.
  package func write(in directory: String) throws {
    try Files.replace(Files.resolve(ClusterFile.fileName, in: directory), with: json)
  }
}
