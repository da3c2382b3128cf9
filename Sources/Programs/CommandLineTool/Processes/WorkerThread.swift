internal import Glibc

/// A thread of the operating system, for work that blocks.
final class WorkerThread {
  private var thread = pthread_t()
  private var isJoined = false

  /// Starts a thread that runs `body` once.
  init(_ body: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(ThreadBody(run: body)).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context)
    precondition(code == 0, "no thread can be started: error \(code)")
  }

  deinit { if !isJoined { pthread_detach(thread) } }

  /// Waits until the thread has ended.
  func join() {
    guard !isJoined else { return }
    pthread_join(thread, nil)
    isJoined = true
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void

  init(run: @escaping @Sendable () -> Void) { self.run = run }
}
