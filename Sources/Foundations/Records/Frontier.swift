internal import Primitives
package import Wire

/// How two histories stand to each other.
package enum CausalOrdering: Hashable, Sendable {
  /// Both hold the same.
  case equal
  /// The left one is a strict part of the right one.
  case before
  /// The right one is a strict part of the left one.
  case after
  /// Each holds what the other lacks.
  case concurrent
}

/// A vector clock: how much of each lane is held, without gaps.
///
/// An absent lane means zero. The order is partial: there is no `<`.
package struct Frontier: Hashable, Sendable {
  private var heads: SortedMap<LaneID, UInt64>

  /// The largest number of lanes a frontier may name.
  package static let lanesMax = 4_096

  /// Makes the frontier that holds nothing.
  package init() {
    heads = SortedMap()
  }

  /// The number of the last bundle held of `lane`; 0 means none.
  package subscript(lane: LaneID) -> UInt64 {
    get { heads[lane] ?? 0 }
    set { heads[lane] = newValue == 0 ? nil : newValue }
  }

  /// The lanes of which something is held, in ascending order of name.
  package var entries: [(lane: LaneID, number: UInt64)] {
    heads.entries.map { ($0.key, $0.value) }
  }

  /// The number of lanes of which something is held.
  package var count: Int { heads.count }

  /// Compares two frontiers, absent lanes counting as zero.
  package func ordering(to other: Frontier) -> CausalOrdering {
    switch (other.covers(self), covers(other)) {
    case (true, true): .equal
    case (true, false): .before
    case (false, true): .after
    case (false, false): .concurrent
    }
  }

  /// Whether everything in `other` is held here too.
  package func covers(_ other: Frontier) -> Bool {
    other.heads.entries.allSatisfy { self[$0.key] >= $0.value }
  }

  /// Raises `lane` to `number` when that is further.
  package mutating func advance(_ lane: LaneID, to number: UInt64) {
    if number > self[lane] { heads[lane] = number }
  }

  /// Takes the further of each lane.
  package mutating func merge(_ other: Frontier) {
    for entry in other.heads.entries {
      advance(entry.key, to: entry.value)
    }
  }

  package static func == (left: Frontier, right: Frontier) -> Bool { left.heads == right.heads }

  package func hash(into hasher: inout Hasher) {
    for entry in heads.entries {
      hasher.combine(entry.key)
      hasher.combine(entry.value)
    }
  }
}

extension Frontier: WireCodable {
  package func encode(into writer: inout WireWriter) {
    precondition(heads.count <= Frontier.lanesMax, "frontier of \(heads.count) lanes")
    writer.writeVariable(UInt64(heads.count))
    for entry in heads.entries {
      precondition(entry.value <= BundleLimits.numberMax, "lane at \(entry.value)")
      writer.write(entry.key.digest)
      writer.writeVariable(entry.value)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    self.init()
    let count = try cursor.readCount(span, limit: Frontier.lanesMax, bytesEach: 33)
    var last: LaneID?
    for _ in 0..<count {
      let lane = LaneID(digest: try cursor.readDigest(span))
      let number = try cursor.readVariable(span, limit: BundleLimits.numberMax)
      if let previous = last, lane <= previous { throw .notCanonical }
      if number == 0 { throw .notCanonical }
      heads[lane] = number
      last = lane
    }
  }
}
