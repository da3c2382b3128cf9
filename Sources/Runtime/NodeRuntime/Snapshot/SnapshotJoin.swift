internal import SnapshotCore

/// What became of joining by a snapshot before a node started; nothing for most starts.
struct SnapshotJoin: Sendable {
  /// The height of the snapshot that the node was made from.
  var height: UInt64?
  /// What was counted while it was fetched.
  var counters = SnapshotCounters()
}
