internal import Crypto
package import Primitives
package import Records

/// Everything a node needs to start: its settings with the documents and secrets they name.
package struct NodeConfiguration: Sendable {
  /// The file's name of the ticket that `node init --join` keeps.
  package static let ticketFileName = "join.ticket"
  /// The file's name by which a node knows that it was admitted: it needs its ticket no more.
  package static let joinedFileName = "joined"
  /// The file's name by which a founder knows that its control log was begun once.
  package static let foundedFileName = "founded"
  /// The file's name by which a node knows for which chains its key has voted, apart from the
  /// votes themselves.
  package static let votedFileName = "voted"
  /// The named value of the databases that holds the epoch of the node's lane.
  package static let epochKey = "node.epoch"
  /// The name of the socket on which a running node takes its operator's orders.
  package static let adminSocketName = "admin.sock"

  /// The node's directory, from the root.
  package let directory: String
  /// What the operator chose.
  package let settings: NodeSettings
  /// The cluster's first document.
  package let genesis: Genesis
  /// The node's key.
  package let nodeKey: NodeKey
  /// The hash of the operator's token.
  package let operatorTokenDigest: Digest
  /// The ticket with which the node joins; `nil` for a founding voter and once it was admitted.
  package let ticket: Ticket?

  /// The cluster's name.
  package var cluster: ClusterID { genesis.cluster }
  /// The node's name.
  package var node: NodeID { nodeKey.node }
  /// The directory of the databases, from the root.
  package var dataDirectory: String { Files.resolve(settings.dataDirectory, in: directory) }
  /// The PEM file of the API's certificate chain, from the root.
  package var apiCertificateFile: String? {
    settings.apiTLS.map { Files.resolve($0.certificate, in: directory) }
  }
  /// The PEM file of the API's private key, from the root.
  package var apiPrivateKeyFile: String? {
    settings.apiTLS.map { Files.resolve($0.privateKey, in: directory) }
  }

  /// Loads a node's directory and checks that its parts belong together.
  package init(loading directory: String) throws {
    let directory = try Files.absolute(directory)
    let path = Files.resolve(NodeSettings.fileName, in: directory)
    let settings = try NodeSettings(json: try Files.read(path), source: path)
    self.directory = directory
    self.settings = settings
    genesis = try Genesis(contentsOf: Files.resolve(settings.genesisFile, in: directory))
    nodeKey = try NodeKey(contentsOf: Files.resolve(settings.keyFile, in: directory))
    operatorTokenDigest = try OperatorToken(
      contentsOf: Files.resolve(settings.operatorTokenFile, in: directory)
    ).digest
    let isAdmitted = Files.exists(Files.resolve(NodeConfiguration.joinedFileName, in: directory))
    ticket =
      try isAdmitted
      ? nil
      : settings.ticketFile.map {
        try Ticket(text: try SecretFile.read(Files.resolve($0, in: directory)))
      }
    if !isAdmitted { try checkMembership(path) }
    try checkTLSFiles(path)
  }

  private func checkMembership(_ path: String) throws {
    if let ticket {
      guard ticket.cluster == cluster else {
        throw ConfigurationError(
          source: path, key: "ticketFile", value: settings.ticketFile ?? "",
          reason: "the ticket is for cluster \(ticket.cluster.digest.short), "
            + "\(settings.genesisFile) is cluster \(cluster.digest.short)")
      }
    } else if genesis.voter(node) == nil {
      throw ConfigurationError(
        source: path, key: "keyFile", value: settings.keyFile,
        reason: "node \(node.key.short) is no voter of \(settings.genesisFile); "
          + "use the right key, or join with a ticket (node init --join)")
    }
  }

  private func checkTLSFiles(_ path: String) throws {
    let files = [
      ("api.certificateFile", apiCertificateFile), ("api.privateKeyFile", apiPrivateKeyFile),
    ]
    for (key, file) in files {
      guard let file, !Files.exists(file) else { continue }
      throw ConfigurationError(source: path, key: key, value: file, reason: "no such file")
    }
  }
}

extension NodeConfiguration {
  /// Writes the directory of a node whose key exists already at its place.
  ///
  /// `node.json` is written last, so that a directory with it is complete.
  package static func write(
    _ settings: NodeSettings, genesis: Genesis, operatorToken: OperatorToken, ticket: Ticket? = nil,
    in directory: String
  ) throws {
    var settings = settings
    try Files.create(Files.resolve(settings.genesisFile, in: directory), genesis.json)
    try operatorToken.create(at: Files.resolve(settings.operatorTokenFile, in: directory))
    if let ticket {
      settings.ticketFile = ticketFileName
      try Files.create(
        Files.resolve(ticketFileName, in: directory), Array("\(ticket.text)\n".utf8), mode: 0o600)
    }
    try Files.create(Files.resolve(NodeSettings.fileName, in: directory), settings.json)
  }
}
