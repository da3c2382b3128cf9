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
internal import Telemetry
internal import Wire

extension NodeDriver: QUICTransportDelegate {
  func transport(
    _ transport: QUICTransport, shouldAccept key: PeerKey, role: ConnectionRole
  ) -> Bool {
    guard let digest = Digest(key.bytes) else { return false }
    let node = NodeID(key: digest)
    return isMember(node) || isGuest(node)
  }

  func transport(
    _ transport: QUICTransport, connected id: PeerConnectionID, key: PeerKey,
    address: SocketAddress, role: ConnectionRole
  ) {
    guard let digest = Digest(key.bytes) else { return }
    let node = NodeID(key: digest)
    guard isMember(node) else { return }
    let index: PeerIndex
    if let known = indexes[node] {
      index = known
    } else {
      guard peers.count < NodeDriver.peersMax else {
        refuse("too many peers", id, "\(peers.count) are known by now")
        return
      }
      index = PeerIndex(UInt16(peers.count))
      indexes[node] = index
      peers.append(PeerRecord(node: node))
    }
    peers[Int(index.value)].connection = id
    peers[Int(index.value)].isBlocked = false
    if isInputPaused { transport.pauseBundles(id) }
    logger.log(
      .info, "connected",
      [LogField("peer", node.key.short), LogField("address", address.description)])
    step(.connected(index, node))
  }

  func transport(
    _ transport: QUICTransport, disconnected id: PeerConnectionID, key: PeerKey,
    reason: DisconnectReason
  ) {
    dropAnswers(on: id)
    guard let index = peer(of: id) else { return }
    peers[Int(index.value)].connection = nil
    logger.log(
      .info, "disconnected",
      [
        LogField("peer", peers[Int(index.value)].node.key.short),
        LogField("reason", reason.description),
      ])
    step(.disconnected(index))
  }

  func transport(
    _ transport: QUICTransport, failedToConnect key: PeerKey, address: SocketAddress,
    reason: DisconnectReason
  ) {
    logger.log(
      .debug, "could not connect",
      [LogField("peer", key.description), LogField("reason", reason.description)])
    tryOtherAddress(of: key, than: address)
  }

  /// Goes back and forth between a voter's address in the genesis document and the one that was
  /// announced since: any member can announce a wrong one, and a voter may have moved.
  private func tryOtherAddress(of key: PeerKey, than address: SocketAddress) {
    guard let digest = Digest(key.bytes),
      let voter = configuration.genesis.voter(NodeID(key: digest))
    else { return }
    let founding = SocketAddress(voter.transport.description)
    let announced = dialled[voter.node].flatMap { SocketAddress($0) }
    guard let other = address == founding ? announced : founding, other != address,
      transport.boundAddresses.contains(where: { $0.family == other.family })
    else { return }
    transport.connect(to: other, expecting: key)
  }

  func transport(
    _ transport: QUICTransport, received frame: [UInt8], on channel: Channel,
    from id: PeerConnectionID
  ) {
    guard let index = peer(of: id) else {
      counters.guestFramesRefused += 1
      refuse("refused a frame", id, "a guest may only ask to join")
      return
    }
    switch channel {
    case .consensus:
      receiveControl(frame, from: id, isDatagram: false)
    case .bundles:
      verifier.submit(.frames([frame], from: index, .pushed))
    case .control:
      do throws(WireError) {
        guard frame.count <= GossipMessage.bytesMax else { throw .overLimit }
        step(.received(try GossipMessage(decoding: frame), from: index))
      } catch {
        counters.messagesRefused += 1
        refuse("refused a message", id, "\(error)")
      }
    }
  }

  func transport(_ transport: QUICTransport, writable id: PeerConnectionID, channel: Channel) {
    guard channel == .bundles, let index = peer(of: id) else { return }
    peers[Int(index.value)].isBlocked = false
    step(.pushReady(index))
  }

  func transport(
    _ transport: QUICTransport, receivedDatagram datagram: [UInt8], from id: PeerConnectionID
  ) {
    receiveControl(datagram, from: id, isDatagram: true)
  }

  /// Whether a node is in the genesis document or was announced in a lane.
  func isMember(_ node: NodeID) -> Bool {
    guard !machine.control.isRemoved(node) else { return false }
    return configuration.genesis.voter(node) != nil || node == configuration.node
      || machine.tables.members.contains { $0.node == node }
  }

  /// The machine's index of the peer on a connection.
  func peer(of id: PeerConnectionID) -> PeerIndex? {
    peers.firstIndex { $0.connection == id }.map { PeerIndex(UInt16($0)) }
  }

  /// Counts and logs something hostile or broken, and ends the connection it came on.
  func refuse(_ message: StaticString, _ id: PeerConnectionID, _ reason: String) {
    let peer = peer(of: id).map { peers[Int($0.value)].node.key.hexadecimal } ?? "guest"
    logger.log(.warning, message, [LogField("peer", peer), LogField("reason", reason)])
    transport.disconnect(id)
  }

  /// Dials every member at its latest address, and nobody else.
  func followMembers() {
    guard let transport = transportOrNone else { return }
    var addresses = SortedMap<NodeID, String>()
    for voter in configuration.genesis.voters {
      addresses[voter.node] = voter.transport.description
    }
    for member in machine.tables.members {
      addresses[member.node] = member.transportAddress
    }
    addresses[configuration.node] = nil
    let families = transport.boundAddresses.map(\.family)
    // Half of the connections are for those who dial this node.
    let dialledMax = transport.configuration.connectionsMax / 2
    for (node, address) in addresses.entries where dialled[node] != address {
      let isVoter = configuration.genesis.voter(node) != nil
      guard isVoter || dialled[node] != nil || dialled.count < dialledMax else { continue }
      // What a member announces was written by somebody else: a name, or a family of addresses that
      // this node has no socket for.
      guard let key = PeerKey(node.key.bytes), let target = SocketAddress(address),
        families.contains(target.family)
      else {
        logger.log(
          .warning, "a member's address cannot be dialled",
          [LogField("peer", node.key.hexadecimal), LogField("address", address)])
        continue
      }
      // A connection that is up stays up: any member can announce any address, and a new one is
      // needed only once the old one has led nowhere.
      dialled[node] = address
      transport.connect(to: target, expecting: key)
    }
  }

  // MARK: What the machine asks for

  func send(_ send: GossipEffects.Send) {
    guard let connection = peers[Int(send.peer.value)].connection else { return }
    // A control channel that is full carries a digest less: the next one says the same and more.
    _ = transport.send(frame: send.message.encoded, on: .control, to: connection)
  }

  func push(_ push: NodeEffects.Push) -> Bool {
    var hasEvents = false
    for peer in push.peers {
      guard let connection = peers[Int(peer.value)].connection,
        !peers[Int(peer.value)].isBlocked
      else { continue }
      if transport.send(frame: push.bytes, on: .bundles, to: connection) == .full {
        peers[Int(peer.value)].isBlocked = true
        machine.handle(.pushBlocked(peer), at: moment, into: &effects)
        hasEvents = true
      }
    }
    return hasEvents
  }

  func drop(_ peer: PeerIndex, _ reason: StaticString) {
    guard let connection = peers[Int(peer.value)].connection else { return }
    refuse("a peer was disconnected", connection, "\(reason)")
  }
}
