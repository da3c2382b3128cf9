internal import BFTCore
internal import CoreKit
internal import Crypto
internal import ExecutionCore
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

/// What all nodes' chains have in common.
struct FinalityBook {
  /// Checks signatures of agreement, for all nodes.
  var door: FinalityDoor?
  /// The block and the root of each height, from 1.
  var heights: [(block: Digest, root: Digest)] = []
  /// How far each lane was reported as final.
  var promised = SortedMap<LaneID, UInt64>()
  /// Bundles that nodes applied of lanes that they knew to have forked.
  var appliedInSpite: [(node: Int, lane: LaneID, number: UInt64)] = []
}

/// What drives a node's finality here, as `NodeDriver+Finality` does in a process.
extension World {
  /// The first byte of a message of agreement on the consensus stream.
  static let finalityTag: UInt8 = 7
  /// Blocks that are executed at once.
  private static let blocksPerCommit = 64

  private var chain: ChainID { ChainID(cluster: cluster, swarm: swarm) }

  private var founders: ValidatorSet {
    guard let set = ValidatorSet(nodes.map(\.id)) else {
      preconditionFailure("\(nodes.count) nodes are no set of validators")
    }
    return set
  }

  /// Begins every node's chain, when there is one.
  func makeChains() {
    guard scenario.epochLength != nil else { return }
    var door = FinalityDoor(chain: chain)
    door.learn(founders, epoch: 1)
    finality.door = door
    for node in nodes { node.chain = SimulatedChain(chain: chain, founders: founders) }
  }

  func finalityConfiguration(of index: Int) -> FinalityPlaneConfiguration? {
    guard let epochLength = scenario.epochLength else { return nil }
    var engine = BFTConfiguration(chain: chain, genesis: founders, key: nodes[index].key)
    engine.epochLength = epochLength
    return FinalityPlaneConfiguration(engine: engine)
  }

  func recoverFinality(_ index: Int) -> FinalityRecovery? { nodes[index].chain?.recovery }

  // MARK: What the machine asks for

  func carryOutFinality(_ taken: EffectsBox, of index: Int) {
    let effects = taken.value.finality
    if let step = effects.journal, nodes[index].chain?.submit(step) == true {
      startVoteCommit(index)
    }
    for (peer, message) in effects.sends { send(message, to: peer, from: index) }
    if !effects.execute.isEmpty, nodes[index].chain?.submit(effects.execute) == true {
      planExecution(index)
    }
    for wanted in effects.blocksWanted {
      guard let range = nodes[index].chain?.range(first: wanted.first, count: wanted.count) else {
        continue
      }
      reply(.blocksLoaded(range, to: wanted.peer), to: index)
    }
    for wanted in effects.outlinesWanted {
      var outlines: [BundleOutline] = []
      while outlines.count < wanted.count,
        let bundle = nodes[index].disk.bundle(
          LanePosition(lane: wanted.lane, number: wanted.first + UInt64(outlines.count)))
      {
        outlines.append(BundleOutline(bundle.signedHeader))
      }
      reply(.outlines(wanted.lane, first: wanted.first, outlines), to: index)
    }
    for notice in effects.notices { hear(notice, at: index) }
    if let place = effects.withdrawal { withdraw(place, at: index) }
  }

  /// Takes the end of a lane out of a node's log, as a repair does, and starts the node again.
  private func withdraw(_ place: LanePosition, at index: Int) {
    note { "node \(index + 1) takes out what follows \(self.place(place))" }
    if let author = ledger.authors[place.lane], liars[author] == nil {
      report(.lanesDoNotFork, index, "\(self.place(place)) is taken out, and its node never lied")
    }
    queue.add(.withdrawal(node: index, life: nodes[index].life, place), at: now)
  }

  func endWithdrawal(_ index: Int, _ life: UInt64, _ place: LanePosition) {
    guard nodes[index].isAlive, nodes[index].life == life else { return }
    crashNode(index)
    nodes[index].disk.withdraw(after: place)
    queue.add(
      .fault(.start(index)), at: now + .milliseconds(chainRandom.next(in: 20...2_000)))
  }

  private func reply(_ event: FinalityPlaneEvent, to index: Int) {
    let delay = TimeSpan.microseconds(chainRandom.next(in: 50...2_000))
    queue.add(
      .own(node: index, life: nodes[index].life, .finality(event)), at: now + delay)
  }

  private func send(_ message: FinalityMessage, to peer: PeerIndex, from index: Int) {
    let to = nodes[index].peersByIndex[Int(peer.value)]
    let connection = network.link(index, to).connection
    guard connection != 0 else { return }
    let bytes = [World.finalityTag] + message.encoded
    audit.mix(0xc9, UInt64(index), UInt64(to))
    let arrival = network.arrival(index, to, at: now)
    if network.enqueue(bytes, index, to, readyAt: arrival) {
      queue.add(.consensus(from: index, to: to, connection: connection), at: arrival)
    }
  }

  /// Takes a message of agreement: this is its door.
  func takeFinality(_ bytes: [UInt8], _ from: Int, _ peer: PeerIndex, at index: Int) {
    do throws(WireError) {
      guard scenario.epochLength != nil, bytes.count <= FinalityMessage.bytesMax else {
        throw .overLimit
      }
      let message = try FinalityMessage(decoding: bytes)
      if let verified = finality.door?.check(message) {
        give(.finality(.received(verified, from: peer)), to: index)
      } else if let epoch = message.statedEpoch, finality.door?.knows(epoch: epoch) == true {
        report(.agreementGoesOn, from, "what it says of blocks is refused at the door")
      }
    } catch {
      breakLink(index, from)
    }
  }

  // MARK: Disks

