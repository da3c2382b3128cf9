/// A value that is made on a thread of its own.
package final class Computation<Value: Sendable>: Sendable {
  private let outcome: Monitor<Result<Value, any Error>?>
  private let thread: WorkerThread

  /// Begins at once.
  package init(_ body: @escaping @Sendable () throws -> Value) {
    let outcome = Monitor<Result<Value, any Error>?>(nil)
    self.outcome = outcome
    thread = WorkerThread {
      let result = Result { try body() }
      outcome.update { $0 = result }
    }
  }

  /// Waits until the value is made, and gives it or throws what making it threw; also for the
  /// second time.
  package func value() throws -> Value {
    let result = outcome.wait { $0 }
    thread.join()
    return try result.get()
  }
}
