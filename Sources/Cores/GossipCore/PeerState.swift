internal import CoreKit
internal import Primitives
internal import Records

/// What a node knows of one peer.
struct PeerState: Sendable {
  let index: PeerIndex
  let node: NodeID
  var isConnected = false
  /// Whether the peer's hello has come on this connection.
  var isGreeted = false
  /// Whether own bundles are pushed; when not, the peer pulls them.
  var isEager = true
  /// What the peer last said of each lane.
  var progress = SortedMap<LaneID, LaneProgress>()
  /// What the peer was last told of each lane on this connection.
  var told = SortedMap<LaneID, LaneProgress>()
  /// Per lane, the number up to which the peer said that it does not hold it.
  var bases = SortedMap<LaneID, UInt64>()
  /// Pulls under way at the peer.
  var pullCount = 0

  init(index: PeerIndex, node: NodeID) {
    self.index = index
    self.node = node
  }

  /// Takes news that may arrive late or twice: nothing goes back.
  mutating func learn(_ news: LaneProgress) {
    guard let known = progress[news.lane] else {
      progress[news.lane] = news
      return
    }
    let isAhead = news.applied >= known.applied
    progress[news.lane] = LaneProgress(
      lane: news.lane, applied: max(known.applied, news.applied),
      synced: max(known.synced, news.synced), mark: isAhead ? news.mark : known.mark)
  }
}
