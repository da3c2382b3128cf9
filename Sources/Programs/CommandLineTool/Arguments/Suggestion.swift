/// Guesses what a misspelt word was meant to be.
enum Suggestion {
  /// ` (did you mean …?)` for the closest word, or nothing when none is close.
  static func text(for word: String, among known: [String]) -> String {
    let ranked = known.map { (word: $0, distance: distance(word, $0)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }),
      best.distance <= max(1, min(word.count, best.word.count) / 3)
    else { return "" }
    return " (did you mean \(best.word)?)"
  }

  /// Insertions, deletions, replacements and exchanges of neighbours that turn one word into the
  /// other (the restricted distance of Damerau and Levenshtein).
  static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    var before: [Int] = []
    var previous = Array(0...right.count)
    for (row, character) in left.enumerated() {
      var current = [row + 1]
      current.reserveCapacity(right.count + 1)
      for (column, other) in right.enumerated() {
        var cost = min(previous[column + 1], current[column]) + 1
        cost = min(cost, previous[column] + (character == other ? 0 : 1))
        if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
          cost = min(cost, before[column - 1] + 1)
        }
        current.append(cost)
      }
      (before, previous) = (previous, current)
    }
    return previous[right.count]
  }
}
