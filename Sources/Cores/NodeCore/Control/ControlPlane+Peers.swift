internal import ControlCore
internal import CoordinatorCore
internal import CoreKit
internal import MembershipCore
internal import Primitives
internal import RaftCore
package import Records

/// Asked of the peers alone: a question to the whole control plane copies it when asked in a step.
extension [ControlPeer] {
  /// The peer that is a member of the control log in this life, when it is in reach.
  func place(of id: RaftID) -> PeerIndex? {
    firstIndex { $0.isConnected && $0.member?.id == id }.map { PeerIndex(UInt16($0)) }
  }

  /// The peer that is a node, when it is in reach.
  func place(of node: NodeID) -> PeerIndex? {
    firstIndex { $0.isConnected && $0.node == node }.map { PeerIndex(UInt16($0)) }
  }
}

extension ControlPlane {
  /// The node of a member of the control log.
  package func node(of id: RaftID) -> NodeID? {
    if id == member.id { return member.node }
    return raft.configuration.member(id)?.node
      ?? peers.first { $0.member?.id == id }?.node
  }

  /// The node that leads, as far as this one knows.
  package var leaderNode: NodeID? { raft.leader.flatMap { node(of: $0) } }

  mutating func connect(
    _ peer: PeerIndex, _ node: NodeID, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    precondition(Int(peer.value) <= peers.count, "peer \(peer.value) of \(peers.count)")
    if Int(peer.value) == peers.count { peers.append(ControlPeer(node: node)) }
    precondition(peers[Int(peer.value)].node == node, "peer \(peer.value) is another node")
    peers[Int(peer.value)].isConnected = true
    peers[Int(peer.value)].member = nil
    let hello = ControlHello(cluster: configuration.cluster, life: member.life)
    effects.sends.append(.init(peer: peer, message: .hello(hello), isDatagram: false))
    membership.handle(.connected(node), at: now, into: &membershipEffects)
    isViewStale = true
  }

  mutating func disconnect(_ peer: PeerIndex, at now: Moment) {
    guard Int(peer.value) < peers.count, peers[Int(peer.value)].isConnected else { return }
    peers[Int(peer.value)].isConnected = false
    if let member = peers[Int(peer.value)].member {
      raft.handle(.disconnected(member.id), at: now, into: &raftEffects)
    }
    membership.handle(
      .disconnected(peers[Int(peer.value)].node), at: now, into: &membershipEffects)
    if let sentTo, sentTo.leader == peers[Int(peer.value)].member?.id { self.sentTo = nil }
    isViewStale = true
  }

  /// The peer's process is gone, says its host: both detectors may act on it, neither trusts it.
  mutating func suspect(_ peer: PeerIndex, at now: Moment) {
    guard Int(peer.value) < peers.count else { return }
    let node = peers[Int(peer.value)].node
    raft.handle(.suspectLeader(node), at: now, into: &raftEffects)
    membership.handle(.crashHint(node), at: now, into: &membershipEffects)
  }

  mutating func receive(
    _ message: ControlMessage, from peer: PeerIndex, isDatagram: Bool, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    guard Int(peer.value) < peers.count, peers[Int(peer.value)].isConnected else { return }
    let node = peers[Int(peer.value)].node
    switch message {
    case .hello(let hello):
      greet(hello, peer, at: now, into: &effects)
    case .raft(let raftMessage):
      // The connection proves the node; the greeting said which life of its log speaks.
      guard let sender = peers[Int(peer.value)].member, raftMessage.from == sender.id,
        raftMessage.to == member.id
      else {
        counters.misdirected += 1
        return
      }
      raft.handle(.received(raftMessage), at: now, into: &raftEffects)
      if raft.leader == sender.id { leaderHeardAt = now.instant }
    case .forward(let forward):
      take(forward, from: peer, at: now, into: &effects)
    case .forwardRefused(let refusal):
      take(refusal, from: peer, at: now, into: &effects)
    case .membership(let news):
      membership.handle(
        .received(news, from: node, over: isDatagram ? .datagram : .reliable), at: now,
        into: &membershipEffects)
    case .coordinator(let word):
      coordinator.handle(.received(word, from: node), at: now, into: &coordinatorEffects)
    }
  }

  private mutating func greet(
    _ hello: ControlHello, _ peer: PeerIndex, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    guard hello.version == ControlHello.version else {
      effects.disconnects.append((peer, "speaks another version of the control plane"))
      return
    }
    guard hello.cluster == configuration.cluster else {
      effects.disconnects.append((peer, "belongs to another cluster"))
      return
    }
    guard peers[Int(peer.value)].member == nil else {
      effects.disconnects.append((peer, "greeted twice"))
      return
    }
    let greeted = RaftMember(node: peers[Int(peer.value)].node, life: hello.life)
    peers[Int(peer.value)].member = greeted
    raft.handle(.connected(greeted.id), at: now, into: &raftEffects)
    followLeader(at: now, into: &effects)
    planReconciliation(at: now, after: .milliseconds(50))
  }

  /// Sends a message of the control log to whoever is its receiver, if it is in reach.
  mutating func send(_ message: RaftMessage, into effects: inout ControlPlaneEffects) {
    guard let peer = peers.place(of: message.to) else { return }
    effects.sends.append(
      .init(peer: peer, message: .raft(message), isDatagram: message.prefersDatagram))
  }
}
