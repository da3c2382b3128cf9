internal import Primitives

/// Who reaches whom in one round: those with equal numbers.
struct Partition: Hashable, Sendable, CustomStringConvertible {
  /// For each node its side, numbered in the order in which they first appear.
  let sides: [Int]
  /// Whether no side holds a quorum of different validators, so that nobody leaves the round.
  let isStalled: Bool

  private init(_ sides: [Int], isStalled: Bool) {
    var names: [Int] = []
    self.sides = sides.map { side in
      if let name = names.firstIndex(of: side) { return name }
      names.append(side)
      return names.count - 1
    }
    self.isStalled = isStalled
  }

  /// Makes a partition of nodes of which some are twins of each other.
  init(_ sides: [Int], twins: [(Int, Int)]) {
    let validators = sides.count - twins.count
    let quorum = validators - (validators - 1) / 3
    let counts = Set(sides).sorted().map { side in
      let members = sides.indices.filter { sides[$0] == side }
      let doubled = twins.filter { members.contains($0.0) && members.contains($0.1) }
      return members.count - doubled.count
    }
    self.init(sides, isStalled: !counts.contains { $0 >= quorum })
  }

  /// Every partition into at most three sides that can matter: one of three sides without a quorum
  /// lets through less than one of two, and nobody leaves the round in either.
  static func relevant(nodes: Int, twins: [(Int, Int)]) -> [Partition] {
    var all: [[Int]] = [[0]]
    for _ in 1..<nodes {
      all = all.flatMap { sides in
        let next = (sides.max() ?? 0) + 1
        return (0...min(next, 2)).map { sides + [$0] }
      }
    }
    return all.map { Partition($0, twins: twins) }.filter {
      !$0.isStalled || ($0.sides.max() ?? 0) < 2
    }
  }

  /// A partition into two or three sides, mostly one that somebody can leave.
  static func drawn(
    nodes: Int, twins: [(Int, Int)], _ random: inout Xoshiro256
  ) -> Partition {
    var partition = Partition(Array(repeating: 0, count: nodes), twins: twins)
    for _ in 0..<16 {
      let count = 2 + random.next(below: 2)
      // One side is drawn more often, or none would hold a quorum.
      let sides = (0..<nodes).map { _ in max(0, random.next(below: count + 2) - 2) }
      partition = Partition(sides, twins: twins)
      if !partition.isStalled { break }
    }
    return partition
  }

  /// The same with two nodes in each other's place.
  func swapping(_ first: Int, _ second: Int) -> Partition {
    var sides = sides
    sides.swapAt(first, second)
    return Partition(sides, isStalled: isStalled)
  }

  var description: String { sides.map(String.init).joined() }
}
