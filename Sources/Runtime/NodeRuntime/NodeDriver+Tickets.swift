internal import AgentAPI
internal import Configuration
internal import Crypto
internal import LedgerCore
internal import Primitives
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Wire

/// A ticket that is out.
struct Guest: Sendable {
  /// Until when it serves, in milliseconds since 1970.
  let expiresMilliseconds: UInt64
  /// What the node that it lets in is to be.
  let role: MemberRole
  /// The one node that it lets in, once a node has asked.
  var node: NodeID?
}

extension NodeDriver {
  private static let guestsKey = "guests.2"
  /// Under which tickets were stored while all of them were for learners.
  private static let formerGuestsKey = "guests"
  private static let guestsMax = 1_024

  /// Restores the tickets that are still out.
  func restoreGuests() throws {
    if let bytes = try storage.meta(NodeDriver.guestsKey) {
      try restoreGuests(bytes, hasRoles: true)
    } else if let bytes = try storage.meta(NodeDriver.formerGuestsKey) {
      try restoreGuests(bytes, hasRoles: false)
    }
  }

  private func restoreGuests(_ bytes: [UInt8], hasRoles: Bool) throws {
    var cursor = WireCursor()
    let span = bytes.span.bytes
    let count = try cursor.readCount(
      span, limit: NodeDriver.guestsMax, bytesEach: hasRoles ? 73 : 72)
    for _ in 0..<count {
      let guest = NodeID(key: try cursor.readDigest(span))
      let expiry = try cursor.readUInt64(span)
      let key = try cursor.readDigest(span)
      var role = MemberRole.learner
      if hasRoles {
        guard let stored = MemberRole(rawValue: try cursor.readUInt8(span)) else {
          throw WireError.invalid("a ticket for an unknown role")
        }
        role = stored
      }
      guests[guest] = Guest(
        expiresMilliseconds: expiry, role: role, node: key == .zero ? nil : NodeID(key: key))
    }
  }

  func storeGuests() throws {
    var writer = WireWriter()
    writer.writeVariable(UInt64(guests.count))
    for (key, guest) in guests.entries {
      writer.write(key.key)
      writer.write(guest.expiresMilliseconds)
      writer.write(guest.node?.key ?? .zero)
      writer.write(guest.role.rawValue)
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
      expiresMilliseconds: expiry, role: request.role, node: nil)
    do {
      try storeGuests()
    } catch {
      return .failure(TicketFault(reason: "the ticket could not be stored: \(error)"))
    }
    return .success(Ticketing(text: ticket.text, expiresMilliseconds: expiry))
  }
}
