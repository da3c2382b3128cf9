internal import AgentAPI
internal import ControlCore
internal import ControlStorage
internal import CoreKit
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import RaftCore
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import StorageThreads
internal import Telemetry
internal import Wire

/// The control plane's part of a node's driver: its messages, its disk, its requests.
extension NodeDriver {
  // MARK: Requests

  /// Hands a command or a query to the control plane; `completion` is called once, later.
  func request(
    _ make: (ControlRequestID) -> ControlPlaneEvent,
    completion: @escaping (ControlReply) -> Void
  ) {
    guard fatal == nil else {
      loop.schedule(at: loop.now()) { completion(.overloaded) }
      return
    }
    let request = ControlRequestID(nextControlRequest)
    nextControlRequest += 1
    controlRequests[request] = completion
    step(.control(make(request)))
  }

  func events(
    after revision: UInt64, _ filter: ControlFilter, limit: Int
  ) -> ControlWatchAnswer {
    machine.control.state.events(after: revision, matching: filter, limit: limit)
  }

  var controlRevision: UInt64 { machine.control.state.revision }

  func transferLeadership(to node: NodeID?) {
    step(.control(.transferLeadership(node)))
  }

  // MARK: What the machine asks for

  func carryOut(_ effects: ControlPlaneEffects) {
    if let write = effects.write {
      controlWritesHeld.append(write)
      handControlWrites()
    }
    for send in effects.sends { self.send(send) }
    for disconnect in effects.disconnects { drop(disconnect.peer, disconnect.reason) }
    if let wanted = effects.snapshotWanted { encode(wanted) }
    for (request, reply) in effects.replies {
      controlRequests.removeValue(forKey: request)?(reply)
    }
    for notice in effects.notices where fatal == nil { hear(notice) }
  }

  private func send(_ send: ControlPlaneEffects.Send) {
    guard let connection = peers[Int(send.peer.value)].connection else { return }
    let bytes = send.message.encoded
    // A message that finds no room is lost, as on any network: every part of the control plane
    // says again what matters.
    if send.isDatagram, bytes.count <= ControlMessage.datagramBytesMax {
      _ = transport.send(datagram: bytes, to: connection)
    } else if transport.send(frame: bytes, on: .consensus, to: connection) == .full {
      counters.consensusFramesDropped += 1
    }
  }

  /// Hands over the steps that storage has room for; a full queue ends in a durable step, which
  /// calls again.
  private func handControlWrites() {
    while let write = controlWritesHeld.first {
      switch controlStorage.submit(write) {
      case .accepted: controlWritesHeld.removeFirst()
      case .busy: return
      case .stopped: return fail("control storage has stopped")
      }
    }
  }

  /// Takes note that every step up to `sequence` is on the disk.
  func markControlDurable(through sequence: UInt64) {
    handControlWrites()
    step(.control(.persisted(through: sequence)))
  }

  /// Encodes a state on a thread of its own: it takes long, and happens seldom.
  private func encode(_ wanted: ControlPlaneEffects.SnapshotWanted) {
    let handle = loop.handle
    let driver = LoopBound(self)
    encoder?.join()
    encoder = WorkerThread {
      let bytes = wanted.state.snapshotBytes
      _ = handle.post { _ in
        driver.value?.step(.control(.snapshotEncoded(index: wanted.index, bytes: bytes)))
      }
    }
  }

  private func hear(_ notice: ControlPlaneNotice) {
    switch notice {
    case .raft(let notice): hear(notice)
    case .eventsAdded: controlWatch?.eventsAdded()
    case .restored: controlWatch?.restored()
    case .lockWaitEnded(let name, let lease, let token):
      controlWatch?.lockWaitEnded(name, lease, token: token)
    case .member(let change):
      logger.log(
        .info, "a member changed",
        [
          LogField("node", change.node.key.short), LogField("was", "\(change.old)"),
          LogField("is", "\(change.new)"),
        ])
    case .coordination(let notice):
      logger.log(.info, "coordination changed", [LogField("news", "\(notice)")])
    case .unusable(let reason):
      fail(reason)
    }
  }

  private func hear(_ notice: RaftNotice) {
    switch notice {
    case .role(let role, let term):
      logger.log(
        .info, "role in the control log",
        [
          LogField("role", "\(role)"), LogField("term", "\(term)"),
        ])
    case .leader(let leader, let term):
      let name = leader.flatMap { machine.control.node(of: $0)?.key.short } ?? "none"
      logger.log(
        .info, "leader of the control log",
        [LogField("leader", name), LogField("term", "\(term)")])
    case .breach(let breach, let from):
      counters.controlBreaches += 1
      logger.log(
        .warning, "a member broke the rules of the control log",
        [LogField("member", "\(from)"), LogField("breach", "\(breach)")])
    case .stalled(let nanoseconds):
      logger.log(
        .debug, "this process was not scheduled",
        [LogField("milliseconds", "\(nanoseconds / 1_000_000)")])
    case .configuration, .configurationCommitted, .leaderForgotten, .quorumLost,
      .snapshotInstalled, .snapshotOffered, .transferAborted, .transferred:
      logger.log(.info, "news of the control log", [LogField("news", "\(notice)")])
    }
  }

  // MARK: What comes from peers

  /// Takes a frame or datagram of the control plane: this is its door.
  func receiveControl(_ bytes: [UInt8], from id: PeerConnectionID, isDatagram: Bool) {
    guard let index = peer(of: id) else {
      counters.guestFramesRefused += 1
      refuse("refused a frame", id, "a guest may only ask to join")
      return
    }
    if !isDatagram, bytes.first == FinalityGate.frameTag {
      return receiveFinality(Array(bytes.dropFirst()), from: index)
    }
    do throws(WireError) {
      guard bytes.count <= ControlMessage.bytesMax else { throw .overLimit }
      let message = try ControlMessage(decoding: bytes)
      step(.control(.received(message, from: index, isDatagram: isDatagram)))
    } catch {
      counters.messagesRefused += 1
      // A datagram may be late, from an earlier version of the peer: it proves nothing.
      if !isDatagram { refuse("refused a message", id, "\(error)") }
    }
  }

  func transport(_ transport: QUICTransport, refusedBy id: PeerConnectionID, key: PeerKey) {
    guard let index = peer(of: id) else { return }
    counters.crashHints += 1
    step(.control(.refused(index)))
  }

  // MARK: The end

  /// Whether the office is handed over, or there is nobody to hand it to.
  var hasLeft: Bool {
    let raft = machine.control.raft
    return !raft.isLeader || !raft.configuration.voters.contains { $0 != raft.id }
  }

  /// Closes the control log's storage; what waits is written.
  func closeControl() throws {
    encoder?.join()
    try controlStorage.close()
  }
}
