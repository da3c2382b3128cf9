internal import Primitives

/// What a drill of kills does, and when: everything that follows from the command line.
struct KillPlan {
  /// Nodes of the cluster; all of them are voters.
  let nodes: Int
  /// Answers that are written with `quorum`.
  let answers: Int
  /// Kills in all.
  let kills: Int
  /// Clients that write at once.
  let clients: Int
  /// Chooses victims and moments.
  let seed: UInt64

  /// Nodes killed together and started again together.
  struct Round {
    /// When, in milliseconds since the load began.
    let atMilliseconds: Int
    /// Who, in ascending order.
    let victims: [Int]
    /// For how long they stay down, in milliseconds.
    let downMilliseconds: Int
  }

  /// How long the load lasts at least for each kill, in milliseconds: what a node needs to come
  /// back and to be found again.
  static let millisecondsPerKill = 2_000

  /// How many nodes may be down while a majority remains.
  var minority: Int { nodes - (nodes / 2 + 1) }

  /// How long the load lasts at least, in milliseconds.
  var loadMilliseconds: Int { kills * KillPlan.millisecondsPerKill }

  /// How many questions are answered, each by every client at most once.
  var questions: Int { (answers + clients - 1) / clients }

  /// When answer `number` is due, in milliseconds since the load began: evenly spread, so that a
  /// gap in the writes is the cluster's doing and not the clients'.
  func dueMilliseconds(ofAnswer number: Int) -> Int { number * loadMilliseconds / answers }

  /// The rounds in order; the last one's victims miss the end of the load.
  var rounds: [Round] {
    var random = Xoshiro256(seed: seed, purpose: "drill kills")
    var groups: [[Int]] = []
    var left = kills
    while left > 0 {
      let size = 1 + random.next(below: min(minority, left))
      var everybody = Array(1...nodes)
      random.shuffle(&everybody)
      groups.append(everybody.prefix(size).sorted())
      left -= size
    }
    let stretch = loadMilliseconds / groups.count
    return groups.enumerated().map { index, victims in
      // In the middle half of its stretch, so that rounds do not run into each other.
      let offset = stretch / 4 + random.next(below: max(1, stretch / 2))
      return Round(
        atMilliseconds: index * stretch + offset, victims: victims,
        downMilliseconds: 20 + random.next(below: 480))
    }
  }
}
