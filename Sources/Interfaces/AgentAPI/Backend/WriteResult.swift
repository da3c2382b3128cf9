package import Records

/// How a write ended.
package enum WriteResult: Sendable {
  /// The level that was asked for is reached; the operations in the order they were submitted.
  case reached(WriteLevel, [OperationID])
  /// The deadline passed first. The operations have the level `reached`, or none that is known,
  /// and may yet reach the one asked for.
  case undecided(reached: WriteLevel?, [OperationID])
  /// Nothing was written, because too much is under way.
  case overloaded(retryAfterSeconds: Int)
  /// Nothing was written, because the node cannot; the text says why.
  case failed(String)
}

/// A read of the state tables: one SQL statement and its parameters.
package struct RowQuery: Sendable {
  /// One `SELECT` with `?` for its parameters; a constant of this module.
  package let sql: String
  /// The parameters in order.
  package let parameters: [ColumnValue]

  /// Makes a read.
  package init(_ sql: String, _ parameters: [ColumnValue]) {
    self.sql = sql
    self.parameters = parameters
  }
}

/// The rows of one query: values in the order of its columns.
package typealias RowSet = [[ColumnValue]]

/// Why a read gave no rows.
package enum ReadFault: Error, Hashable, Sendable {
  /// Too many reads are waiting; come back after so many seconds.
  case busy(retryAfterSeconds: Int)
  /// The storage failed; the text says how.
  case failed(String)
  /// What is asked about is final and not held here, but by other nodes; the text says from where
  /// on this node holds it.
  case notHeld(String)
}
