internal import Primitives
internal import Records

/// A suspicion under way.
struct Suspicion: Sendable {
  /// When it began here.
  var start: Instant
  /// Who did not get an answer, in the order in which this node heard of it.
  var accusers: [NodeID]
  /// Whether the member's host said that its process is gone.
  var isHinted = false
  /// Whether this node has asked the member itself, over the reliable channel.
  var isChecked = false
  /// Whether the member was heard meanwhile.
  var isContradicted = false
}

/// What a node knows of one other member.
struct MemberEntry: Sendable {
  let node: NodeID
  var state = MemberState.down
  var incarnation: UInt64 = 0
  var attributes: MemberAttributes
  /// The incarnation under which the attributes were announced; 0 for the owner's.
  var attributesIncarnation: UInt64 = 0
  var load: UInt16 = 0
  var since: Instant
  var isConnected: Bool
  /// When something came from it, or about it in answer to a question.
  var lastHeard: Instant?
  /// Whether it last spoke under an older incarnation than others know of it.
  var isBehind = false
  var roundTrip = RoundTrip()
  /// There is one exactly while the state is `suspect`.
  var suspicion: Suspicion?
  var announceDue: Instant
  var announcePause: TimeSpan
  /// When it was last told, unasked, what is believed of it.
  var toldAt: Instant?
  /// When it was last sent the whole state on its request.
  var exchangedAt: Instant?

  init(_ known: KnownMember, isConnected: Bool, at now: Instant, pause: TimeSpan) {
    node = known.node
    attributes = known.attributes
    since = now
    self.isConnected = isConnected
    announceDue = now + pause
    announcePause = pause
  }

  /// Whether it is spoken to although it is down.
  var isAnnouncedTo: Bool { isConnected && state == .down }

  /// Whether it may be spoken to and asked.
  var isReachable: Bool { isConnected && state.isPresent }

  /// What is to be said of it; `nil` when that is nothing or incomplete.
  var record: MembershipUpdate? {
    guard incarnation > 0 else { return nil }
    switch state {
    case .alive:
      guard attributesIncarnation == incarnation else { return nil }
      return MembershipUpdate(node: node, incarnation: incarnation, claim: .alive(attributes))
    case .suspect:
      guard let accuser = suspicion?.accusers.first else { return nil }
      return MembershipUpdate(node: node, incarnation: incarnation, claim: .suspect(by: accuser))
    case .down:
      return MembershipUpdate(node: node, incarnation: incarnation, claim: .down)
    case .left:
      return MembershipUpdate(node: node, incarnation: incarnation, claim: .left)
    case .removed:
      return nil
    }
  }

  /// What it said of itself, as far as it is known.
  var announcement: MembershipUpdate? {
    guard attributesIncarnation > 0 else { return nil }
    return MembershipUpdate(
      node: node, incarnation: attributesIncarnation, claim: .alive(attributes))
  }
}
