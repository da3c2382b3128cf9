internal import Glibc

/// State that threads share, behind a lock with a condition to wait for.
///
// Safe: `state` is touched only while `mutex` is held; both pthread objects live at addresses of
// their own from `init` to `deinit`, and `deinit` runs when no thread holds a reference any more.
// The state leaves the closures only as their `Sendable` results.
final class Monitor<State: Sendable>: @unchecked Sendable {
  private var state: State
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Guards `state`.
  init(_ state: State) {
    self.state = state
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    let codes = (pthread_mutex_init(mutex, nil), pthread_cond_init(condition, nil))
    precondition(codes == (0, 0), "no lock can be made: errors \(codes)")
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Changes the state and wakes whoever waits for it.
  @discardableResult func update<Value: Sendable>(
    _ change: (inout State) throws -> Value
  ) rethrows -> Value {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }
    return try change(&state)
  }

  /// A copy of the state.
  var value: State {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return state
  }

  /// Waits until `find` gives a value, which it is asked for after every change.
  func wait<Value: Sendable>(_ find: (borrowing State) -> Value?) -> Value {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let value = find(state) { return value }
      pthread_cond_wait(condition, mutex)
    }
  }
}
