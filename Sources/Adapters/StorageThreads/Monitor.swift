internal import Glibc

/// State behind a lock with a condition to wait for.
///
/// Safe: `state` is touched only between `pthread_mutex_lock` and
/// `pthread_mutex_unlock` of `mutex`; both pthread objects live at fixed addresses of their own
/// from `init` to `deinit`, and `deinit` runs when no thread holds a reference any more. The state
/// never leaves the closures except as their `Sendable` result.
package final class Monitor<State: Sendable>: @unchecked Sendable {
  private var state: State
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Guards `state`.
  package init(_ state: State) {
    self.state = state
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    let statuses = unsafe (pthread_mutex_init(mutex, nil), pthread_cond_init(condition, nil))
    precondition(statuses == (0, 0), "pthread refused a lock: \(statuses)")
  }

  deinit {
    _ = unsafe pthread_cond_destroy(condition)
    _ = unsafe pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` on the state and wakes every waiter when it returns.
  package func update<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
    lock()
    defer {
      _ = unsafe pthread_cond_broadcast(condition)
      unlock()
    }
    return body(&state)
  }

  /// Runs `body` on the state without waking anybody.
  package func read<Result: Sendable>(_ body: (borrowing State) -> Result) -> Result {
    lock()
    defer { unlock() }
    return body(state)
  }

  /// Waits until `body` returns a value.
  package func wait<Result: Sendable>(_ body: (inout State) -> Result?) -> Result {
    lock()
    defer { unlock() }
    while true {
      if let result = body(&state) { return result }
      let status = unsafe pthread_cond_wait(condition, mutex)
      precondition(status == 0, "pthread_cond_wait failed with \(status)")
    }
  }

  private func lock() {
    let status = unsafe pthread_mutex_lock(mutex)
    precondition(status == 0, "pthread_mutex_lock failed with \(status)")
  }

  private func unlock() {
    _ = unsafe pthread_mutex_unlock(mutex)
  }
}
