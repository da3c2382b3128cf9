internal import Crypto
internal import GossipCore
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import Records

/// What nodes apply and show: chains, causes, authors, and that equal frontiers are equal.
extension World {
  /// Checks a batch before its node's disk gets it.
  func checkApplied(_ batch: StorageBatch, at index: Int) {
    var frozen = nodes[index].view.frozen
    for proof in batch.proofs { frozen.insert(proof.lane) }
    for bundle in batch.bundles {
      let position = LanePosition(lane: bundle.header.lane, number: bundle.header.number)
      if bundle.header.node == nodes[index].id {
        ledger.signed.insert(bundle.digest)
        vouch(for: bundle, of: nodes[index])
      } else {
        if !ledger.signed.contains(bundle.digest) {
          report(.authorship, index, "\(place(position)) was never signed by that node")
        }
        checkPlace(position, bundle.digest, at: index)
      }
      ledger.count(position)
      checkCausality(bundle, frozen, at: index)
      nodes[index].view.take(bundle)
    }
  }

  /// Spares the door most signatures that a core has just made: of each life the first two and one
  /// in sixteen are checked. The others too are read back from their bytes and compared.
  private func vouch(for bundle: SignedBundle, of node: SimulatedNode) {
    node.bundlesSigned += 1
    guard node.bundlesSigned > 2, !node.bundlesSigned.isMultiple(of: 16) else { return }
    door.vouch(for: bundle, signedWith: node.key)
  }

  private func checkPlace(_ position: LanePosition, _ digest: Digest, at index: Int) {
    let known = ledger.places[position, default: digest]
    ledger.places[position] = known
    guard known != digest, let author = ledger.authors[position.lane], liars[author] == nil else {
      return
    }
    report(.lanesDoNotFork, index, "\(place(position)) differs from what another node holds")
  }

  private func checkCausality(_ bundle: SignedBundle, _ frozen: Set<LaneID>, at index: Int) {
    let header = bundle.header
    let view = nodes[index].view
    let lane = view.lanes[header.lane] ?? AppliedView.Lane()
    var name: String { place(LanePosition(lane: header.lane, number: header.number)) }
    if view.frozen.contains(header.lane) && header.lane != ownLane(of: index) {
      // Only on the way to what is final, which the end of the run tells.
      finality.appliedInSpite.append((index, header.lane, header.number))
      if scenario.epochLength == nil {
        report(.causalOrder, index, "\(name) is applied although the lane is frozen")
      }
    }
    if header.number != lane.number + 1 || header.previous != lane.digest
      || header.firstSequence != lane.lastSequence + 1 || header.firstTime <= lane.lastTime
    {
      report(.causalOrder, index, "\(name) does not follow bundle \(lane.number)")
    }
    for cause in header.context where !frozen.contains(cause.lane) {
      guard let other = view.lanes[cause.lane], other.number >= cause.number else {
        report(.causalOrder, index, "\(name) is applied before its cause \(place(cause))")
        return
      }
      if other.times[Int(cause.number - 1)] >= header.firstTime {
        report(.causalOrder, index, "\(name) is not later than its cause \(place(cause))")
      }
    }
  }

  private func ownLane(of index: Int) -> LaneID {
    nodes[index].lane
  }

  /// Restates what a node has applied from its disk, when it starts.
  func rebuildView(of index: Int) {
    var view = AppliedView()
    for lane in nodes[index].disk.lanes.entries {
      for bundle in lane.value.bundles { view.take(bundle) }
    }
    for proof in nodes[index].disk.proofs { view.frozen.insert(proof.lane) }
    if view.lanes.entries.contains(where: { entry in
      (nodes[index].view.lanes[entry.key]?.number ?? 0) > entry.value.number
    }) {
      probes[.appliedWentBack] += 1
    }
    nodes[index].view = view
  }

  /// Compares a node's roots with those of whoever had the same frontier, at whatever time.
  func checkEqualFrontiers(_ index: Int) {
    let node = nodes[index]
    guard let (heads, rows) = node.withMachine({ ($0.gossip.heads, $0.tables.rowsDigest) }) else {
      return
    }
    var hash = Blake2b(.audit)
    for head in heads {
      hash.update(head.lane.digest)
      hash.update(head.digest)
      if nodes[index].view.lanes[head.lane]?.digest != head.digest {
        report(.causalOrder, index, "a head is not that of the bundles handed to the disk")
      }
    }
    let roots = RunLedger.Roots(
      lanes: LanesTree.root(ofLeaves: leaves(of: heads, at: node)), rows: rows)
    let key = hash.finalize()
    audit.mix(roots.rows)
    guard let known = ledger.roots[key] else {
      ledger.roots[key] = roots
      return
    }
    if known != roots {
      report(
        .equalFrontiersAreEqual, index,
        known.lanes == roots.lanes
          ? "the rows differ from those of a node with the same frontier"
          : "the root over lanes differs from that of a node with the same frontier")
    }
  }

  /// The leaves of heads; those of heads that have not moved are not computed again.
  private func leaves(of heads: [LaneHead], at node: SimulatedNode) -> [Digest] {
    var leaves: [Digest] = []
    leaves.reserveCapacity(heads.count)
    for (place, head) in heads.enumerated() {
      precondition(place == 0 || heads[place - 1].lane < head.lane, "heads out of order")
      let isKnown = place < node.heads.count && node.heads[place] == head
      leaves.append(isKnown ? node.leaves[place] : LanesTree.leaf(of: head))
    }
    node.heads = heads
    node.leaves = leaves
    return leaves
  }

  /// Checks that a message claims nothing that a crash of its sender would make untrue.
  func checkShown(_ message: GossipMessage, by index: Int) {
    let progress: [LaneProgress]
    switch message {
    case .hello(let hello): progress = hello.progress
    case .progress(let news): progress = news
    case .proof: return
    }
    guard liars[index] == nil else { return }
    let own = ownLane(of: index)
    for entry in progress {
      let durable = nodes[index].disk.durable(entry.lane)
      let shown = entry.lane == own ? entry.applied : entry.synced
      if shown > durable {
        report(
          .shownIsDurable, index,
          "\(place(LanePosition(lane: entry.lane, number: shown))) is said to be synced, "
            + "the disk holds \(durable)")
      }
    }
  }

  /// Checks that a pushed bundle is on its author's disk, whoever pushes it.
  func checkShown(_ bytes: [UInt8], by index: Int) {
    guard liars[index] == nil else { return }
    guard let header = door.bundle(bytes, unsignedFrom: [])?.value.header else {
      report(.shownIsDurable, index, "an unsound bundle is pushed")
      return
    }
    let author = ledger.authors[header.lane] ?? index
    guard liars[author] == nil else { return }
    let durable = nodes[author].disk.durable(header.lane)
    if header.number > durable {
      report(
        .shownIsDurable, index,
        "\(place(LanePosition(lane: header.lane, number: header.number))) is pushed, the disk "
          + "of its author holds \(durable)")
    }
  }

  /// Checks that only who lied is proven to have lied.
  func checkBlame(_ proof: EquivocationProof, at index: Int) {
    guard let author = ledger.authors[proof.lane], liars[author] == nil else { return }
    report(
      .lanesDoNotFork, index,
      "the lane of node \(author + 1), which never lied, is proven to fork at \(proof.number)")
  }
}
