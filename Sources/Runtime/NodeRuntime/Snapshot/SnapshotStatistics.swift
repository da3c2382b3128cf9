internal import SnapshotCore

/// What a node did for those who join by a snapshot, in this run.
struct SnapshotStatistics: Hashable, Sendable {
  /// Snapshots that were written.
  var written: UInt64 = 0
  /// Snapshots that should have been written and were not.
  var failures: UInt64 = 0
  /// Manifests that were given to peers.
  private(set) var manifests: UInt64 = 0
  /// Parts that were given to peers.
  private(set) var parts: UInt64 = 0
  /// Bytes of those manifests and parts.
  private(set) var bytes: UInt64 = 0
  /// Requests for which there was nothing here.
  private(set) var nothings: UInt64 = 0

  /// Counts an answer.
  mutating func note(_ answer: SnapshotAnswer) {
    switch answer {
    case .nothing: nothings += 1
    case .offer: break
    case .manifest(let manifest):
      manifests += 1
      bytes += UInt64(manifest.count)
    case .part(let part):
      parts += 1
      bytes += UInt64(part.count)
    }
  }
}
