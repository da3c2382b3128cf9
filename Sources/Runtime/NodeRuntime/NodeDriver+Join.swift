internal import AgentAPI
internal import Configuration
internal import CoreKit
internal import Crypto
internal import GossipCore
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Telemetry
internal import Wire

/// What a new node says to be admitted: its key and where it will be found.
struct JoinRequest: Hashable, SignedValue, WireCodable {
  static let signatureDomain = SignatureDomain.join
  /// The largest encoded request that is accepted, in bytes.
  static let bytesMax = 1_024

  let cluster: ClusterID
  /// The guest key that the request comes with: a request cannot be replayed with another ticket.
  let guest: NodeID
  let node: NodeID
  let transportAddress: String
  let apiAddress: String
  let signature: Signature

  var signer: Digest { node.key }
  var signedDigest: Digest {
    var writer = WireWriter()
    encodeFields(into: &writer)
    return Blake2b.hash(writer.bytes, .join)
  }
  var isConsistent: Bool { true }

  /// Signs a request with the new node's key.
  init(
    cluster: ClusterID, guest: NodeID, transportAddress: String, apiAddress: String,
    signedWith key: SigningKey
  ) {
    self.cluster = cluster
    self.guest = guest
    node = NodeID(key: key.publicKey)
    self.transportAddress = transportAddress
    self.apiAddress = apiAddress
    var writer = WireWriter()
    JoinRequest.encode(
      cluster, guest, node, transportAddress, apiAddress, into: &writer)
    signature = key.sign(Blake2b.hash(writer.bytes, .join), as: .join)
  }

  private static func encode(
    _ cluster: ClusterID, _ guest: NodeID, _ node: NodeID, _ transportAddress: String,
    _ apiAddress: String, into writer: inout WireWriter
  ) {
    writer.write(cluster.digest)
    writer.write(guest.key)
    writer.write(node.key)
    writer.writeText(transportAddress)
    writer.writeText(apiAddress)
  }

  private func encodeFields(into writer: inout WireWriter) {
    JoinRequest.encode(cluster, guest, node, transportAddress, apiAddress, into: &writer)
  }

  func encode(into writer: inout WireWriter) {
    encodeFields(into: &writer)
    writer.writeRaw(signature.bytes)
  }

  init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    cluster = ClusterID(digest: try cursor.readDigest(span))
    guest = NodeID(key: try cursor.readDigest(span))
    node = NodeID(key: try cursor.readDigest(span))
    transportAddress = try cursor.readText(span, limit: 128)
    apiAddress = try cursor.readText(span, limit: 256)
    guard let signature = Signature(try cursor.readRaw(span, count: Signature.byteCount)) else {
      throw .truncated
    }
    self.signature = signature
  }
}

/// A ticket that is out.
struct Guest: Sendable {
  /// Until when it serves, in milliseconds since 1970.
  let expiresMilliseconds: UInt64
  /// The one node that it lets in, once a node has asked.
  var node: NodeID?
}

extension NodeDriver {
  private static let guestsKey = "guests"
  private static let guestsMax = 1_024

  /// Restores the tickets that are still out.
  func restoreGuests() throws {
    guard let bytes = try storage.meta(NodeDriver.guestsKey) else { return }
    var cursor = WireCursor()
    let span = bytes.span.bytes
    let count = try cursor.readCount(span, limit: NodeDriver.guestsMax, bytesEach: 72)
    for _ in 0..<count {
      let guest = NodeID(key: try cursor.readDigest(span))
      let expiry = try cursor.readUInt64(span)
      let key = try cursor.readDigest(span)
      guests[guest] = Guest(
        expiresMilliseconds: expiry, node: key == .zero ? nil : NodeID(key: key))
    }
  }

  private func storeGuests() throws {
    var writer = WireWriter()
    writer.writeVariable(UInt64(guests.count))
    for (key, guest) in guests.entries {
      writer.write(key.key)
      writer.write(guest.expiresMilliseconds)
      writer.write(guest.node?.key ?? .zero)
    }
    try storage.setMeta(NodeDriver.guestsKey, writer.bytes)
  }

  /// Whether a key was handed out with a ticket that has not ended.
  func isGuest(_ node: NodeID) -> Bool {
    guard let guest = guests[node] else { return false }
    return WallClock.milliseconds() < guest.expiresMilliseconds
  }

