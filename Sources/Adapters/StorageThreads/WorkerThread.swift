internal import Glibc
internal import Synchronization

/// A thread of the operating system that runs one closure and is joined by its owner.
package final class WorkerThread: Sendable {
  private let thread: Mutex<pthread_t?>

  /// Starts a thread.
  package init(_ body: @escaping @Sendable () -> Void) {
    let start = ThreadStart(body)
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(start).toOpaque()
    let status = unsafe pthread_create(&thread, nil, runThread, context)
    precondition(status == 0, "pthread_create failed with \(status)")
    self.thread = Mutex(thread)
  }

  /// Waits until the closure has returned; the second call returns at once.
  package func join() {
    let thread = thread.withLock { slot in
      defer { slot = nil }
      return slot
    }
    guard let thread else { return }
    let status = pthread_join(thread, nil)
    precondition(status == 0, "pthread_join failed with \(status)")
  }
}

/// What a new thread is given.
private final class ThreadStart: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}

/// The entry of every thread: a function outside of any closure, so that it inherits no isolation.
private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  let start = unsafe Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
  start.body()
  return nil
}
