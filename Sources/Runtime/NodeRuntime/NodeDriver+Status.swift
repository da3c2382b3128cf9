internal import AgentAPI
internal import Configuration
internal import CoreKit
internal import GossipCore
internal import LedgerCore
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import RaftCore
internal import Reactor
internal import Records
internal import SQLiteStorage

extension NodeDriver {
  /// What the node says about itself.
  var status: NodeStatus {
    let gossip = machine.gossip
    let frontier = gossip.frontier
    let voters = voters
    return NodeStatus(
      node: configuration.node, cluster: configuration.cluster, swarm: NodeProgram.swarmName,
      version: NodeProgram.version, startedMilliseconds: startedMilliseconds,
      frontier: frontier, syncedFrontier: gossip.syncedFrontier,
      lanesRoot: LanesTree.root(of: gossip.heads), rowsDigest: machine.tables.rowsDigest,
      operations: gossip.heads.reduce(0) { $0 + $1.lastSequence },
      peers: peerStatuses(frontier), voters: voters.count,
      votersReachable: voters.filter(isInReach).count,
      isQuorumInReach: isQuorumInReach,
      notReady: fatal.map { [$0] } ?? [], pendingWrites: writes.count,
      pendingReads: storage.pendingReads, pendingBundles: gossip.parkedCount,
      storageBytes: storage.fileBytes)
  }

  /// Whether a majority of the control log's voters is connected, this node included.
  var isQuorumInReach: Bool {
    machine.control.raft.configuration.isQuorum { id in
      machine.control.node(of: id).map(isInReach) ?? false
    }
  }

  /// The nodes that vote in the control log, or are about to, ascending.
  private var voters: [NodeID] {
    let log = machine.control.raft.configuration
    return log.members.filter { log.isVoter($0.id) }.map(\.node)
      .reduce(into: SortedMap<NodeID, Void>()) { $0[$1] = () }.entries.map(\.key)
  }

  /// Whether a node lives, as membership sees it, and is connected; or is this one.
  private func isInReach(_ node: NodeID) -> Bool {
    if node == configuration.node { return true }
    guard isConnected(node) else { return false }
    return machine.control.membership.members.first { $0.node == node }?.state.isPresent ?? false
  }

  /// Every member, this node included, in ascending order of node.
  var members: [MemberStatus] {
    var addresses = SortedMap<NodeID, (transport: String, api: String)>()
    for voter in configuration.genesis.voters {
      addresses[voter.node] = (voter.transport.description, "http://\(voter.api)")
    }
    for member in machine.tables.members {
      addresses[member.node] = (member.transportAddress, member.apiAddress)
    }
    let status = controlStatus
    return addresses.entries.map { entry in
      let lives = status.members.filter { $0.node == entry.key }
      // While one life replaces another, the one that votes stands for the node.
      let life = lives.first(where: \.isVoter) ?? lives.last
      return MemberStatus(
        node: entry.key, role: machine.control.desiredRole(of: entry.key).map { "\($0)" },
        transportAddress: entry.value.transport, apiAddress: entry.value.api,
        isReachable: entry.key == configuration.node || isConnected(entry.key),
        view: status.view.first { $0.node == entry.key }, life: life?.life,
        votes: life?.isVoter ?? false, isLeader: status.leader == entry.key)
    }
  }

  /// Whether a connection to the node is up.
  func isConnected(_ node: NodeID) -> Bool {
    indexes[node].map { peers[Int($0.value)].connection != nil } ?? false
  }

  private func peerStatuses(_ frontier: Frontier) -> [PeerStatus] {
    var statuses: [PeerStatus] = []
    for (node, address) in dialled.entries {
      var behind: UInt64 = 0
      for (lane, number) in frontier.entries {
        behind += number - min(number, machine.gossip.synced(lane, at: node))
      }
      let connection = indexes[node].flatMap { peers[Int($0.value)].connection }
      let statistics = connection.flatMap { transport.statistics($0) }
      statuses.append(
        PeerStatus(
          node: node, address: address, isConnected: connection != nil, behindBundles: behind,
          roundTripMicroseconds: statistics.map { $0.smoothedRoundTripNanoseconds / 1_000 }))
    }
    return statuses
  }

  /// Adds the node's own metrics.
  func writeMetrics(into text: inout MetricsText) {
    writeLaneMetrics(into: &text)
    writeRelayMetrics(into: &text)
    writeTransportMetrics(into: &text)
    writeStorageMetrics(into: &text)
    writeScrubMetrics(into: &text)
    writeControlMetrics(into: &text)
    writeFinalityMetrics(into: &text)
    writeSnapshotMetrics(into: &text)
  }

