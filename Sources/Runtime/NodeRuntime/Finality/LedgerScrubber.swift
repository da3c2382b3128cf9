internal import ExecutionCore
internal import FinalityStorage
internal import Records
internal import StorageThreads
internal import Telemetry

/// What was found of a damaged ledger: it is set aside, and made again, by the next start.
struct LedgerDamage: Error {
  let finding: String
}

/// Reads the ledger again and again on a thread of its own, a little at a time.
///
/// Every round has a connection of its own: one that was used before would answer from memory what
/// the disk has lost.
final class LedgerScrubber: Sendable {
  /// Records that are checked at once.
  private static let stepCount = 256
  /// The pause after each step of a round that nobody waits for.
  private static let pauseNanoseconds: UInt64 = 20_000_000

  private struct Queue {
    var isUrgent = false
    var isStopped = false
  }

  private let queue = Monitor(Queue())
  private let directory: String
  private let chain: ChainID
  private let roundNanoseconds: UInt64
  private let logger: Logger

  /// Makes a scrubber that begins a round every so many nanoseconds.
  init(directory: String, chain: ChainID, roundNanoseconds: UInt64, logger: Logger) {
    self.directory = directory
    self.chain = chain
    self.roundNanoseconds = roundNanoseconds
    self.logger = logger
  }

  /// Begins a round now, without pauses.
  func scrubNow() { queue.update { $0.isUrgent = true } }

  /// Ends `run`.
  func stop() { queue.update { $0.isStopped = true } }

  /// Works until `stop`, or until damage was found and told.
  func run(onDamage: @Sendable (String) -> Void) {
    while let isUrgent = nextRound() {
      do {
        guard let finding = try round(isUrgent: isUrgent) else { continue }
        return onDamage(finding)
      } catch {
        if error.isDamage { return onDamage("\(error)") }
        logger.log(
          .warning, "the ledger could not be read through", [LogField("reason", "\(error)")])
      }
    }
  }

  /// Waits for the next round; whether it has no pauses, or `nil` at the end.
  private func nextRound() -> Bool? {
    let asked = queue.wait(nanoseconds: roundNanoseconds) { queue -> Bool?? in
      if queue.isStopped { return .some(nil) }
      guard queue.isUrgent else { return nil }
      queue.isUrgent = false
      return true
    }
    return asked ?? false
  }

  /// Reads everything once; what is wrong, if anything is.
  private func round(isUrgent: Bool) throws(LedgerError) -> String? {
    let reader = try LedgerReader(directory: directory, chain: chain, tables: Ledger.schemas)
    var scrub = LedgerScrub()
    while scrub.passCount == 0 {
      let before = scrub
      let (after, step) = try reader.snapshot { (reads) throws(LedgerError) in
        var scrub = before
        let step = try scrub.step(reads, limit: LedgerScrubber.stepCount)
        return (scrub, step)
      }
      scrub = after
      if let finding = step.findings.first { return finding.description }
      let isStopped = queue.wait(nanoseconds: isUrgent ? 0 : LedgerScrubber.pauseNanoseconds) {
        $0.isStopped ? true : nil
      }
      if isStopped ?? false { return nil }
    }
    if isUrgent { logger.log(.info, "the ledger is sound") }
    return nil
  }
}
