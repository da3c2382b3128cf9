package import Records

/// Who compares with whom in each round: a round-robin tournament by the circle method (Kirkman
/// 1847), so that all pairs meet within the fewest rounds and nobody is in two pairs at once.
///
/// One member stays in place, the others move round it by one seat each round; whoever faces the
/// empty seat of an odd number has no partner.
package enum PairSchedule {
  /// The number of rounds in which all pairs of `count` members meet.
  package static func roundCount(_ count: Int) -> Int {
    count < 2 ? 1 : seats(count) - 1
  }

  /// The partner of the member at `place` of `count` in a round; `nil` when it has none.
  package static func partner(of place: Int, in round: UInt64, of count: Int) -> Int? {
    precondition((0..<count).contains(place), "member \(place) of \(count)")
    guard count > 1 else { return nil }
    let circle = seats(count) - 1
    let turn = Int(round % UInt64(circle))
    let other: Int
    // Two places of the circle face each other when they add up to twice the turn; the place that
    // would face itself faces the one that stays.
    if place == circle {
      other = turn
    } else if place == turn {
      other = circle
    } else {
      other = (2 * turn + 2 * circle - place) % circle
    }
    return other < count ? other : nil
  }

  /// All partners of a round, by the order of `members`.
  package static func partners(of members: [NodeID], in round: UInt64) -> [NodeID?] {
    members.indices.map { place in
      partner(of: place, in: round, of: members.count).map { members[$0] }
    }
  }

  private static func seats(_ count: Int) -> Int { count + count % 2 }
}
