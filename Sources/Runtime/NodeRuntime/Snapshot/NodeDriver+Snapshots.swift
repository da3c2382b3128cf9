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
      _ = handle.post { _ in driver.value?.sendAnswer(outcome, id) }
    }
    if result != .accepted {
      answers[id] = nil
      transport.cancel(id)
    }
  }
}
