internal import CPlatform

/// Measures how long the disk takes; no decision depends on it.
struct SyncMeter: Hashable, Sendable {
  private(set) var count: UInt64 = 0
  private(set) var lastNanoseconds: UInt64 = 0
  private(set) var longestNanoseconds: UInt64 = 0
  private(set) var totalNanoseconds: UInt64 = 0

  /// Runs `body`, which ends with one sync.
  mutating func measure<Result>(
    _ body: () throws(ControlStorageFailure) -> Result
  ) throws(ControlStorageFailure) -> Result {
    let start = cplatform_monotonic_nanoseconds()
    let result = try body()
    lastNanoseconds = cplatform_monotonic_nanoseconds() - start
    longestNanoseconds = max(longestNanoseconds, lastNanoseconds)
    totalNanoseconds += lastNanoseconds
    count += 1
    return result
  }
}
