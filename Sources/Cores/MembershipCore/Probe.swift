internal import Primitives
internal import Records

/// The question to one member that is under way.
struct Probe: Sendable {
  enum Phase: Sendable {
    /// The member itself was asked.
    case direct
    /// Helpers were asked too, and the member over the reliable channel.
    case indirect
    /// An answer came; the period goes on.
    case answered
  }

  let sequence: UInt64
  let target: NodeID
  let start: Instant
  /// When helpers are to be asked.
  let helpDue: Instant
  /// When the wait for an answer ends.
  let end: Instant
  /// When the next probe begins after an answer.
  let periodEnd: Instant
  var phase = Phase.direct
  /// Who was asked to help and has not refused.
  var helpers: [NodeID] = []
  /// Whether somebody was asked to help.
  var hadHelpers = false
}

/// A question asked for another node.
struct Relay: Sendable {
  /// Its number here.
  let sequence: UInt64
  let target: NodeID
  let requester: NodeID
  /// Its number there.
  let requesterSequence: UInt64
  /// The requester holds attributes of this incarnation.
  let known: UInt64
  /// When the requester is to hear that no answer came.
  let due: Instant
}
