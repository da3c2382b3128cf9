internal import Primitives
internal import Records
internal import Wire

/// One fact that must survive a crash, because something was or will be said because of it.
enum JournalRecord: Hashable, Sendable {
  /// An own vote, with the block that it notarizes: bodies are only cuts, and a power loss of
  /// everybody must not lose one that is final.
  indirect case vote(Vote, Block?)
  /// A certificate that moved this node into a view: whoever helps a node that lost its journal
  /// vouches by it.
  case certificate(Certificate)
  /// The own consent to a change of validators.
  case consent(Vote, added: [NodeID], removed: [NodeID])
  /// No vote in an epoch at or below a view: what a node without memory may have said.
  case abstain(epoch: UInt64, view: UInt64)
  /// The highest view of an epoch that others knew of when this node had lost its journal.
  case remembered(epoch: UInt64, view: UInt64)
}

extension JournalRecord {
  /// The epoch that it is about.
  var epoch: UInt64 {
    switch self {
    case .vote(let vote, _), .consent(let vote, _, _): vote.statement.epoch
    case .certificate(let certificate): certificate.statement.epoch
    case .abstain(let epoch, _), .remembered(let epoch, _): epoch
    }
  }

  /// The epoch in which the node was when it wrote it: the end of one is told in the next.
  var reachedEpoch: UInt64 {
    if case .vote(let vote, _) = self, vote.statement.kind == .handover { return epoch + 1 }
    return epoch
  }
}

extension JournalRecord: WireCodable {
  func encode(into writer: inout WireWriter) {
    switch self {
    case .vote(let vote, let block):
      writer.write(UInt8(block == nil ? 1 : 2))
      vote.encode(into: &writer)
      block?.encode(into: &writer)
    case .certificate(let certificate):
      writer.write(UInt8(3))
      certificate.encode(into: &writer)
    case .consent(let vote, let added, let removed):
      writer.write(UInt8(5))
      // The message says the same and has its rules of form.
      FinalityMessage.consent(vote, added: added, removed: removed).encode(into: &writer)
    case .abstain(let epoch, let view):
      writer.write(UInt8(4))
      writer.write(epoch)
      writer.write(view)
    case .remembered(let epoch, let view):
      writer.write(UInt8(6))
      writer.write(epoch)
      writer.write(view)
    }
  }

  init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1: self = .vote(try JournalRecord.vote(from: span, at: &cursor), nil)
    case 2:
      let vote = try JournalRecord.vote(from: span, at: &cursor)
      let block = try Block(from: span, at: &cursor)
      guard block.hash == vote.statement.hash else { throw .invalid("a vote for another block") }
      self = .vote(vote, block)
    case 3: self = .certificate(try Certificate(from: span, at: &cursor))
    case 4:
      self = .abstain(epoch: try cursor.readUInt64(span), view: try cursor.readUInt64(span))
    case 6:
      self = .remembered(
        epoch: try cursor.readUInt64(span), view: try cursor.readUInt64(span))
    case 5:
      guard
        case .consent(let vote, let added, let removed) = try FinalityMessage(
          from: span, at: &cursor),
        vote.statement.kind == .reconfigure,
        vote.statement.hash == Reconfiguration.hash(added: added, removed: removed)
      else { throw .invalid("a consent to something else") }
      self = .consent(vote, added: added, removed: removed)
    default: throw .unknownTag(tag)  // open set: tags of later versions
    }
  }

  private static func vote(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> Vote {
    let vote = try Vote(from: span, at: &cursor)
    let isOfView = vote.statement.kind.isOfView && vote.statement.view > 0
    guard isOfView || vote.statement.kind == .handover && vote.statement.view == 0 else {
      throw .invalid("an own vote on no view")
    }
    return vote
  }
}
