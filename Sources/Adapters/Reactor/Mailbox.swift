import CPlatform
import Synchronization

/// The outcome of posting to a loop.
package enum PostResult: Sendable, Equatable {
  /// The loop will see the message.
  case accepted
  /// The mailbox holds its limit; the poster must hold back or drop.
  case full
  /// The loop is gone.
  case closed
}

/// Hands messages from any thread to a loop, in batches.
///
/// Posting takes a lock and, only when the mailbox was empty, one `eventfd` write. The lock is held
/// for no callback. Refused messages are counted.
package final class Mailbox<Message: Sendable>: Sendable {
  private struct State {
    var messages: [Message] = []
    var closed = false
    var refused: UInt64 = 0
  }

  private let state = Mutex(State())
  private let waker: Waker
  /// The most messages held between two turns of the loop.
  package let limit: Int

  init(limit: Int, waker: Waker) {
    precondition(limit > 0, "a mailbox of limit \(limit) could hold nothing")
    self.limit = limit
    self.waker = waker
  }

  /// Hands over one message.
  package func post(_ message: Message) -> PostResult {
    post(contentsOf: CollectionOfOne(message))
  }

  /// Hands over all messages, or none when they do not fit.
  package func post(contentsOf batch: some Collection<Message>) -> PostResult {
    let outcome = state.withLock { state -> (result: PostResult, wake: Bool) in
      if state.closed { return (.closed, false) }
      if batch.count > limit - state.messages.count {
        state.refused += UInt64(batch.count)
        return (.full, false)
      }
      let wasEmpty = state.messages.isEmpty
      state.messages.append(contentsOf: batch)
      return (.accepted, wasEmpty && !state.messages.isEmpty)
    }
    if outcome.wake { waker.wake() }
    return outcome.result
  }

  /// Messages refused because the mailbox was full.
  package var refusedCount: UInt64 { state.withLock { $0.refused } }

  func take() -> [Message] {
    state.withLock { state in
      let messages = state.messages
      state.messages = []
      return messages
    }
  }

  func close() {
    state.withLock { state in
      state.closed = true
      state.messages = []
    }
  }
}

/// A loop's end of a mailbox, whatever its messages are.
protocol Inbox {
  func deliver()
  func close()
}

struct ReceivingInbox<Message: Sendable>: Inbox {
  let mailbox: Mailbox<Message>
  let receive: ([Message]) -> Void

  func deliver() {
    let messages = mailbox.take()
    if !messages.isEmpty { receive(messages) }
  }

  func close() { mailbox.close() }
}

/// The `eventfd` that ends a loop's wait.
final class Waker: Sendable {
  let descriptor: Int32

  init() throws {
    descriptor = try SystemCallError.check(cplatform_wake_create(), "eventfd")
  }

  deinit { _ = cplatform_close(descriptor) }

  func wake() {
    let result = cplatform_wake_signal(descriptor)
    precondition(result == 0, "writing to an eventfd failed with \(result)")
  }

  func drain() {
    let result = cplatform_wake_drain(descriptor)
    precondition(result == 0, "reading an eventfd failed with \(result)")
  }
}

/// A loop as other threads see it.
package struct LoopHandle: Sendable {
  enum Command: Sendable {
    case call(@Sendable (EventLoop) -> Void)
    case stop
  }

  /// Closures held between two turns.
  package static let commandsMax = 65_536

  let mailbox: Mailbox<Command>

  /// Runs a closure on the loop's thread, soon.
  package func post(_ body: @escaping @Sendable (EventLoop) -> Void) -> PostResult {
    mailbox.post(.call(body))
  }

  /// Asks the loop to end its `run()`; `.full` means it was not heard.
  @discardableResult
  package func stop() -> PostResult { mailbox.post(.stop) }
}
