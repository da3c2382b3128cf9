/// What the clients of one run did and saw, in the order of their calls' recording.
///
/// Appending costs a few words and happens in place. The number of operations is bounded: when the
/// history is full, `begin` returns `nil`, and the client must not send the operation, because an
/// effect that no record explains would look like a broken rule.
package struct History: Equatable, Sendable {
  /// An operation that was called and waits for its answer.
  package struct Ticket: Hashable, Sendable {
    fileprivate let index: Int
  }

  /// Operations that a history holds unless told otherwise.
  package static let capacityDefault = 1_000_000

  /// The most operations it takes.
  package let capacity: Int
  /// The operations.
  package private(set) var records: [HistoryRecord] = []

  /// Makes an empty history.
  package init(capacity: Int = Self.capacityDefault) {
    precondition(capacity > 0, "a history of \(capacity) operations")
    self.capacity = capacity
  }

  /// Whether no operation can be added.
  package var isFull: Bool { records.count >= capacity }

  /// Notes a call; `nil` when full: then the operation must not be sent.
  package mutating func begin(
    client: UInt64, key: String, operation: HistoryOperation, at call: UInt64
  ) -> Ticket? {
    guard !isFull else { return nil }
    records.append(HistoryRecord(client: client, key: key, operation: operation, call: call))
    return Ticket(index: records.count - 1)
  }

  /// Notes the answer to a call. What is never answered stays unknown.
  package mutating func answer(_ ticket: Ticket, _ result: HistoryResult, at instant: UInt64) {
    precondition(ticket.index < records.count, "a ticket of another history")
    records[ticket.index].answer(result, at: instant)
  }

  /// Adds a whole record; `false` when full.
  package mutating func append(_ record: HistoryRecord) -> Bool {
    guard !isFull else { return false }
    records.append(record)
    return true
  }
}
