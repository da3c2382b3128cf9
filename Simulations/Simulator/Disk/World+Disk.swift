internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

extension World {
  /// Hands a batch to a node's disk.
  func hand(_ batch: StorageBatch, of index: Int) {
    audit.mix(0xd0, UInt64(index), batch.sequence)
    for bundle in batch.bundles { audit.mix(bundle.digest) }
    audit.mix(UInt64(batch.rows.count))
    checkApplied(batch, at: index)
    checkEqualFrontiers(index)
    let sequence = batch.sequence
    let isIdle = nodes[index].disk.submit(batch)
    if isIdle { startCommit(index) }
    plantEarlyReports(batch, sequence, at: index)
  }

  /// The planted bugs around durability, when asked for.
  private func plantEarlyReports(_ batch: StorageBatch, _ sequence: UInt64, at index: Int) {
    switch options.mutant {
    case .skipFsync:
      give(.durable(through: sequence), to: index)
    case .pushBeforeDurable:
      pushAtOnce(batch, from: index)
    case .acknowledgeBeforeDurable:
      acknowledgeAtOnce(batch, at: index)
    case .acceptUnsigned, .dropGaps, .loseControlSync, .forgetVote, .forgetTail, .preVoteBinds,
      .leaseReads, .commitUncounted, .commitOldTerms, .skipConfigurations, .doubleVote,
      .voteBeforePersist, nil:
      break
    }
  }

  private func pushAtOnce(_ batch: StorageBatch, from index: Int) {
    guard let peers = nodes[index].withMachine({ $0.gossip.eagerPeers }) else { return }
    for bundle in batch.bundles where bundle.header.node == nodes[index].id {
      _ = push(NodeEffects.Push(peers: peers, bytes: bundle.encoded), from: index)
    }
  }

  private func startCommit(_ index: Int) {
    guard nodes[index].disk.startGroup() else { return }
    var latency = scenario.diskLatency.pick(&diskRandom)
    // One commit in two hundred waits for the disk's own housekeeping.
    if diskRandom.chance(Ratio(1, in: 200)) { latency = latency * 10 }
    if nodes[index].slowUntil > now {
      latency = TimeSpan(nanoseconds: latency.nanoseconds + nodes[index].slowLatency.nanoseconds)
    }
    queue.add(.commitEnd(node: index, life: nodes[index].life), at: now + latency)
  }

  func endCommit(_ index: Int, _ life: UInt64) {
    guard nodes[index].isAlive, nodes[index].life == life else { return }
    let sequence = nodes[index].disk.finishGroup()
    audit.mix(0xd1, UInt64(index), sequence)
    note { "node \(index + 1) has step \(sequence) on its disk" }
    if options.mutant != .skipFsync { give(.durable(through: sequence), to: index) }
    startCommit(index)
  }
}