  private func writeLaneMetrics(into text: inout MetricsText) {
    let gossip = machine.gossip.counters
    func counter(_ name: String, _ help: String, _ value: UInt64) {
      text.family(name, .counter, help)
      text.sample(value)
    }
    counter(
      "swarmoracle_operations_written_total", "Operations written to the own lane.",
      machine.operationsWritten)
    counter(
      "swarmoracle_bundles_applied_total", "Bundles of other nodes that were applied.",
      gossip.applied)
    counter(
      "swarmoracle_bundles_duplicate_total", "Bundles received that were held already.",
      gossip.duplicates)
    counter("swarmoracle_bundles_parked_total", "Bundles that had to wait.", gossip.parked)
    counter(
      "swarmoracle_bundles_parked_dropped_total", "Waiting bundles dropped for want of room.",
      gossip.parkedDropped)
    counter(
      "swarmoracle_bundles_foreign_total", "Bundles of no member or of another swarm.",
      gossip.foreign)
    counter(
      "swarmoracle_bundles_invalid_total", "Bundles that break a rule of their lane.",
      gossip.invalid)
    counter(
      "swarmoracle_bundles_refused_total", "Frames refused as forged or undecodable bundles.",
      counters.bundlesRefused)
    counter(
      "swarmoracle_messages_refused_total", "Control frames refused as undecodable.",
      counters.messagesRefused)
    counter(
      "swarmoracle_requests_refused_total", "Requests of peers that were refused.",
      counters.requestsRefused)
    counter(
      "swarmoracle_guest_frames_refused_total", "Frames of guests, who may only ask to join.",
      counters.guestFramesRefused)
    counter("swarmoracle_pulls_started_total", "Ranges asked of peers.", gossip.pulls)
    counter(
      "swarmoracle_pulls_fruitless_total", "Pulls that failed or brought nothing.",
      gossip.pullsFruitless)
    counter("swarmoracle_pulls_served_total", "Ranges served to peers.", counters.pullsServed)
    counter("swarmoracle_lanes_forked_total", "Lanes proven to fork.", gossip.equivocations)
    counter(
      "swarmoracle_pushes_blocked_total", "Times a slow peer became pull-only.",
      gossip.pushesBlocked)
    counter(
      "swarmoracle_input_pauses_total", "Times peers were held back by pending input.",
      counters.inputPauses)
  }

  private func writeRelayMetrics(into text: inout MetricsText) {
    text.family(
      "swarmoracle_bundles_handed_on_total", .counter,
      "Copies of others' bundles pushed on as a relay.")
    text.sample(machine.gossip.counters.handedOn)
  }

  private func writeTransportMetrics(into text: inout MetricsText) {
    let quic = transport.counters
    func counter(_ name: String, _ help: String, _ value: UInt64) {
      text.family(name, .counter, help)
      text.sample(value)
    }
    text.family("swarmoracle_quic_connections", .gauge, "QUIC connections now.")
    text.sample(UInt64(quic.connections))
    text.family("swarmoracle_quic_handshakes_total", .counter, "QUIC handshakes by result.")
    text.sample(quic.handshakesConfirmed, [("result", "confirmed")])
    text.sample(quic.handshakesRefused, [("result", "refused")])
    text.sample(quic.handshakesFailed, [("result", "failed")])
    text.sample(quic.refusedByLimit, [("result", "limit")])
    text.family("swarmoracle_quic_packets_total", .counter, "UDP packets by direction.")
    text.sample(quic.packetsIn, [("direction", "in")])
    text.sample(quic.packetsOut, [("direction", "out")])
    text.family("swarmoracle_quic_bytes_total", .counter, "UDP payload bytes by direction.")
    text.sample(quic.bytesIn, [("direction", "in")])
    text.sample(quic.bytesOut, [("direction", "out")])
    counter(
      "swarmoracle_quic_packets_dropped_total", "Packets that belong to no connection.",
      quic.packetsDropped)
    counter(
      "swarmoracle_quic_frames_malformed_total", "Frames that broke the framing rules.",
      quic.malformedFrames)
    counter(
      "swarmoracle_quic_sends_held_back_total", "Sends refused by a full window.",
      quic.sendsHeldBack)
    counter("swarmoracle_quic_retries_total", "Retry packets sent.", quic.retriesSent)
    counter(
      "swarmoracle_quic_stateless_resets_total", "Stateless resets sent.",
      quic.statelessResetsSent)
  }

  private func writeStorageMetrics(into text: inout MetricsText) {
    let statistics = storage.statistics
    text.family("swarmoracle_storage_pending_batches", .gauge, "Steps that wait for the disk.")
    text.sample(UInt64(statistics.pendingBatches))
    text.family("swarmoracle_storage_pending_bytes", .gauge, "Bytes that wait for the disk.")
    text.sample(UInt64(statistics.pendingBytes))
    text.family("swarmoracle_storage_groups_total", .counter, "Group commits.")
    text.sample(statistics.groups)
    text.family(
      "swarmoracle_loop_turn_longest_nanoseconds", .gauge, "The longest turn of the loop.")
    text.sample(loop.metrics.longestTurnNanoseconds)
  }
}
