internal import Configuration
internal import Crypto
internal import JSONText
internal import Primitives
internal import Records

/// The verbs for one node.
enum NodeVerbs {
  /// All of them; `runNode` is what a started node does.
  static func all(_ runNode: @escaping Tool.NodeProgram) -> [Verb] {
    [initialize, start(runNode), ticket]
  }

  private static let initialize = Verb(
    "node init", group: .node, summary: "Make a node's directory: key, configuration, token",
    details: """
      Without --join the node founds a cluster of its own. With --join it keeps the
      ticket and joins the ticket's cluster when it starts.
      """,
    options: [
      .value("dir", letter: "d", "DIR", "the node's directory"),
      .value("name", "NAME", "the node's name for people (default: node)"),
      .value("cluster", "NAME", "the new cluster's name for people (default: swarm)"),
      .value("listen", "ADDRESS", "where to listen for peers (default: 127.0.0.1:4001)"),
      .value("advertise", "ADDRESS", "where peers reach the node (default: as --listen)"),
      .value("api", "ADDRESS", "where to listen for agents (default: 127.0.0.1:8001)"),
      .value("api-advertise", "ADDRESS", "where agents reach the node (default: as --api)"),
      .value("join", "TICKET", "join the cluster of a ticket, made by node ticket"),
    ],
    examples: [
      Verb.Example("node init --dir n1", "a node that founds a cluster"),
      Verb.Example(
        "node init --dir n2 --listen 192.0.2.2:4001 --join sot1_…", "a node that joins one"),
    ]
  ) { arguments, console in
    let directory = try Files.absolute(try arguments.required("dir"))
    let path = Files.resolve(NodeSettings.fileName, in: directory)
    guard !Files.exists(path) else {
      throw ConfigurationError(source: path, reason: "a node is here already; choose another --dir")
    }
    let settings = try settings(arguments)
    let ticket = try arguments.value("join").map(openTicket)
    try Files.makeDirectory(directory, mode: 0o700)
    let key = try NodeKey.create(at: Files.resolve(settings.keyFile, in: directory))
    let genesis = try ticket?.genesis ?? founding(settings, key, arguments)
    try NodeConfiguration.write(
      settings, genesis: genesis, operatorToken: .make(), ticket: ticket, in: directory)
    console.line("node     \(key.node.key.hexadecimal)")
    console.line("cluster  \(genesis.cluster.digest.hexadecimal)")
    console.line("start it with: \(Tool.name) node start --dir \(directory)")
    return ExitStatus.success
  }

  private static func settings(_ arguments: ArgumentList) throws -> NodeSettings {
    let listen = try address("listen", arguments) ?? address("127.0.0.1:4001", "--listen")
    let api = try address("api", arguments) ?? address("127.0.0.1:8001", "--api")
    var settings = NodeSettings(
      name: arguments.value("name") ?? "node", transport: listen, api: api)
    settings.transportAdvertise = try address("advertise", arguments) ?? listen
    settings.apiAdvertise = try address("api-advertise", arguments) ?? api
    // What the loader will refuse is refused before anything is written.
    return try NodeSettings(json: settings.json, source: "node init")
  }

  private static func founding(
    _ settings: NodeSettings, _ key: NodeKey, _ arguments: ArgumentList
  ) throws -> Genesis {
    try Genesis(
      name: arguments.value("cluster") ?? "swarm", createdMilliseconds: WallClock.milliseconds,
      voters: [
        Voter(node: key.node, transport: settings.transportAdvertise, api: settings.apiAdvertise)
      ])
  }

  private static func openTicket(_ text: String) throws -> Ticket {
    let ticket = try Ticket(text: text)
    guard !ticket.isExpired(atMilliseconds: WallClock.milliseconds) else {
      throw ConfigurationError(source: "ticket", reason: "it has expired; ask for a new one")
    }
    return ticket
  }

  private static func address(
    _ name: String, _ arguments: ArgumentList
  ) throws -> NetworkAddress? {
    try arguments.value(name).map { try address($0, "--\(name)") }
  }

  private static func address(_ text: String, _ option: String) throws -> NetworkAddress {
    guard let address = NetworkAddress(text) else {
      throw UsageError("\(option) is '\(text)': \(NetworkAddress.expectation)")
    }
    return address
  }

  private static func start(_ runNode: @escaping Tool.NodeProgram) -> Verb {
    Verb(
      "node start", group: .node, summary: "Run the node of a directory until it is told to stop",
      details: "SIGTERM and Ctrl-C stop it in good order. It logs to the standard error.",
      options: [.value("dir", letter: "d", "DIR", "the node's directory")],
      examples: [Verb.Example("node start --dir n1", "in the foreground")]
    ) { arguments, _ in
      runNode(try NodeConfiguration(loading: try arguments.required("dir")))
    }
  }

  private static let ticket = Verb(
    "node ticket", group: .node, summary: "Make a ticket with which a new node can join",
    details: """
      Takes the operator's token: operator.token in a node's or cluster's directory. A
      learner holds everything and serves agents; a voter learns first, and votes once
      it has caught up and while fewer than votersMax (5) do.
      """,
    options: [
      APIOptions.api, APIOptions.tokenFile, .output,
      .value(
        "role", "ROLE", choices: ["learner", "voter"],
        "what the new node is to be (default: learner)"),
      .value("seconds", "N", "how long the ticket may be used (default: 3600)"),
    ],
    examples: [
      Verb.Example("node ticket --token-file swarm/operator.token", "for an hour"),
      Verb.Example(
        "node ticket --api 192.0.2.1:8001 --token-file n1/operator.token",
        "from another node"),
      Verb.Example("node ticket --role voter --token-file swarm/operator.token", "for a voter"),
    ]
  ) { arguments, console in
    var body = JSONWriter()
    body.beginObject()
    body.text("role", arguments.value("role") ?? "learner")
    body.key("validSeconds")
    body.integer(try arguments.integer("seconds", in: 60...604_800, default: 3_600))
    body.endObject()
    let reply = try APIOptions.authorized(arguments).post("/v1/tickets", body.bytes)
    // What cannot be used must not be handed out.
    let ticket = try Ticket(text: reply["ticket"]?.string ?? "")
    if arguments.wantsJSON {
      console.write(String(decoding: JSONLayout.bytes(reply), as: UTF8.self))
    } else {
      console.line(ticket.text)
    }
    return ExitStatus.success
  }
}
