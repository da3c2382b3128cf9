/// One operation of one client: what was asked, what was told, and when.
///
/// Instants are nanoseconds of one clock that all clients of the history share.
package struct HistoryRecord: Equatable, Sendable {
  /// The client; one client has one operation open at a time, as a rule of the workload.
  package let client: UInt64
  /// The key, the lock's name, or the watched prefix.
  package let key: String
  /// What was asked.
  package let operation: HistoryOperation
  /// What was told.
  package private(set) var result: HistoryResult
  /// When the operation was called.
  package let call: UInt64
  /// When the client was told; `nil` when it never was, and then the result is unknown.
  package private(set) var answered: UInt64?

  /// Makes a record; the result must be one that the operation can have.
  package init(
    client: UInt64, key: String, operation: HistoryOperation, result: HistoryResult = .unknown,
    call: UInt64, answered: UInt64? = nil
  ) {
    self.client = client
    self.key = key
    self.operation = operation
    self.result = .unknown
    self.call = call
    if let answered {
      answer(result, at: answered)
    } else {
      precondition(result == .unknown, "\(result) without the instant it was told")
    }
  }

  /// Notes what the client was told.
  mutating func answer(_ result: HistoryResult, at instant: UInt64) {
    precondition(operation.admits(result), "\(operation.name) cannot have the result \(result)")
    precondition(instant >= call, "answered at \(instant), before the call at \(call)")
    precondition(answered == nil, "answered a second time, at \(instant)")
    self.result = result
    answered = instant
  }
}
