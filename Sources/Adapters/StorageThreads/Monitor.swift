internal import Glibc

/// State behind a lock with a condition to wait for.
///
/// Safe: `state` is touched only between `pthread_mutex_lock` and
/// `pthread_mutex_unlock` of `mutex`; both pthread objects live at fixed addresses of their own
/// from `init` to `deinit`, and `deinit` runs when no thread holds a reference any more. The state
/// never leaves the closures except as their `Sendable` result.
package final class Monitor<State: Sendable>: @unchecked Sendable {
  /// The longest wait with an end, in nanoseconds: a year.
  private static var nanosecondsMax: UInt64 { 31_536_000_000_000_000 }

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
    var attributes = pthread_condattr_t()
    let statuses = unsafe (
      pthread_condattr_init(&attributes), pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC),
      pthread_mutex_init(mutex, nil), pthread_cond_init(condition, &attributes)
    )
    precondition(statuses == (0, 0, 0, 0), "pthread refused a lock: \(statuses)")
    _ = unsafe pthread_condattr_destroy(&attributes)
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

  /// Waits until `body` returns a value, for at most this long; `nil` when the time is over.
  package func wait<Result: Sendable>(
    nanoseconds: UInt64, _ body: (inout State) -> Result?
  ) -> Result? {
    lock()
    defer { unlock() }
    var deadline = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
    let sum = UInt64(deadline.tv_nsec) + min(nanoseconds, Self.nanosecondsMax)
    deadline.tv_sec += Int(sum / 1_000_000_000)
    deadline.tv_nsec = Int(sum % 1_000_000_000)
    while true {
      if let result = body(&state) { return result }
      let status = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
      if status == ETIMEDOUT { return body(&state) }
      precondition(status == 0, "pthread_cond_timedwait failed with \(status)")
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
