internal import Crypto
internal import JSONText
internal import Primitives
package import Records
package import Wire

/// A node that the genesis lets vote, and where it is reached.
package struct Voter: Hashable, Sendable {
  /// The node.
  package let node: NodeID
  /// Where peers reach it over QUIC.
  package let transport: NetworkAddress
  /// Where agents reach its API.
  package let api: NetworkAddress

  /// Names a voter.
  package init(node: NodeID, transport: NetworkAddress, api: NetworkAddress) {
    self.node = node
    self.transport = transport
    self.api = api
  }
}

/// The document that a cluster starts from and whose hash is the cluster's name.
///
/// Every node of a cluster holds the same bytes. Addresses are where the first voters were reached
/// on the first day; later changes do not alter the document.
package struct Genesis: Hashable, Sendable {
  /// Voters a genesis may list.
  package static let votersMax = 64
  /// The file's usual name inside a node's directory.
  package static let fileName = "genesis.json"
  /// The form of the document that this program reads and writes.
  static let version = 1

  /// The cluster's name for people.
  package let name: String
  /// When the document was made, in milliseconds since 1970 in UTC.
  package let createdMilliseconds: UInt64
  /// The voters, ordered by node.
  package let voters: [Voter]

  /// Makes a document; refuses names, counts and repetitions that would not survive a round trip.
  package init(name: String, createdMilliseconds: UInt64, voters: [Voter]) throws {
    try Name.check(name, key: "cluster", source: Genesis.fileName)
    guard createdMilliseconds < 1 << 48 else {
      throw ConfigurationError(
        source: Genesis.fileName, key: "createdMilliseconds", value: "\(createdMilliseconds)",
        reason: "expected less than 2^48")
    }
    guard (1...Genesis.votersMax).contains(voters.count) else {
      throw ConfigurationError(
        source: Genesis.fileName, key: "voters", value: "a list of \(voters.count)",
        reason: "expected 1 to \(Genesis.votersMax)")
    }
    let ordered = voters.sorted { $0.node < $1.node }
    for (left, right) in zip(ordered, ordered.dropFirst()) where left.node == right.node {
      throw ConfigurationError(
        source: Genesis.fileName, key: "voters", value: left.node.key.hexadecimal,
        reason: "the node is listed twice")
    }
    for voter in ordered where voter.transport.isUnspecified || voter.transport.port == 0 {
      throw ConfigurationError(
        source: Genesis.fileName, key: "voters", value: voter.transport.description,
        reason: "peers cannot connect to this address; name an interface and a port")
    }
    self.name = name
    self.createdMilliseconds = createdMilliseconds
    self.voters = ordered
  }

  /// The cluster's name: the hash of the canonical bytes.
  package var cluster: ClusterID { ClusterID(digest: Blake2b.hash(encoded, .cluster)) }

  /// The voter that is `node`, if it is one.
  package func voter(_ node: NodeID) -> Voter? {
    voters.first { $0.node == node }
  }
}

extension Genesis: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(UInt8(Genesis.version))
    writer.writeText(name)
    writer.write(createdMilliseconds)
    writer.writeVariable(UInt64(voters.count))
    for voter in voters {
      writer.write(voter.node.key)
      writer.writeText(voter.transport.description)
      writer.writeText(voter.api.description)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let version = try cursor.readUInt8(span)
    guard version == UInt8(Genesis.version) else { throw .unknownTag(version) }
    let name = try cursor.readText(span, limit: Name.bytesMax)
    let created = try cursor.readUInt64(span)
    let count = try cursor.readCount(span, limit: Genesis.votersMax, bytesEach: 34)
    var voters: [Voter] = []
    for _ in 0..<count {
      let node = NodeID(key: try cursor.readDigest(span))
      if let last = voters.last, last.node >= node { throw .notCanonical }
      let transport = try cursor.readAddress(span)
      voters.append(Voter(node: node, transport: transport, api: try cursor.readAddress(span)))
    }
    do {
      try self.init(name: name, createdMilliseconds: created, voters: voters)
    } catch {
      throw .invalid("the genesis breaks a rule")
    }
  }
}

extension Genesis {
  /// Reads `genesis.json`.
  package init(contentsOf path: String) throws {
    try self.init(json: try Files.read(path), source: path)
  }

  /// Reads the JSON form.
  package init(json bytes: [UInt8], source: String = Genesis.fileName) throws {
    var fields = try JSONFields(parsing: bytes, source: source)
    _ = try fields.integer("version", in: Genesis.version...Genesis.version)
    let name = try fields.text("cluster")
    let created = try fields.integer("createdMilliseconds", in: 0...(1 << 48 - 1))
    let voters = try fields.objects("voters", count: 1...Genesis.votersMax).map { entry in
      var entry = entry
      let text = try entry.text("node")
      guard let key = Digest(hexadecimal: text) else {
        throw entry.refusal("node", text, "expected a public key of 64 hexadecimal digits")
      }
      let voter = Voter(
        node: NodeID(key: key), transport: try entry.address("transport"),
        api: try entry.address("api"))
      try entry.expectNoMore()
      return voter
    }
    try fields.expectNoMore()
    try self.init(name: name, createdMilliseconds: UInt64(created), voters: voters)
  }

  /// The JSON form.
  package var json: [UInt8] {
    let voters = voters.map { voter in
      JSONValue.object([
        JSONMember(key: "node", value: .string(voter.node.key.hexadecimal)),
        JSONMember(key: "transport", value: .string(voter.transport.description)),
        JSONMember(key: "api", value: .string(voter.api.description)),
      ])
    }
    return JSONLayout.bytes(
      .object([
        JSONMember(key: "version", value: .integer(Int64(Genesis.version))),
        JSONMember(key: "cluster", value: .string(name)),
        JSONMember(key: "createdMilliseconds", value: .integer(Int64(createdMilliseconds))),
        JSONMember(key: "voters", value: .array(voters)),
      ]))
  }
}

extension WireCursor {
  /// Reads an address in its canonical text.
  mutating func readAddress(_ span: borrowing RawSpan) throws(WireError) -> NetworkAddress {
    let text = try readText(span, limit: 64)
    guard let address = NetworkAddress(text), address.description == text else {
      throw .notCanonical
    }
    return address
  }
}
