package import Primitives
package import Wire

/// The kind of identifier that a client names its operation by.
package enum ControlIdempotency: Sendable {}

/// A session: one life of a node as a sender of commands, which makes repeating them harmless.
///
/// A node draws `number` at random and takes as `openedAt` the index of the last entry that it has
/// applied. A state that does not know the session, and has forgotten some session that was used
/// after `openedAt`, cannot tell whether it has forgotten this one: it refuses the command as
/// `sessionExpired` and the node opens a new session.
package struct ControlSession: Hashable, Sendable {
  /// The number; zero in `none` only.
  package let number: UInt64
  /// An index that was applied before the session sent its first command.
  package let openedAt: UInt64

  /// No session: the command is applied each time that it is committed.
  package static let none = ControlSession(number: 0, openedAt: 0)

  /// Joins the parts.
  package init(number: UInt64, openedAt: UInt64) {
    self.number = number
    self.openedAt = openedAt
  }
}

/// One entry's worth of change to the control state.
package struct ControlCommand: Hashable, Sendable, WireCodable {
  /// Who sends it.
  package let session: ControlSession
  /// Which of the session's commands it is, counted from 1; 0 without a session.
  package let sequence: UInt64
  /// The session has the results of all its commands below this number, which is at most
  /// `sequence`; 0 without a session.
  package let acknowledgedBelow: UInt64
  /// A client's name for the operation, the same when it tries again through another node.
  package let idempotency: Identifier<ControlIdempotency>?
  /// What to do.
  package let operation: ControlOperation

  /// Joins the parts, which must fit each other.
  package init(
    session: ControlSession = .none, sequence: UInt64 = 0, acknowledgedBelow: UInt64 = 0,
    idempotency: Identifier<ControlIdempotency>? = nil, operation: ControlOperation
  ) {
    let problem = ControlCommand.problem(session, sequence, acknowledgedBelow)
    precondition(problem == nil, "command \(sequence), acknowledged \(acknowledgedBelow)")
    self.session = session
    self.sequence = sequence
    self.acknowledgedBelow = acknowledgedBelow
    self.idempotency = idempotency
    self.operation = operation
  }

  private static func problem(
    _ session: ControlSession, _ sequence: UInt64, _ acknowledgedBelow: UInt64
  ) -> WireError? {
    if session.number == 0 {
      let isPlain = session == .none && sequence == 0 && acknowledgedBelow == 0
      return isPlain ? nil : .invalid("a numbered command without a session")
    }
    if sequence == 0 { return .invalid("a command 0") }
    if acknowledgedBelow > sequence { return .invalid("a command that is acknowledged itself") }
    return nil
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(session.number)
    writer.writeVariable(session.openedAt)
    writer.writeVariable(sequence)
    writer.writeVariable(acknowledgedBelow)
    writer.write(UInt8(idempotency == nil ? 0 : 1))
    if let idempotency { writer.write(idempotency) }
    operation.encode(into: &writer)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let number = try cursor.readUInt64(span)
    session = ControlSession(number: number, openedAt: try cursor.readVariable(span))
    sequence = try cursor.readVariable(span)
    acknowledgedBelow = try cursor.readVariable(span)
    idempotency = try cursor.readFlag(span) ? try cursor.readIdentifier(span) : nil
    operation = try ControlOperation(from: span, at: &cursor)
    if let problem = ControlCommand.problem(session, sequence, acknowledgedBelow) {
      throw problem
    }
  }
}
