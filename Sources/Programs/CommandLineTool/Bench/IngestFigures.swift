/// What one measurement of one phase came to.
package struct IngestFigures: Sendable {
  /// Answers acknowledged by a quorum, in a second.
  var operationsPerSecond = 0.0
  /// Requests answered well, in a second.
  var requestsPerSecond = 0.0
  /// The time that half of the requests stayed below, in milliseconds.
  var medianMilliseconds = 0.0
  /// The time that 99 of 100 requests stayed below, in milliseconds.
  var p99Milliseconds = 0.0
  /// Processor time of all nodes together for one answer, in microseconds; `nil` when the nodes'
  /// processes are not known.
  var nodeMicrosecondsPerOperation: Double?
  /// Processor time of this process for one answer, in microseconds.
  var clientMicrosecondsPerOperation = 0.0
  /// Bundles of all nodes in a second.
  var bundlesPerSecond = 0.0
  /// Answers in a bundle.
  var operationsPerBundle = 0.0
  /// Rows that SQLite alone commits in a second when it syncs as many at once as a bundle had.
  var rawOperationsPerSecond = 0.0
  /// Requests turned away (503).
  var overloaded = 0
  /// Requests whose level was not reached in time (504).
  var undecided = 0

  /// Answers in a second as a part of what SQLite alone does.
  var ratioToRaw: Double { operationsPerSecond / max(rawOperationsPerSecond, 1) }

  /// The element below which `permille` thousandths of some sorted numbers are (nearest rank).
  package static func percentile(_ permille: Int, of sorted: [UInt32]) -> UInt32 {
    precondition((1...1_000).contains(permille), "the percentile \(permille) of a thousand")
    guard !sorted.isEmpty else { return 0 }
    return sorted[(sorted.count * permille + 999) / 1_000 - 1]
  }

  /// The median, the mean of the middle two for an even count.
  package static func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
