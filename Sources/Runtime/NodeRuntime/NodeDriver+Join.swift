internal import AgentAPI
internal import Configuration
internal import ControlCore
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

extension NodeDriver {
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
      grantRole(of: verified.guest, to: verified.node, id)
    }
  }

  /// Has the cluster agree that the new node is to vote, when its ticket says so, and tells it that
  /// it is admitted. The leader lets it vote once it has caught up.
  private func grantRole(of guest: NodeID, to node: NodeID, _ id: RequestID) {
    guard guests[guest]?.role == .voter else {
      _ = transport.respond(to: id, frame: [1], last: true)
      return
    }
    let deadline = moment.instant + .seconds(5)
    request {
      .submit($0, .setMember(node, role: .voter), name: nil, deadline: deadline)
    } completion: { [unowned self] reply in
      switch reply {
      case .result(let result) where !result.isRefused:
        _ = transport.respond(to: id, frame: [1], last: true)
      case .result(let result):
        refuseRequest(id, "the cluster does not let it vote: \(result.outcome)")
      case .unknown, .unavailable, .overloaded, .answer:
        // It may ask again with the same ticket.
        refuseRequest(id, "the cluster did not confirm that it is to vote")
      }
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
