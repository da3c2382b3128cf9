internal import AgentAPI
internal import BFTCore
internal import FinalityStorage
internal import NodeCore
internal import Primitives
internal import Records

/// Finality's metrics.
extension NodeDriver {
  func writeFinalityMetrics(into text: inout MetricsText) {
    guard let plane = machine.finality else { return }
    writeChainMetrics(plane, into: &text)
    writeVoteMetrics(into: &text)
    write(
      "swarmoracle_finality_frames_dropped_total", .counter,
      "Messages of agreement that came while too many waited to be judged.",
      counters.finalityFramesDropped, into: &text)
    write(
      "swarmoracle_finality_unknown_epoch_total", .counter,
      "Messages of agreement of an epoch whose validators are not known here.",
      counters.finalityUnknownEpoch, into: &text)
    write(
      "swarmoracle_finality_reads_dropped_total", .counter,
      "Wishes of peers for final blocks that came while too many waited.",
      counters.finalityReadsDropped, into: &text)
    write(
      "swarmoracle_finality_evidence_total", .counter,
      "Validators found to have signed votes that contradict each other.",
      counters.finalityEvidence, into: &text)
  }

  private func writeChainMetrics(_ plane: FinalityPlane, into text: inout MetricsText) {
    let engine = plane.engine
    write(
      "swarmoracle_finality_epoch", .gauge, "The epoch of blocks.", engine.epoch, into: &text)
    write(
      "swarmoracle_finality_view", .gauge, "The view of agreement in the epoch.", engine.view,
      into: &text)
    write(
      "swarmoracle_finality_height", .gauge, "The height of the last final block.",
      engine.finalized.height, into: &text)
    write(
      "swarmoracle_finality_executed_height", .gauge, "The height of the last executed block.",
      plane.executedHeight, into: &text)
    write(
      "swarmoracle_finality_executed_bundles", .gauge,
      "The bundles of all lanes below the cut of the last executed block.",
      plane.executedBundles, into: &text)
    write(
      "swarmoracle_finality_executed_root", .gauge,
      "The first six bytes of the root at the executed height, as a number.",
      // As much of it as a double holds exactly: what collects metrics keeps no larger numbers.
      plane.executedRoot.words.0 >> 16, into: &text)
    write(
      "swarmoracle_finality_is_validator", .gauge,
      "Whether this node is a validator of the epoch: 1 or 0.", engine.isValidator ? 1 : 0,
      into: &text)
    write(
      "swarmoracle_finality_stands_still", .gauge,
      "Whether this node has stopped voting because it saw a contradiction: 1 or 0.",
      engine.standstill == nil ? 0 : 1, into: &text)
    write(
      "swarmoracle_finality_blocks_total", .counter, "Blocks that became final in this run.",
      plane.counters.blocksFinalized, into: &text)
    write(
      "swarmoracle_finality_bundles_total", .counter,
      "Bundles that came below the cut of a final block in this run.",
      plane.counters.bundlesFinalized, into: &text)
    write(
      "swarmoracle_finality_cuts_awaited_total", .counter,
      "Proposed blocks of which this node lacked something when they came.",
      plane.counters.cutsAwaited, into: &text)
    write(
      "swarmoracle_finality_unexecuted_blocks", .gauge, "Final blocks that wait for execution.",
      UInt64(plane.unexecutedCount), into: &text)
  }

  private func writeVoteMetrics(into text: inout MetricsText) {
    let votes = finality.journal.statistics
    write(
      "swarmoracle_votes_steps_total", .counter, "Steps of the vote journal made durable.",
      votes.steps, into: &text)
    write(
      "swarmoracle_votes_groups_total", .counter, "Groups of those steps that were written.",
      votes.groups, into: &text)
    write(
      "swarmoracle_votes_checkpoints_total", .counter, "Checkpoints of the vote journal.",
      votes.checkpoints, into: &text)
    write(
      "swarmoracle_votes_sync_nanoseconds_total", .counter,
      "How long all waits for the vote journal's disk took together.", votes.syncNanoseconds,
      into: &text)
    write(
      "swarmoracle_votes_syncs_total", .counter, "Times the vote journal's disk was waited for.",
      votes.syncs, into: &text)
    write(
      "swarmoracle_votes_queued_steps", .gauge, "Steps of votes that wait for the disk.",
      UInt64(votes.queuedSteps), into: &text)
    write(
      "swarmoracle_votes_used_bytes", .gauge, "Bytes of the vote journal's file in use.",
      UInt64(votes.usedBytes), into: &text)
  }
}
