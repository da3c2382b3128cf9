internal import Primitives

/// How long suspicions last, given the size and health of the moment.
struct SuspicionTimes: Sendable {
  /// The shortest suspicion of a healthy node.
  private let shortest: TimeSpan
  /// The length by confirmations that came; the last one is for all that were looked for.
  private let lengths: [TimeSpan]
  private let checkAfter: TimeSpan

  /// With k confirmations looked for and c come, max - (max - min) * log(c + 1) / log(k + 1)
  /// (Lifeguard, section IV-B), times the node's health. No more are looked for than there are
  /// members that nobody suspects.
  init(shortest: TimeSpan, maxFactor: UInt64, looked: Int, health: UInt64) {
    precondition(maxFactor > 0 && health > 0, "a suspicion times \(maxFactor) times \(health)")
    self.shortest = shortest
    checkAfter = (shortest * health).scaled(by: 1, over: 3)
    var lengths: [TimeSpan] = []
    for came in 0..<max(looked, 0) {
      let spread = shortest * (maxFactor - 1)
      let cut = spread.scaled(
        by: Scale.decimalLogarithm(UInt64(came + 1)),
        over: Scale.decimalLogarithm(UInt64(looked + 1)))
      let length = shortest.nanoseconds + spread.nanoseconds - cut.nanoseconds
      lengths.append(TimeSpan(nanoseconds: length) * health)
    }
    lengths.append(shortest * health)
    self.lengths = lengths
  }

  /// When a suspicion runs out. A hint of the member's host is proof enough, and has nothing to do
  /// with this node's own health.
  func end(of suspicion: Suspicion) -> Instant {
    if suspicion.isHinted { return suspicion.start + shortest }
    let came = min(max(suspicion.accusers.count - 1, 0), lengths.count - 1)
    return suspicion.start + lengths[came]
  }

  /// When a suspicion wants attention: to be checked once, or because it runs out.
  func deadline(of suspicion: Suspicion) -> Instant {
    let end = end(of: suspicion)
    return suspicion.isChecked ? end : min(end, suspicion.start + checkAfter)
  }
}
