/// What one measurement of `bench finality` came to.
struct FinalityFigures: Sendable {
  /// Answers acknowledged at the level, in a second.
  var operationsPerSecond = 0.0
  /// The time that half of the requests stayed below, in milliseconds.
  var medianMilliseconds = 0.0
  /// The time that 99 of 100 requests stayed below, in milliseconds.
  var p99Milliseconds = 0.0
  /// The longest request, in milliseconds.
  var maxMilliseconds = 0.0
  /// Blocks that became final at the first node, in a second.
  var blocksPerSecond = 0.0
  /// Bundles in one of them.
  var bundlesPerBlock = 0.0
  /// Processor time of all nodes together for one answer, in microseconds.
  var nodeMicrosecondsPerOperation = 0.0
  /// Processor time of this process for one answer, in microseconds.
  var clientMicrosecondsPerOperation = 0.0
  /// How long after the last answer everything was executed everywhere, in milliseconds.
  var settleMilliseconds = 0.0
  /// Requests turned away (503).
  var overloaded = 0
  /// Requests whose level was not reached in time (504).
  var undecided = 0

  /// One line for those who wait.
  var summary: String {
    "\(Int(operationsPerSecond.rounded()))/s, p50 \(Int(medianMilliseconds.rounded())) ms, "
      + "p99 \(Int(p99Milliseconds.rounded())) ms"
  }
}
