internal import JSONText
package import Telemetry

/// The content of `node.json`: what an operator may choose for one node.
///
/// File names are seen from the node's directory. Every key but the listed addresses has a default,
/// and unknown keys are refused.
package struct NodeSettings: Hashable, Sendable {
  /// The file's name inside a node's directory.
  package static let fileName = "node.json"
  /// Addresses one node may listen on for peers.
  package static let listenersMax = 8
  /// How often the databases may be read through, in seconds: from 1 to 30 days.
  package static let scrubSecondsRange = 1...2_592_000
  private static let version = 1

  /// Certificate and key of an API that speaks TLS.
  package struct TLSFiles: Hashable, Sendable {
    /// The PEM file of the certificate chain.
    package var certificate: String
    /// The PEM file of the private key.
    package var privateKey: String

    /// Names both files.
    package init(certificate: String, privateKey: String) {
      self.certificate = certificate
      self.privateKey = privateKey
    }
  }

  /// The node's name for people.
  package var name: String
  /// Where the node listens for peers over QUIC.
  package var transportListen: [NetworkAddress]
  /// Where peers reach the node; the first listening address unless stated.
  package var transportAdvertise: NetworkAddress
  /// Where the node listens for agents.
  package var apiListen: NetworkAddress
  /// Where agents reach the node; the listening address unless stated.
  package var apiAdvertise: NetworkAddress
  /// TLS for the API; plain HTTP when absent.
  package var apiTLS: TLSFiles?
  /// The region that the node stands in; empty when all nodes stand in one.
  package var region = ""
  /// The part of the region that fails as one.
  package var zone = ""
  /// Whether the node only serves reads and writes of its own agents, and is never a voter or
  /// relay.
  package var isEdge = false
  /// Log lines below this level are not written.
  package var logLevel = LogLevel.info
  /// How often the databases are read through, in seconds.
  package var scrubSeconds = 86_400
  /// How a node without data comes to what others have.
  package var bootstrap = Bootstrap.snapshot
  /// What the node may hold at once.
  package var limits = NodeLimits()
  /// The genesis document's file.
  package var genesisFile = Genesis.fileName
  /// The file of the node's key.
  package var keyFile = NodeKey.fileName
  /// The file of the operator's token.
  package var operatorTokenFile = OperatorToken.fileName
  /// The file of the ticket with which the node joins; absent for a founding voter.
  package var ticketFile: String?
  /// The directory of the databases.
  package var dataDirectory = "data"

  /// Chooses addresses and a name and keeps every default.
  package init(name: String, transport: NetworkAddress, api: NetworkAddress) {
    self.name = name
    transportListen = [transport]
    transportAdvertise = transport
    apiListen = api
    apiAdvertise = api
  }

  /// Reads the JSON form.
  package init(json bytes: [UInt8], source: String = NodeSettings.fileName) throws {
    var fields = try JSONFields(parsing: bytes, source: source)
    _ = try fields.integer("version", in: NodeSettings.version...NodeSettings.version)
    name = try fields.text("name")
    try Name.check(name, key: "name", source: source)
    (transportListen, transportAdvertise) = try NodeSettings.transport(fields.object("transport"))
    (apiListen, apiAdvertise, apiTLS) = try NodeSettings.api(fields.object("api"))
    if let text = try fields.optionalText("logLevel") {
      guard let level = LogLevel(name: text) else {
        let known = LogLevel.allCases.map(\.name).joined(separator: ", ")
        throw fields.refusal("logLevel", text, "expected one of \(known)")
      }
      logLevel = level
    }
    region = try NodeSettings.place("region", &fields)
    zone = try NodeSettings.place("zone", &fields)
    isEdge = try fields.optionalFlag("edge") ?? false
    if let seconds = try fields.optionalInteger("scrubSeconds", in: NodeSettings.scrubSecondsRange)
    {
      scrubSeconds = seconds
    }
    if let text = try fields.optionalText("bootstrap") {
      guard let way = Bootstrap(rawValue: text) else {
        throw fields.refusal("bootstrap", text, "expected snapshot or replay")
      }
      bootstrap = way
    }
    if let object = try fields.optionalObject("limits") { limits = try NodeLimits(object) }
    genesisFile = try NodeSettings.file("genesisFile", &fields) ?? genesisFile
    keyFile = try NodeSettings.file("keyFile", &fields) ?? keyFile
    operatorTokenFile = try NodeSettings.file("operatorTokenFile", &fields) ?? operatorTokenFile
    ticketFile = try NodeSettings.file("ticketFile", &fields)
    dataDirectory = try NodeSettings.file("dataDirectory", &fields) ?? dataDirectory
    try fields.expectNoMore()
  }

  /// A name of a region or zone; empty when it is not given.
  private static func place(_ key: String, _ fields: inout JSONFields) throws -> String {
    guard let text = try fields.optionalText(key), !text.isEmpty else { return "" }
    try Name.check(text, key: key, source: fields.source)
    guard text.utf8.count <= 32 else {
      throw fields.refusal(key, text, "expected at most 32 bytes")
    }
    return text
  }

  private static func transport(
    _ fields: JSONFields
  ) throws -> ([NetworkAddress], NetworkAddress) {
    var fields = fields
    let listen = try fields.addresses("listen", countMax: listenersMax)
    let advertise = try reachable(&fields, default: listen[0])
    try fields.expectNoMore()
    return (listen, advertise)
  }

  private static func api(
    _ fields: JSONFields
  ) throws -> (NetworkAddress, NetworkAddress, TLSFiles?) {
    var fields = fields
    let listen = try fields.address("listen")
    let advertise = try reachable(&fields, default: listen)
    let certificate = try file("certificateFile", &fields)
    let privateKey = try file("privateKeyFile", &fields)
    try fields.expectNoMore()
    switch (certificate, privateKey) {
    case (nil, nil): return (listen, advertise, nil)
    case (let certificate?, let privateKey?):
      return (listen, advertise, TLSFiles(certificate: certificate, privateKey: privateKey))
    case (let certificate?, nil):
      throw fields.refusal("certificateFile", certificate, "needs a privateKeyFile beside it")
    case (nil, let privateKey?):
      throw fields.refusal("privateKeyFile", privateKey, "needs a certificateFile beside it")
    }
  }

  private static func reachable(
    _ fields: inout JSONFields, default listen: NetworkAddress
  ) throws -> NetworkAddress {
    let advertise = try fields.optionalAddress("advertise") ?? listen
    guard !advertise.isUnspecified else {
      throw fields.refusal(
        "advertise", advertise.description,
        "others cannot connect to this address; name the one they reach this host by")
    }
    return advertise
  }

  private static func file(_ key: String, _ fields: inout JSONFields) throws -> String? {
    guard let path = try fields.optionalText(key) else { return nil }
    guard !path.isEmpty, !path.utf8.contains(0), path.utf8.count < 4_096 else {
      throw fields.refusal(key, path, "expected a file name")
    }
    return path
  }
}

