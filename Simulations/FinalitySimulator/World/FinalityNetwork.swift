package import Primitives

/// What happens to messages between nodes: bounded delay after `calm`, anything before.
package struct FinalityNetwork: Sendable {
  /// Links that are cut for a while.
  package struct Cut: Sendable {
    /// The first instant.
    package let from: Instant
    /// The first instant after it.
    package let until: Instant
    /// For each node the nodes that it does not reach, as bits.
    package let unreachable: [UInt64]

    /// Cuts links in one direction each.
    package init(from: Instant, until: Instant, unreachable: [UInt64]) {
      self.from = from
      self.until = until
      self.unreachable = unreachable
    }

    /// Parts nodes: those with equal numbers reach each other.
    package init(from: Instant, until: Instant, sides: [Int]) {
      self.init(from: from, until: until, unreachable: FinalityNetwork.masks(sides))
    }
  }

  /// The delay of every message; delta.
  package var delay = TimeSpan.milliseconds(10)
  /// The most that is added to it.
  package var jitter = TimeSpan.milliseconds(2)
  /// Before calm, the most that is added besides.
  package var turmoil = TimeSpan.zero
  /// Before calm, how often a message is lost.
  package var loss = Ratio.zero
  /// How often a message comes twice.
  package var duplicates = Ratio.zero
  /// When the network begins to keep its promises.
  package var calm = Instant.origin
  /// Links that are cut.
  package var cuts: [Cut] = []
  /// Per node a factor on the delay of what it sends and gets.
  package var slowness: [UInt64] = []

  /// For the first views of the first epoch, one after another, the nodes that each node does not
  /// reach with messages about that view, as bits.
  package var scripted: [[UInt64]] = []

  /// A network that is well.
  package init() {}

  /// For each node those on other sides, as bits.
  static func masks(_ sides: [Int]) -> [UInt64] {
    sides.map { side in
      sides.enumerated().reduce(UInt64(0)) { mask, other in
        other.element == side ? mask : mask | (1 << UInt64(other.offset))
      }
    }
  }

  /// Whether a message about a view gets from one node to another as far as the script goes.
  func isScripted(from sender: Int, to receiver: Int, about view: UInt64) -> Bool {
    guard view > 0, view <= UInt64(scripted.count) else { return true }
    return scripted[Int(view) - 1][sender] & (1 << UInt64(receiver)) == 0
  }

  /// When a message's copies arrive; none when it is lost.
  package func arrivals(
    from sender: Int, to receiver: Int, at now: Instant, _ random: inout Xoshiro256
  ) -> [Instant] {
    for cut in cuts where now >= cut.from && now < cut.until {
      if cut.unreachable[sender] & (1 << UInt64(receiver)) != 0 { return [] }
    }
    let isCalm = now >= calm
    if !isCalm && random.chance(loss) { return [] }
    var arrivals = [arrival(from: sender, to: receiver, at: now, isCalm, &random)]
    if random.chance(duplicates) {
      arrivals.append(arrival(from: sender, to: receiver, at: now, isCalm, &random))
    }
    return arrivals
  }

  private func arrival(
    from sender: Int, to receiver: Int, at now: Instant, _ isCalm: Bool,
    _ random: inout Xoshiro256
  ) -> Instant {
    let factor = max(
      sender < slowness.count ? slowness[sender] : 1,
      receiver < slowness.count ? slowness[receiver] : 1)
    var nanoseconds = delay.nanoseconds * factor
    if jitter > .zero { nanoseconds += random.next(below: jitter.nanoseconds) }
    if !isCalm && turmoil > .zero { nanoseconds += random.next(below: turmoil.nanoseconds) }
    return now + TimeSpan(nanoseconds: nanoseconds)
  }
}
