/// What the clients of a finality drill have seen so far.
struct FinalityDrillBooks: Sendable {
  /// Questions that were confirmed as final, by their identifiers.
  var confirmed: [String] = []
  /// When the latest of the confirmed writes was first sent.
  var lastSentMilliseconds = 0
  /// When the last confirmation came.
  var lastMilliseconds = 0
  /// The longest time between two confirmations since `beginGap`.
  var longestGapMilliseconds = 0
  /// Requests that were repeated: at another node, or after an outcome that was not known.
  var retried = 0
  /// Answers 504 and connections lost on the way.
  var unknown = 0
  /// Writes that were given up without a confirmation.
  var undecided = 0
  /// Answers of nodes that nothing explains.
  var surprises: [String] = []
  /// While too many nodes are gone: since when. What is first sent then must not be confirmed.
  var stoppedSinceMilliseconds: Int?
  /// Confirmations that came although too many nodes were gone.
  var impossible = 0
  /// Whether the clients are to end.
  var isOver = false

  /// Starts measuring gaps.
  mutating func beginGap(atMilliseconds now: Int) {
    lastMilliseconds = now
    longestGapMilliseconds = 0
  }

  /// Notes that a write was confirmed that was first sent then.
  mutating func confirm(_ id: String, sentMilliseconds sent: Int, atMilliseconds now: Int) {
    confirmed.append(id)
    lastSentMilliseconds = max(lastSentMilliseconds, sent)
    longestGapMilliseconds = max(longestGapMilliseconds, now - lastMilliseconds)
    lastMilliseconds = now
    if let since = stoppedSinceMilliseconds, sent > since { impossible += 1 }
  }

  /// Notes something that no kill explains.
  mutating func note(_ surprise: String) {
    if surprises.count < 5 { surprises.append(surprise) }
  }
}