  func makeTicket(
    _ request: TicketRequest, completion: @escaping (Result<Ticketing, TicketFault>) -> Void
  ) {
    let result = ticket(request)
    loop.schedule(at: loop.now()) { completion(result) }
  }

  private func ticket(_ request: TicketRequest) -> Result<Ticketing, TicketFault> {
    guard request.role == .learner else {
      return .failure(
        TicketFault(
          reason: "voters are fixed by the genesis document; a node joins as a learner"))
    }
    let now = WallClock.milliseconds()
    for (key, guest) in guests.entries where guest.expiresMilliseconds <= now { guests[key] = nil }
    guard guests.count < NodeDriver.guestsMax else {
      return .failure(TicketFault(reason: "1,024 tickets are out; wait until some have ended"))
    }
    let expiry = now + UInt64(request.validSeconds) * 1_000
    let seed = Entropy.digest()
    let ticket = Ticket(
      genesis: configuration.genesis, address: configuration.settings.transportAdvertise,
      guestSeed: seed, expiresMilliseconds: expiry,
      signedWith: configuration.nodeKey.signingKey)
    guests[NodeID(key: ticket.guestKey.publicKey)] = Guest(
      expiresMilliseconds: expiry, node: nil)
    do {
      try storeGuests()
    } catch {
      return .failure(TicketFault(reason: "the ticket could not be stored: \(error)"))
    }
    return .success(Ticketing(text: ticket.text, expiresMilliseconds: expiry))
  }

  /// Judges a request to join and announces the new node in this node's lane.
  ///
  /// A ticket serves one node: the first that asks. That node may ask again, since it cannot know
  /// whether it was admitted when the answer is lost on the way.
  func admit(_ body: [UInt8], _ id: RequestID) {
    let request: JoinRequest
    do throws(WireError) {
      guard body.count <= JoinRequest.bytesMax else { throw .overLimit }
      request = try JoinRequest(decoding: body)
    } catch {
      refuseRequest(id, "\(error)")
      return
    }
    guard let verified = Verified(checking: request)?.value,
      verified.cluster == configuration.cluster, isGuest(verified.guest),
      transport.statistics(id.connection)?.key.bytes == verified.guest.key.bytes
    else {
      refuseRequest(id, "it is not signed for this ticket and cluster")
      return
    }
    let operation = LedgerOperation.announce(
      MemberAnnouncement(
        node: verified.node, role: .learner, transportAddress: verified.transportAddress,
        apiAddress: verified.apiAddress))
    guard operation.validate() == nil else {
      refuseRequest(id, "its addresses are not well formed")
      return
    }
    guard claim(verified.guest, for: verified.node, id) else { return }
    submit([operation], level: .local, deadlineMilliseconds: 5_000) { [unowned self] result in
      guard case .reached = result else {
        refuseRequest(id, "the admission was not written")
        return
      }
      logger.log(
        .info, "admitted a node",
        [
          LogField("node", verified.node.key.hexadecimal),
          LogField("address", verified.transportAddress),
        ])
      _ = transport.respond(to: id, frame: [1], last: true)
    }
  }

  /// Binds a ticket to the node that asks, durably; refuses the request when it is another's.
  private func claim(_ guest: NodeID, for node: NodeID, _ id: RequestID) -> Bool {
    if let holder = guests[guest]?.node {
      if holder != node { refuseRequest(id, "the ticket was used by another node") }
      return holder == node
    }
    guests[guest]?.node = node
    do {
      try storeGuests()
      return true
    } catch {
      fail("a used ticket could not be stored: \(error)")
      return false
    }
  }

  /// Announces this node's addresses in its lane, when the tables do not show them yet.
  func announceSelf() {
    let settings = configuration.settings
    let scheme = settings.apiTLS == nil ? "http" : "https"
    let isVoter = configuration.genesis.voter(configuration.node) != nil
    let announcement = MemberAnnouncement(
      node: configuration.node, role: isVoter ? .voter : .learner,
      transportAddress: settings.transportAdvertise.description,
      apiAddress: "\(scheme)://\(settings.apiAdvertise)")
    let known = machine.tables.members.first { $0.node == configuration.node }
    if known?.transportAddress == announcement.transportAddress,
      known?.apiAddress == announcement.apiAddress
    {
      return
    }
    submit([.announce(announcement)], level: .local, deadlineMilliseconds: 60_000) { _ in }
  }
}
