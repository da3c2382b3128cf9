internal import AgentAPI
internal import QUICTransport
internal import Reactor
internal import SQLiteStorage
internal import SnapshotCore
internal import Wire

extension NodeDriver {
  /// Bytes of an answer in one frame; longer ones take several.
  private static let snapshotFrameBytes = 262_144

  /// Answers a node that joins, reading on a reader's thread.
  func serveSnapshot(_ body: [UInt8], _ id: RequestID) {
    let request: SnapshotRequest
    do throws(WireError) {
      guard body.count <= SnapshotRequest.encodedBytesMax else { throw .overLimit }
      request = try SnapshotRequest(decoding: body)
    } catch {
      refuseRequest(id, "\(error)")
      return
    }
    let keeper = finality.snapshots
    let handle = loop.handle
    let driver = LoopBound(self)
    answers[id] = PendingAnswer(frames: [])
    let result = storage.read { _ in
      let bytes = keeper.answer(request).encoded
      return stride(from: 0, to: bytes.count, by: NodeDriver.snapshotFrameBytes).map {
        Array(bytes[$0..<min($0 + NodeDriver.snapshotFrameBytes, bytes.count)])
      }
    } completion: { outcome in
      _ = handle.post { _ in driver.value?.sendAnswer(outcome, id, isPull: false) }
    }
    if result != .accepted {
      answers[id] = nil
      transport.cancel(id)
    }
  }

  /// Writes what was served of snapshots, and what was fetched before this run began.
  func writeSnapshotMetrics(into text: inout MetricsText) {
    writeServedMetrics(finality.snapshots, into: &text)
    writeJoinMetrics(finality.join, into: &text)
  }

  private func writeServedMetrics(_ keeper: SnapshotKeeper, into text: inout MetricsText) {
    let served = keeper.statistics
    write(
      "swarmoracle_snapshot_height", .gauge,
      "The height of the newest snapshot that this node serves; 0 when there is none.",
      keeper.newest ?? 0, into: &text)
    write(
      "swarmoracle_snapshots_written_total", .counter,
      "Snapshots written.",
      served.written, into: &text)
    write(
      "swarmoracle_snapshots_failed_total", .counter,
      "Snapshots that could not be made or written.",
      served.failures, into: &text)
    write(
      "swarmoracle_snapshot_manifests_served_total", .counter,
      "Manifests given to peers that join.",
      served.manifests, into: &text)
    write(
      "swarmoracle_snapshot_parts_served_total", .counter,
      "Parts of snapshots given to peers that join.",
      served.parts, into: &text)
    write(
      "swarmoracle_snapshot_served_bytes_total", .counter,
      "Bytes of those manifests and parts.",
      served.bytes, into: &text)
    write(
      "swarmoracle_snapshot_requests_unserved_total", .counter,
      "Requests for a snapshot, or something of one, that is not here.",
      served.nothings, into: &text)
  }

  private func writeJoinMetrics(_ join: SnapshotJoin, into text: inout MetricsText) {
    write(
      "swarmoracle_snapshot_joined_height", .gauge,
      "The height of the snapshot that this run began with; 0 when it began with what was here.",
      join.height ?? 0, into: &text)
    write(
      "swarmoracle_snapshot_parts_fetched_total", .counter,
      "Parts fetched before this run began, and right.",
      join.counters.parts, into: &text)
    write(
      "swarmoracle_snapshot_fetched_bytes_total", .counter,
      "Bytes of those parts.",
      join.counters.bytes, into: &text)
    write(
      "swarmoracle_snapshot_parts_refused_total", .counter,
      "Parts fetched before this run began that did not fit their manifest.",
      join.counters.misfits, into: &text)
    write(
      "swarmoracle_snapshot_requests_failed_total", .counter,
      "Requests made before this run began that broke, took too long or found nothing.",
      join.counters.failures, into: &text)
    write(
      "swarmoracle_snapshot_liars_total", .counter,
      "Peers banned before this run began, for what they sent of a snapshot.",
      join.counters.liars, into: &text)
    write(
      "swarmoracle_snapshot_restarts_total", .counter,
      "Times that fetching turned to another snapshot before this run began.",
      join.counters.restarts, into: &text)
  }
}
