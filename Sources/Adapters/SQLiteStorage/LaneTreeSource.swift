internal import Crypto
internal import Merkle
internal import Primitives
internal import Records

/// Reads hashes of complete subtrees of one lane's tree from tiles and headers.
///
/// Heights that are multiples of `LaneTile.levelStep` are stored. Between two of them a hash is
/// computed from at most 256 stored ones, which are read once and kept for the rest of the proof.
///
/// Of what lies below the lane's base only the peaks are held, and they are all that a path needs:
/// a complete subtree below the base whose sibling reaches beyond it is a peak of the base.
final class LaneTreeSource {
  private let log: SQLiteConnection
  private let laneIndex: Int64
  private let base: MountainRange
  private let position: LanePosition
  /// The stored hashes below one subtree, by that subtree.
  private var groups: [SubtreeReference: [Digest]] = [:]

  /// Reads the tree of the lane with row `laneIndex`, of which `position` is the last leaf used.
  /// `base` is the tree over what is not held.
  init(
    log: SQLiteConnection, laneIndex: Int64, base: MountainRange, position: LanePosition
  ) {
    self.log = log
    self.laneIndex = laneIndex
    self.base = base
    self.position = position
  }

  /// The hash of a subtree all of whose leaves are held.
  func hash(of subtree: SubtreeReference) throws -> Digest {
    let first = subtree.index << UInt64(subtree.level)
    if first + (1 << UInt64(subtree.level)) <= base.count { return try peak(subtree) }
    let step = LaneTile.levelStep
    if subtree.level > 0 && subtree.level.isMultiple(of: step) {
      let range = subtree.index..<(subtree.index + 1)
      return try tiles(level: subtree.level, range)[0]
    }
    if first < base.count {
      // It reaches across the base and is not stored: its halves lie on both sides, or one does
      // again.
      let left = SubtreeReference(level: subtree.level - 1, index: subtree.index << 1)
      let right = SubtreeReference(level: subtree.level - 1, index: subtree.index << 1 | 1)
      return TaggedHasher(.rangeNode).node(try hash(of: left), try hash(of: right))
    }
    // The group of 256 stored hashes, or fewer at the end of the lane, that the subtree is part of.
    let floor = subtree.level / step * step
    let height = subtree.level - floor
    let group = SubtreeReference(level: floor + step, index: subtree.index >> UInt64(step - height))
    let hashes = try storedHashes(under: group)
    let width = 1 << height
    let start = Int(subtree.index << UInt64(height) & 0xff) - missing(in: group)
    guard start + width <= hashes.count else {
      throw StoredValueError("a proof needs headers that are not held", at: position)
    }
    return MerkleTree(TaggedHasher(.rangeNode)).root(of: Array(hashes[start..<(start + width)]))
  }

  /// The hash of a subtree that lies below the base.
  private func peak(_ subtree: SubtreeReference) throws -> Digest {
    let bit = UInt64(1) << UInt64(subtree.level)
    let before = base.count & ~(bit | (bit - 1))
    guard base.count & bit != 0, before == subtree.index << UInt64(subtree.level) else {
      throw HistoryNotHeld(lane: position.lane, base: base.count)
    }
    return base.peaks[before.nonzeroBitCount]
  }

  /// How many of a group's stored hashes begin below the base: those are not read. A stored subtree
  /// that reaches across the base is held, but only as a whole.
  private func missing(in group: SubtreeReference) -> Int {
    let level = UInt64(group.level - LaneTile.levelStep)
    let start = group.index << UInt64(LaneTile.levelStep)
    let held = (base.count + (1 << level) - 1) >> level
    return held > start ? Int(min(held - start, 256)) : 0
  }

  private func storedHashes(under group: SubtreeReference) throws -> [Digest] {
    if let known = groups[group] { return known }
    let level = group.level - LaneTile.levelStep
    let groupStart = group.index << UInt64(LaneTile.levelStep)
    let start = groupStart + UInt64(missing(in: group))
    let end = min(groupStart + 256, position.number >> UInt64(level))
    let range = start..<max(start, end)
    let hashes = try level == 0 ? leaves(range) : tiles(level: level, range)
    groups[group] = hashes
    return hashes
  }

  private func leaves(_ range: Range<UInt64>) throws -> [Digest] {
    let statement = try log.cached(
      """
      SELECT header FROM bundles
      WHERE lane_index = ? AND number > ? AND number <= ? ORDER BY number
      """)
    return try read(
      statement, [.integer(laneIndex), integer(range.lowerBound), integer(range.upperBound)],
      count: range.count
    ) {
      Blake2b.hash($0, .bundleHeader)
    }
  }

  private func tiles(level: Int, _ range: Range<UInt64>) throws -> [Digest] {
    let statement = try log.cached(
      """
      SELECT hash FROM tiles
      WHERE lane_index = ? AND level = ? AND position >= ? AND position < ? ORDER BY position
      """)
    let values: [ColumnValue] = [
      .integer(laneIndex), .integer(Int64(level)), integer(range.lowerBound),
      integer(range.upperBound),
    ]
    return try read(statement, values, count: range.count) { Digest($0) }
  }

  private func read(
    _ statement: SQLiteStatement, _ values: [ColumnValue], count: Int,
    _ digest: ([UInt8]) -> Digest?
  ) throws -> [Digest] {
    let digests = try statement.withBound(values) { () throws(SQLiteError) in
      var digests: [Digest] = []
      while try statement.step() {
        if let digest = digest(statement.bytes(0)) { digests.append(digest) }
      }
      return digests
    }
    guard digests.count == count else {
      throw StoredValueError("a proof needs hashes that are missing", at: position)
    }
    return digests
  }

  private func integer(_ number: UInt64) -> ColumnValue { .integer(Int64(clamping: number)) }
}
