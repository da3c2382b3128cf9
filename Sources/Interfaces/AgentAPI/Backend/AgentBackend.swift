package import LedgerCore
package import Primitives
package import Records

/// The node as the agents' door needs it.
///
/// Everything is called on the loop thread, and completions are called there too, once each, never
/// before the call that takes them has returned. Lookups are answered from memory.
package protocol AgentBackend: ControlBackend {
  // MARK: Time

  /// The wall clock in milliseconds since 1970.
  var wallMilliseconds: UInt64 { get }
  /// The monotonic clock.
  var now: Instant { get }

  // MARK: Lookups

  /// The registered agent with a token.
  func agent(forTokenDigest digest: Digest) -> AgentSummary?
  /// A registered agent.
  func agent(_ agent: AgentID) -> AgentSummary?
  /// A registered agent's score.
  func score(_ agent: AgentID) -> Score?
  /// A posted question.
  func question(_ question: QuestionID) -> QuestionSummary?
  /// An agent's answer to a question.
  func answer(_ question: QuestionID, _ agent: AgentID) -> AnswerSummary?
  /// What the counted answers to a posted question amount to at present.
  func outcome(_ question: QuestionID) -> QuestionOutcome?

  /// A defined collection.
  func collection(_ name: String) -> CollectionSummary?
  /// A record of a defined collection that was ever changed.
  func record(_ record: RecordID) -> RecordSummary?
  /// The additions of an element of a set that stand.
  func additions(of element: String, in record: RecordID) -> [RecordDot]
  /// The change of a record that answers a request.
  func request(_ request: RecordRequestID, in record: RecordID) -> RecordRequestSummary?
  /// The node whose lane it is, and the time of the last operation applied of it.
  func lastOperation(of lane: LaneID) -> (node: NodeID, time: HybridTime)?

  // MARK: Writes

  /// Appends operations to the node's lane, as one group, though maybe in several bundles, and
  /// completes when all of them have `level` or after `deadlineMilliseconds`.
  ///
  /// Operations are valid by their own rules. When the completion is called with anything but
  /// `overloaded` or `failed`, lookups know the operations.
  func submit(
    _ operations: [LedgerOperation], level: WriteLevel, deadlineMilliseconds: Int,
    completion: @escaping (WriteResult) -> Void)
  /// Completes when earlier operations, of whatever lane, have `level` as far as this node knows,
  /// or after `deadlineMilliseconds`; never fails for want of a place in a queue of writes.
  func wait(
    for operations: [OperationID], level: WriteLevel, deadlineMilliseconds: Int,
    completion: @escaping (WriteResult) -> Void)

  // MARK: Reads

  /// Reads the state tables with one snapshot for all queries; the answer has one row set for each.
  ///
  /// A row is there at the latest when its operation is local (`WriteLevel.local`).
  func read(_ queries: [RowQuery], completion: @escaping (Result<[RowSet], ReadFault>) -> Void)
  /// Makes the proof of an operation, or completes with `nil` when the node does not hold it.
  func proof(
    of operation: OperationID,
    completion: @escaping (Result<OperationProof?, ReadFault>) -> Void)

  // MARK: The node

  /// What the node says about itself.
  var status: NodeStatus { get }
  /// The root over all lanes at present: what names the state that a read shows.
  var lanesRoot: Digest { get }
  /// The members of the cluster in ascending order.
  var members: [MemberStatus] { get }
  /// The lanes in ascending order.
  var lanes: [LaneStatus] { get }
  /// Adds the node's own metrics; the door has added its own before.
  func writeMetrics(into text: inout MetricsText)
  /// The digest of the operator's token; `nil` when the node has no operator.
  var operatorTokenDigest: Digest? { get }
  /// Makes a ticket with which a new node may join.
  func makeTicket(
    _ request: TicketRequest, completion: @escaping (Result<Ticketing, TicketFault>) -> Void)
}

/// A ticket that was made.
package struct Ticketing: Sendable {
  /// The ticket's text, a secret.
  package var text: String
  /// When it ends, in milliseconds since 1970.
  package var expiresMilliseconds: UInt64

  /// Describes a ticket.
  package init(text: String, expiresMilliseconds: UInt64) {
    self.text = text
    self.expiresMilliseconds = expiresMilliseconds
  }
}

/// Why no ticket was made.
package struct TicketFault: Error, Sendable {
  /// The reason, to be shown to the operator.
  package var reason: String

  /// Gives the reason.
  package init(reason: String) {
    self.reason = reason
  }
}
