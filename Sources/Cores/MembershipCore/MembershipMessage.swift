package import Records
package import Wire

/// What two nodes say to each other about members.
///
/// Every message starts with what the speaker says of itself, its incarnation and load, and ends
/// with updates about anybody.
package struct MembershipMessage: Hashable, Sendable {
  /// What is asked or answered.
  package enum Body: Hashable, Sendable {
    /// Are you there? Names whom it is for and which incarnation's attributes the speaker holds;
    /// 0 when none. The sequence number 0 stands on questions whose answer is not waited for.
    case ping(sequence: UInt64, target: NodeID, incarnation: UInt64)
    /// Ask that node for me, and say within so many milliseconds what came of it.
    case pingRequest(
      sequence: UInt64, target: NodeID, incarnation: UInt64, waitMilliseconds: UInt16)
    /// I am there, or the node that you asked me to ask is.
    case ack(sequence: UInt64, target: NodeID)
    /// That node did not answer me, or cannot be asked, or is not me.
    case nack(sequence: UInt64, reason: Refusal)
    /// Updates alone.
    case news
    /// All that the speaker knows, to be answered with the same or not.
    case exchange(wantsReply: Bool)
  }

  /// Why there is no better answer.
  package enum Refusal: UInt8, Hashable, Sendable, CaseIterable {
    /// The node was asked and did not answer in time.
    case noAnswer = 0
    /// There is no connection to the node, or no room for the question.
    case unreachable = 1
    /// The question was for another node than the one that got it.
    case wrongDestination = 2
  }

  /// The largest message that travels as a datagram, in bytes: 1,100 with room for an envelope.
  package static let datagramBytesMax = 1_088
  /// The largest message that is accepted, in bytes.
  package static let bytesMax = 512 * 1_024
  /// Updates in one message.
  package static let updatesMax = 2_048

  /// The speaker's incarnation.
  package let incarnation: UInt64
  /// The speaker's load.
  package let load: UInt16
  /// What is asked or answered.
  package let body: Body
  /// News of members.
  package let updates: [MembershipUpdate]

  /// Joins the parts.
  package init(incarnation: UInt64, load: UInt16, body: Body, updates: [MembershipUpdate]) {
    precondition(
      incarnation > 0 && incarnation <= MembershipUpdate.incarnationMax,
      "a message of incarnation \(incarnation)")
    precondition(
      updates.count <= MembershipMessage.updatesMax, "\(updates.count) updates in one message")
    self.incarnation = incarnation
    self.load = load
    self.body = body
    self.updates = updates
  }
}

extension MembershipMessage: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch body {
    case .ping(let sequence, let target, let known):
      writer.write(UInt8(1))
      writer.writeVariable(sequence)
      writer.write(target.key)
      writer.writeVariable(known)
    case .pingRequest(let sequence, let target, let known, let wait):
      writer.write(UInt8(2))
      writer.writeVariable(sequence)
      writer.write(target.key)
      writer.writeVariable(known)
      writer.write(wait)
    case .ack(let sequence, let target):
      writer.write(UInt8(3))
      writer.writeVariable(sequence)
      writer.write(target.key)
    case .nack(let sequence, let reason):
      writer.write(UInt8(4))
      writer.writeVariable(sequence)
      writer.write(reason.rawValue)
    case .news:
      writer.write(UInt8(5))
    case .exchange(let wantsReply):
      writer.write(UInt8(wantsReply ? 6 : 7))
    }
    writer.writeVariable(incarnation)
    writer.write(load)
    writer.writeVariable(UInt64(updates.count))
    for update in updates { update.encode(into: &writer) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    guard span.byteCount <= MembershipMessage.bytesMax else { throw .overLimit }
    body = try MembershipMessage.decodeBody(span, at: &cursor)
    incarnation = try cursor.readVariable(span, limit: MembershipUpdate.incarnationMax)
    guard incarnation > 0 else { throw .invalid("a message without an incarnation") }
    load = try cursor.readUInt16(span)
    let count = try cursor.readCount(span, limit: MembershipMessage.updatesMax, bytesEach: 34)
    var updates: [MembershipUpdate] = []
    updates.reserveCapacity(count)
    for _ in 0..<count { updates.append(try MembershipUpdate(from: span, at: &cursor)) }
    self.updates = updates
  }

  private static func decodeBody(
    _ span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> Body {
    let limit = MembershipUpdate.incarnationMax
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1:
      return .ping(
        sequence: try cursor.readVariable(span), target: NodeID(key: try cursor.readDigest(span)),
        incarnation: try cursor.readVariable(span, limit: limit))
    case 2:
      return .pingRequest(
        sequence: try cursor.readVariable(span), target: NodeID(key: try cursor.readDigest(span)),
        incarnation: try cursor.readVariable(span, limit: limit),
        waitMilliseconds: try cursor.readUInt16(span))
    case 3:
      return .ack(
        sequence: try cursor.readVariable(span), target: NodeID(key: try cursor.readDigest(span)))
    case 4:
      let sequence = try cursor.readVariable(span)
      let code = try cursor.readUInt8(span)
      guard let reason = Refusal(rawValue: code) else { throw .unknownTag(code) }
      return .nack(sequence: sequence, reason: reason)
    case 5: return .news
    case 6: return .exchange(wantsReply: true)
    case 7: return .exchange(wantsReply: false)
    // open set: tags of later versions
    default: throw .unknownTag(tag)
    }
  }

  /// How many bytes the canonical form takes without its updates, at most.
  var headByteCount: Int {
    // Tag, incarnation, load, count of updates.
    let common = 1 + WireWriter.byteCount(ofVariable: incarnation) + 2 + 2
    switch body {
    case .ping(let sequence, _, let known):
      return common + 32 + WireWriter.byteCount(ofVariable: sequence)
        + WireWriter.byteCount(ofVariable: known)
    case .pingRequest(let sequence, _, let known, _):
      return common + 34 + WireWriter.byteCount(ofVariable: sequence)
        + WireWriter.byteCount(ofVariable: known)
    case .ack(let sequence, _):
      return common + 32 + WireWriter.byteCount(ofVariable: sequence)
    case .nack(let sequence, _):
      return common + 1 + WireWriter.byteCount(ofVariable: sequence)
    case .news, .exchange:
      return common
    }
  }
}
