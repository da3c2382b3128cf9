package import GossipCore
package import Primitives
package import Records

/// Where the cut of a block not yet final stands: the final cut and what its ancestors add.
package struct CutBase: Sendable {
  /// What unfinalized ancestors move.
  private var moved = SortedMap<LaneID, UInt64>()

  /// The cut after `chain`, blocks on top of the final one.
  package init(after chain: [Block]) {
    for block in chain {
      for advance in block.body.advances { moved[advance.lane] = advance.number }
    }
  }

  /// How far a lane is below the cut.
  func number(of lane: LaneID, over windows: SortedMap<LaneID, LaneWindow>) -> UInt64 {
    moved[lane] ?? windows[lane]?.final ?? 0
  }
}

/// Chooses and judges cuts.
///
/// A cut names for each lane a bundle; everything before it in the lane is below the cut, too. It
/// is *closed* when the context of every bundle below it is below it: then execution never meets
/// an effect before its cause.
package enum CutBuilder {
  /// Operations that a block executes at most, but for the first bundle of each lane.
  package static let operationsMax = 16_384
  /// Bytes of the bodies that a block executes at most, but for the first bundle of each lane: who
  /// executes it has all of them in memory.
  package static let bytesMax = 16 << 20

  /// The highest closed cut above `base` of which this node holds everything on disk, as what
  /// moves; at most `BlockLimits.laneAdvanceMax` bundles of each lane, and `operationsMax`
  /// operations and `bytesMax` bytes shared out evenly. With `validators`, only what a quorum of
  /// them has said to hold.
  package static func advances(
    over base: CutBase, _ windows: SortedMap<LaneID, LaneWindow>, _ gossip: borrowing Gossip,
    validators: ValidatorSet?
  ) -> [CutAdvance] {
    var ends: [(lane: LaneID, from: UInt64, to: UInt64)] = []
    for (lane, window) in windows.entries {
      let from = base.number(of: lane, over: windows)
      // What comes after a fork can count only once it is final which version does.
      if isForked(lane, gossip) { continue }
      var to = min(gossip.synced(lane), window.last, from + BlockLimits.laneAdvanceMax)
      if let validators { to = min(to, quorumHolds(lane, validators, gossip)) }
      if to > from { ends.append((lane, from, to)) }
      if ends.count == BlockLimits.entriesMax { break }
    }
    let count = max(ends.count, 1)
    let share = CutRoom(operations: operationsMax / count, bytes: bytesMax / count)
    for index in ends.indices {
      ends[index].to =
        windows[ends[index].lane]?.end(
          after: ends[index].from, through: ends[index].to, room: share) ?? ends[index].from
    }
    close(&ends, over: base, windows, gossip)
    return ends.compactMap { end in
      guard end.to > end.from, let outline = windows[end.lane]?[end.to] else { return nil }
      return CutAdvance(lane: end.lane, number: end.to, digest: outline.digest)
    }
  }

  /// Whether some lane stands on this node's disk beyond the final cut.
  package static func hasAdvance(
    _ windows: SortedMap<LaneID, LaneWindow>, _ gossip: borrowing Gossip
  ) -> Bool {
    for (lane, window) in windows.entries
    where min(gossip.synced(lane), window.last) > window.final && !isForked(lane, gossip) {
      return true
    }
    return false
  }

  /// How far a quorum has said to hold a lane on disk.
  private static func quorumHolds(
    _ lane: LaneID, _ validators: ValidatorSet, _ gossip: borrowing Gossip
  ) -> UInt64 {
    var numbers: [UInt64] = []
    for node in validators.members {
      numbers.append(
        node == gossip.node ? gossip.synced(lane) : gossip.synced(lane, at: node))
    }
    numbers.sort(by: >)
    return numbers[validators.quorum - 1]
  }

  private static func isForked(_ lane: LaneID, _ gossip: borrowing Gossip) -> Bool {
    if case .equivocation = gossip.fault(of: lane) { return true }
    return false
  }

  /// Draws ends back until every context is covered; each pass only draws back, so it ends.
  private static func close(
    _ ends: inout [(lane: LaneID, from: UInt64, to: UInt64)], over base: CutBase,
    _ windows: SortedMap<LaneID, LaneWindow>, _ gossip: borrowing Gossip
  ) {
    var places = SortedMap<LaneID, Int>()
    for index in ends.indices { places[ends[index].lane] = index }
    var isSettled = false
    while !isSettled {
      isSettled = true
      for index in ends.indices where ends[index].to > ends[index].from {
        for number in (ends[index].from + 1)...ends[index].to {
          var isCovered = windows[ends[index].lane]?[number] != nil
          for position in windows[ends[index].lane]?[number]?.context ?? [] {
            let to =
              places[position.lane].map { ends[$0].to }
              ?? base.number(of: position.lane, over: windows)
            if to < position.number && !isForked(position.lane, gossip) { isCovered = false }
          }
          guard isCovered else {
            ends[index].to = number - 1
            isSettled = false
            break
          }
        }
      }
    }
  }

  /// What a node thinks of a block's cut.
  package enum Judgement: Hashable, Sendable {
    /// Everything below it is on this node's disk, and it is closed.
    case held
    /// Not yet: something is missing here, or stands otherwise here.
    case missing
    /// No node can ever hold it to be right.
    case wrong(String)
  }

  /// Judges the cut of `block` over its ancestors.
  package static func judge(
    _ block: Block, over base: CutBase, _ windows: SortedMap<LaneID, LaneWindow>,
    _ gossip: borrowing Gossip
  ) -> Judgement {
    var ends = SortedMap<LaneID, UInt64>()
    var isMissing = false
    for advance in block.body.advances {
      let from = base.number(of: advance.lane, over: windows)
      guard advance.number > from else { return .wrong("a lane that does not advance") }
      guard advance.number - from <= BlockLimits.laneAdvanceMax else {
        return .wrong("a lane that advances too far")
      }
      ends[advance.lane] = advance.number
      guard gossip.synced(advance.lane) >= advance.number,
        let outline = windows[advance.lane]?[advance.number], outline.digest == advance.digest
      else {
        isMissing = true
        continue
      }
    }
    if isMissing { return .missing }
    var room = CutRoom(operations: operationsMax, bytes: bytesMax)
    for advance in block.body.advances {
      let from = base.number(of: advance.lane, over: windows)
      for number in (from + 1)...advance.number {
        guard let outline = windows[advance.lane]?[number] else { return .missing }
        if number > from + 1, !room.take(outline) { return .wrong("more than a block may hold") }
        for position in outline.context {
          let end = ends[position.lane] ?? base.number(of: position.lane, over: windows)
          // Which lanes are known to fork differs between nodes for a while, so this is no reason
          // to call a block wrong.
          if end < position.number && !isForked(position.lane, gossip) { return .missing }
        }
      }
    }
    return .held
  }
}
