internal import Glibc

/// A flag that one thread waits for and others raise: at most one wake-up is remembered.
final class Condition: Sendable {
  /// Safe: the pointers are set once, their memory is released in `deinit` only, and the calls on
  /// them are those that POSIX makes safe between threads.
  private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    semaphore = .allocate(capacity: 1)
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Wakes the waiter, now or when it next waits.
  func signal() {
    var value: Int32 = 0
    sem_getvalue(semaphore, &value)
    if value <= 0 { sem_post(semaphore) }
  }

  /// Waits for a signal.
  func wait() {
    while sem_wait(semaphore) != 0 {}
  }
}
