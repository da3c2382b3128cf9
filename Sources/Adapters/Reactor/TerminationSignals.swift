import CPlatform
import Glibc

/// Turns SIGTERM and SIGINT into events of a loop.
///
/// `block()` must be called on the main thread before any other thread starts, because a thread
/// inherits the mask of the one that made it, and a signal goes to any thread that does not block
/// it.
package enum TerminationSignals {
  private static let numbers: [Int32] = [SIGTERM, SIGINT]

  /// Blocks the default action of both signals in this thread and those it starts later.
  package static func block() throws {
    try numbers.withUnsafeBufferPointer { buffer in
      _ = try SystemCallError.check(
        cplatform_signals_block(buffer.baseAddress, buffer.count), "pthread_sigmask")
    }
  }

  /// Calls `handler` on the loop with each signal's number. The descriptor lives as long as the
  /// process.
  package static func watch(
    on loop: EventLoop, handler: @escaping (Int32) -> Void
  ) throws -> Registration {
    let descriptor = try numbers.withUnsafeBufferPointer { buffer in
      try SystemCallError.check(
        cplatform_signals_create(buffer.baseAddress, buffer.count), "signalfd")
    }
    return try loop.register(descriptor: descriptor, interest: .readable) { _ in
      while true {
        let number = cplatform_signals_next(descriptor)
        guard number > 0 else { return }
        handler(number)
      }
    }
  }
}
