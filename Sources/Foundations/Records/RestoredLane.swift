internal import Primitives

/// A lane as a node's storage holds it.
///
/// A node that joined by a snapshot, or let go of old bundles, holds a lane from its *base* on: the
/// head that the lane had at a final cut. Of what comes before, the tree's peaks are all that is
/// left, so that heads, roots and proofs of later bundles are those of everybody.
package struct RestoredLane: Hashable, Sendable {
  /// The end of the lane.
  package let head: LaneHead
  /// The end of the part that is not held; `nil` when the lane is held from its beginning.
  package let base: LaneHead?
  /// Per bundle after the base, the time of its last operation.
  package let times: [HybridTime]
  /// Per bundle after the base, the first word of its digest.
  package let marks: [UInt64]

  /// Joins the parts.
  package init(head: LaneHead, base: LaneHead? = nil, times: [HybridTime], marks: [UInt64]) {
    let first = base?.number ?? 0
    precondition(
      base.map { $0.lane == head.lane && $0.number <= head.number } ?? true
        && UInt64(times.count) == head.number - first && marks.count == times.count,
      "lane \(head.lane.digest.short) of \(head.number) bundles after \(first) has \(times.count)")
    self.head = head
    self.base = base
    self.times = times
    self.marks = marks
  }
}