/// How a node without data comes to what others have.
package enum Bootstrap: String, Sendable {
  /// By the newest snapshot that validators vouch for; by replay when nobody has one.
  case snapshot
  /// By every bundle and every block since genesis, each checked and executed here.
  case replay
}

extension NodeSettings {
  /// The JSON form, with every key written out.
  package var json: [UInt8] {
    var api = [
      JSONMember(key: "listen", value: .string(apiListen.description)),
      JSONMember(key: "advertise", value: .string(apiAdvertise.description)),
    ]
    if let apiTLS {
      api.append(JSONMember(key: "certificateFile", value: .string(apiTLS.certificate)))
      api.append(JSONMember(key: "privateKeyFile", value: .string(apiTLS.privateKey)))
    }
    let transport = [
      JSONMember(key: "listen", value: .array(transportListen.map { .string($0.description) })),
      JSONMember(key: "advertise", value: .string(transportAdvertise.description)),
    ]
    var members = [
      JSONMember(key: "version", value: .integer(Int64(NodeSettings.version))),
      JSONMember(key: "name", value: .string(name)),
      JSONMember(key: "transport", value: .object(transport)),
      JSONMember(key: "api", value: .object(api)),
      JSONMember(key: "region", value: .string(region)),
      JSONMember(key: "zone", value: .string(zone)),
      JSONMember(key: "edge", value: .bool(isEdge)),
      JSONMember(key: "logLevel", value: .string(logLevel.name)),
      JSONMember(key: "scrubSeconds", value: .integer(Int64(scrubSeconds))),
      JSONMember(key: "bootstrap", value: .string(bootstrap.rawValue)),
      JSONMember(key: "limits", value: limits.json),
      JSONMember(key: "genesisFile", value: .string(genesisFile)),
      JSONMember(key: "keyFile", value: .string(keyFile)),
      JSONMember(key: "operatorTokenFile", value: .string(operatorTokenFile)),
    ]
    if let ticketFile {
      members.append(JSONMember(key: "ticketFile", value: .string(ticketFile)))
    }
    members.append(JSONMember(key: "dataDirectory", value: .string(dataDirectory)))
    return JSONLayout.bytes(.object(members))
  }
}

extension LogLevel {
  /// The level's word in configuration and on the command line.
  package var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  /// The level of a word.
  package init?(name: String) {
    guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
    self = level
  }
}
