/// The limits and sizes of a node's control storage.
package struct ControlStorageOptions: Sendable {
  /// Steps that may wait for the thread that writes.
  package var queuedStepsMax = 4_096
  /// Bytes of entries and snapshots that may wait. A step is taken whenever fewer wait, so that the
  /// largest always fits into an empty queue.
  package var queuedBytesMax = 32 * 1_048_576
  /// The size of a segment of the log, in bytes: a multiple of 4,096.
  package var segmentBytes = 8 * 1_048_576
  /// Decides on each operation that changes files before it is carried out; for tests of crashes
  /// and full disks.
  package var interception: FileInterception?

  /// The smallest segment: one that holds the largest entry.
  package static let segmentBytesMin = SegmentHeader.byteCount + Frame.entryBytesMax

  /// The default limits.
  package init() {}

  /// Refuses sizes that cannot work.
  func check() {
    precondition(
      segmentBytes >= ControlStorageOptions.segmentBytesMin
        && segmentBytes.isMultiple(of: DiskBlock.byteCount), "segments of \(segmentBytes) bytes")
    precondition(
      queuedStepsMax > 0 && queuedBytesMax > 0,
      "a queue of \(queuedStepsMax) steps and \(queuedBytesMax) bytes")
  }
}
