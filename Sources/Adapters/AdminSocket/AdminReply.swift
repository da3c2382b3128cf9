/// The means to answer one line, once; used on the loop's thread.
///
/// Letting it go without an answer ends the connection, so nobody waits for what never comes.
package final class AdminReply {
  private weak var connection: AdminConnection?
  private var isUsed = false

  init(_ connection: AdminConnection) { self.connection = connection }

  deinit {
    if !isUsed { connection?.close() }
  }

  /// Answers with one line; false when nobody waits any more.
  ///
  /// A line of more than 64 KiB, or with a line break inside, is not sent: it ends the connection.
  @discardableResult
  package func send(_ line: String) -> Bool {
    precondition(!isUsed, "a line is answered once")
    isUsed = true
    return connection?.answer(line) ?? false
  }
}
