import Glibc
import Synchronization

/// A thread of its own that runs one loop from start to `stop()`.
package final class LoopThread: Sendable {
  /// How other threads reach the loop.
  package let handle: LoopHandle
  private let thread: Mutex<pthread_t?>
  private let completion: Completion

  /// Starts a thread, makes a loop on it, and runs `setUp` there before the first turn.
  ///
  /// Returns once `setUp` has returned. What `setUp` makes and nobody else owns is handed to
  /// ``EventLoop/attach(_:)``, and released on the loop's thread when the loop ends.
  ///
  /// - Throws: what `setUp` threw, or ``SystemCallError`` when the thread cannot be started.
  package init(setUp: @escaping @Sendable (EventLoop) throws -> Void) throws {
    let completion = Completion()
    let body = ThreadBody { LoopThread.main(setUp: setUp, completion: completion) }
    var identifier = pthread_t()
    let argument = Unmanaged.passRetained(body)
    let result = pthread_create(
      &identifier, nil,
      { raw in
        guard let raw = raw else { return nil }
        Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      argument.release()
      throw SystemCallError(number: result, call: "pthread_create")
    }
    do {
      handle = try completion.waitForStart()
    } catch {
      _ = pthread_join(identifier, nil)
      throw error
    }
    thread = Mutex(identifier)
    self.completion = completion
  }

  /// Stops the loop and waits for its thread.
  ///
  /// - Throws: what ended the loop early, if anything did.
  package func stopAndJoin() throws {
    handle.stop()
    try join()
  }

  /// Waits for the thread to end. Joining twice is allowed.
  package func join() throws {
    let identifier = thread.withLock { thread in
      let identifier = thread
      thread = nil
      return identifier
    }
    if let identifier { _ = pthread_join(identifier, nil) }
    if let error = completion.failure { throw error }
  }

  private static func main(
    setUp: (EventLoop) throws -> Void, completion: Completion
  ) {
    do {
      let loop = try EventLoop()
      defer { loop.releaseAttachments() }
      try setUp(loop)
      completion.started(loop.handle)
      try loop.run()
    } catch {
      completion.failed(error)
    }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Carries the outcome of a loop's start and end between the two threads.
private final class Completion: Sendable {
  private struct State {
    var handle: LoopHandle?
    var failure: (any Error)?
  }

  private let state = Mutex(State())
  private let signal: Semaphore

  init() { signal = Semaphore() }

  var failure: (any Error)? { state.withLock { $0.failure } }

  func started(_ handle: LoopHandle) {
    state.withLock { $0.handle = handle }
    signal.signal()
  }

  func failed(_ error: any Error) {
    let early = state.withLock { state in
      state.failure = error
      return state.handle == nil
    }
    if early { signal.signal() }
  }

  func waitForStart() throws -> LoopHandle {
    signal.wait()
    return try state.withLock { state in
      if let handle = state.handle { return handle }
      if let failure = state.failure { throw failure }
      preconditionFailure("a loop thread signalled without an outcome")
    }
  }
}

/// A POSIX semaphore at a fixed address.
///
/// Safe: the only stored property is a pointer that never changes, to a
/// `sem_t` that is initialised before the object is shared, touched only through `sem_post` and
/// `sem_wait` (which POSIX defines for concurrent use), and destroyed in `deinit`, when no other
/// reference can exist.
private final class Semaphore: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    semaphore = .allocate(capacity: 1)
    let result = sem_init(semaphore, 0, 0)
    precondition(result == 0, "sem_init failed with \(errno)")
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0 {
      precondition(errno == EINTR, "sem_wait failed with \(errno)")
    }
  }
}
