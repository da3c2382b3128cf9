internal import BFTCore
internal import NodeCore
internal import CoreKit
internal import FinalityStorage
internal import Records
internal import SQLiteStorage
internal import StorageThreads
internal import Synchronization

/// Executes final blocks and reads stored ones, on a thread of its own.
final class ExecutionWorker: Sendable {
  /// What the loop asks for.
  enum Job: Sendable {
    /// Blocks to execute after all earlier ones.
    case execute([FinalizedBlock])
    /// The certificate by which an epoch was handed over.
    case handover(Certificate)
    /// Something that needs the ledger as it is between two batches of blocks.
    case look(@Sendable (borrowing ExecutionState) -> Void)
  }

  /// What is handed to the loop.
  enum Report: Sendable {
    /// Blocks were executed, and are durable with what they led to.
    case executed([ExecutionReport])
    /// The log holds another version of a bundle than the final one; reads go on.
    case contradicted(Contradiction)
    /// The ledger on the disk is not what was written.
    case damaged(String)
    /// Execution has stopped, and why.
    case failed(String)
  }

  /// Reads that may wait; more are dropped, since peers ask again.
  static let readsMax = 256

  private struct Queue {
    var jobs: [Job] = []
    var reads = 0
    var isStopped = false
  }

  private let queue = Monitor(Queue())
  private let state: Mutex<ExecutionState>

  private let onDamage: @Sendable (StorageDamage) -> Void

  /// Takes what it works on; `onDamage` hears of damage to the lanes, whose owner repairs them.
  init(
    _ state: sending ExecutionState, onDamage: @escaping @Sendable (StorageDamage) -> Void
  ) {
    self.state = Mutex(state)
    self.onDamage = onDamage
  }

  /// Hands over a job; false when it is a read and too many wait.
  func submit(_ job: Job) -> Bool {
    queue.update { queue in
      switch job {
      case .execute, .handover: break
      case .look:
        guard queue.reads < ExecutionWorker.readsMax else { return false }
        queue.reads += 1
      }
      queue.jobs.append(job)
      return true
    }
  }

  /// Ends `run` once what waits is done.
  func stop() { queue.update { $0.isStopped = true } }

  /// Closes the database, after `run` has returned.
  func close() throws {
    try state.withLock { state in
      state.endSnapshots()
      try state.database.close()
    }
  }

  /// Works until `stop`; the body of the worker's thread.
  func run(reporting report: @Sendable (Report) -> Void) {
    while true {
      let jobs: [Job] = queue.wait { queue in
        guard !queue.jobs.isEmpty || queue.isStopped else { return nil }
        defer {
          queue.jobs = []
          queue.reads = 0
        }
        return queue.jobs
      }
      if jobs.isEmpty { return }
      do {
        try state.withLock { state in
          for job in jobs { try ExecutionWorker.perform(job, &state, report) }
        }
      } catch let error as LedgerError where error.isDamage {
        return report(.damaged("\(error)"))
      } catch {
        // The node then begins anew and repairs the log, instead of failing at it again.
        if let damage = StorageDamage(error) { return onDamage(damage) }
        return report(.failed("\(error)"))
      }
    }
  }

  private static func perform(
    _ job: Job, _ state: inout ExecutionState, _ report: @Sendable (Report) -> Void
  ) throws {
    switch job {
    case .execute(let blocks):
      var start = 0
      while start < blocks.count {
        let end = start + state.batch(blocks.count - start)
        guard state.contradiction == nil else { return }
        let executed = try state.execute(blocks[start..<end])
        report(.executed(executed))
        if let found = state.contradiction { return report(.contradicted(found)) }
        start += executed.count
      }
    case .handover(let certificate): try state.store(handover: certificate)
    case .look(let body): body(state)
    }
  }
}
