package import Wire

/// One entry of the control log.
package struct RaftEntry: Hashable, Sendable, WireCodable {
  /// What an entry carries.
  package enum Kind: UInt8, Sendable {
    /// Nothing: what a leader's term begins with.
    case empty = 0
    /// A command of the control state.
    case command = 1
    /// A configuration, in force from the moment it is appended.
    case configuration = 2
  }

  /// The largest payload, in bytes.
  package static let payloadBytesMax = 128 * 1_024
  /// What an entry takes besides its payload, at most: for budgets.
  package static let overheadBytes = 24

  /// The term in which a leader made it.
  package let term: UInt64
  /// Its place, counted from 1.
  package let index: UInt64
  /// What it carries.
  package let kind: Kind
  /// The bytes, as the kind defines them.
  package let payload: [UInt8]

  /// Joins the parts.
  package init(term: UInt64, index: UInt64, kind: Kind, payload: [UInt8]) {
    precondition(index > 0, "an entry at index 0")
    precondition(
      payload.count <= RaftEntry.payloadBytesMax, "an entry of \(payload.count) bytes")
    self.term = term
    self.index = index
    self.kind = kind
    self.payload = payload
  }

  /// What it counts toward windows of bytes.
  package var byteCount: Int { payload.count + RaftEntry.overheadBytes }

  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(term)
    writer.writeVariable(index)
    writer.write(kind.rawValue)
    writer.writeBytes(payload)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let term = try cursor.readVariable(span)
    let index = try cursor.readVariable(span)
    let tag = try cursor.readUInt8(span)
    guard let kind = Kind(rawValue: tag) else { throw .unknownTag(tag) }
    let payload = try cursor.readBytes(span, limit: RaftEntry.payloadBytesMax)
    guard index > 0 else { throw .invalid("an entry at index 0") }
    self.init(term: term, index: index, kind: kind, payload: payload)
  }
}

/// What a member of the control log must never forget.
package struct RaftHardState: Hashable, Sendable {
  /// The latest term it has seen.
  package var term: UInt64
  /// Whom it voted for in that term.
  package var vote: RaftID?
  /// An index that is known to be committed: may lag behind, never ahead.
  package var commit: UInt64

  /// Joins the parts.
  package init(term: UInt64 = 0, vote: RaftID? = nil, commit: UInt64 = 0) {
    self.term = term
    self.vote = vote
    self.commit = commit
  }
}