  private func startVoteCommit(_ index: Int) {
    guard nodes[index].chain?.startVotes() == true else { return }
    var latency = scenario.diskLatency.pick(&chainRandom)
    if nodes[index].slowUntil > now {
      latency = TimeSpan(nanoseconds: latency.nanoseconds + nodes[index].slowLatency.nanoseconds)
    }
    queue.add(.voteCommitEnd(node: index, life: nodes[index].life), at: now + latency)
  }

  func endVoteCommit(_ index: Int, _ life: UInt64) {
    guard nodes[index].isAlive, nodes[index].life == life,
      let sequence = nodes[index].chain?.finishVotes()
    else { return }
    audit.mix(0xca, UInt64(index), sequence)
    give(.finality(.journalled(through: sequence)), to: index)
    startVoteCommit(index)
  }

  private func planExecution(_ index: Int) {
    let latency = scenario.diskLatency.pick(&chainRandom)
    queue.add(.executionEnd(node: index, life: nodes[index].life), at: now + latency)
  }

  func endExecution(_ index: Int, _ life: UInt64) {
    guard nodes[index].isAlive, nodes[index].life == life else { return }
    let disk = nodes[index].disk
    do {
      let executed =
        try nodes[index].chain?.execute(World.blocksPerCommit) { disk.bundle($0) } ?? []
      for (final, report) in executed { check(final, report, at: index) }
      give(.finality(.executed(executed.map(\.report))), to: index)
    } catch ExecutionError.mismatch(let position) {
      probes[.versionLost] += 1
      let after = nodes[index].chain?.ledger.head(of: position.lane)?.number ?? 0
      give(.finality(.contradicted(position, after: after)), to: index)
      return
    } catch {
      report(.oneChain, index, "a final block cannot be executed: \(error)")
      return
    }
    if nodes[index].chain?.isExecuting == true { planExecution(index) }
  }

  // MARK: Checks

  private func check(_ final: FinalizedBlock, _ report: ExecutionReport, at index: Int) {
    probes[.blockExecuted] += 1
    if final.endsEpoch { probes[.epochEnded] += 1 }
    let place = Int(report.height) - 1
    guard place < finality.heights.count else {
      finality.heights.append((final.block.hash, report.root))
      return
    }
    let known = finality.heights[place]
    if known.block != final.block.hash || known.root != report.root {
      self.report(
        .oneChain, index,
        "height \(report.height) is \(final.block.hash.short) with root \(report.root.short), "
          + "elsewhere \(known.block.short) with \(known.root.short)")
    }
  }

  /// Checks a report of `final` at the moment it is given.
  func checkFinal(_ operation: OperationID, at index: Int) {
    let lane = operation.bundle.lane
    let head = nodes[index].chain?.ledger.head(of: lane)?.number ?? 0
    if head < operation.bundle.number {
      report(
        .finalIsKept, index,
        "\(place(operation.bundle)) is reported as final, and \(head) is executed")
    }
    finality.promised[lane] = max(finality.promised[lane] ?? 0, operation.bundle.number)
  }

  private func hear(_ notice: BFTNotice, at index: Int) {
    switch notice {
    case .epochBegan(let epoch, let set): finality.door?.learn(set, epoch: epoch)
    case .halted(let reason): report(.agreementGoesOn, index, "agreement halts: \(reason)")
    case .diverged(let height, let own, let theirs):
      report(
        .agreementGoesOn, index,
        "at height \(height) the root is \(own.short), others vouch for \(theirs.short)")
    case .evidence(let evidence):
      report(.agreementGoesOn, index, "validator \(evidence.first.signer) contradicts itself")
    case .amnesiaOver(let view):
      probes[.amnesiaEnded] += 1
      nodes[index].chain?.endAmnesia()
      note { "node \(index + 1) votes again above view \(view)" }
    case .handover(let certificate):
      probes[.epochHandedOver] += 1
      nodes[index].chain?.store(certificate)
    }
  }

  /// Whether something of a forked lane was applied that did not become final.
  private func findStray() -> (node: Int?, text: String)? {
    for (node, lane, number) in finality.appliedInSpite
    where nodes[node].chain?.ledger.head(of: lane)?.number ?? 0 < number {
      let name = place(LanePosition(lane: lane, number: number))
      return (node, "\(name) is applied although its lane is frozen, and not final")
    }
    return nil
  }

  /// Whether every lane is final as far as it goes, everywhere, and nothing that was final is not.
  func findFinalityDifference() -> (node: Int?, text: String)? {
    guard scenario.epochLength != nil else { return nil }
    if let stray = findStray() { return stray }
    for node in nodes {
      guard let ledger = node.chain?.ledger,
        let frontier = node.withMachine({ $0.gossip.frontier })
      else { continue }
      for (lane, number) in finality.promised.entries
      where ledger.head(of: lane)?.number ?? 0 < number {
        return (node.index, "bundle \(number) was reported as final and is not executed")
      }
      for (lane, number) in frontier.entries where liars.isEmpty {
        let head = ledger.head(of: lane)?.number ?? 0
        if head < number {
          return (
            node.index, "\(place(LanePosition(lane: lane, number: number))) is not final: \(head)"
          )
        }
      }
      if let epoch = node.chain?.epochWithoutHandover {
        return (node.index, "nobody has said to it how epoch \(epoch) ended")
      }
      let reached = node.withMachine { $0.finality?.engine.finalizedExecutedHeight } ?? nil
      let last = node.chain?.stored.recent.last { !$0.block.body.isEmpty }?.block.header.height
      if let reached, let last, reached < last {
        return (node.index, "no final block vouches for height \(last) yet")
      }
    }
    return nil
  }
}
