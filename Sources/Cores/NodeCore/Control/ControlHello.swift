package import Records
package import Wire

/// What the control plane of a node says first on a connection.
package struct ControlHello: Hashable, Sendable, WireCodable {
  /// The version of the control plane's messages that is spoken here.
  package static let version: UInt16 = 1

  /// The version that the speaker speaks.
  package let version: UInt16
  /// The cluster.
  package let cluster: ClusterID
  /// Which life of its control log the speaker is in.
  package let life: UInt64

  /// Joins the parts.
  package init(version: UInt16 = ControlHello.version, cluster: ClusterID, life: UInt64) {
    self.version = version
    self.cluster = cluster
    self.life = life
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(version)
    writer.write(cluster.digest)
    writer.write(life)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    version = try cursor.readUInt16(span)
    cluster = ClusterID(digest: try cursor.readDigest(span))
    life = try cursor.readUInt64(span)
  }
}

/// A command on its way to the leader.
package struct ForwardedCommand: Hashable, Sendable, WireCodable {
  /// The command, encoded; it carries the session and the number by which it is known.
  package let command: [UInt8]
  /// How long its submitter still waits, in milliseconds.
  package let remainingMilliseconds: UInt32

  /// Joins the parts.
  package init(command: [UInt8], remainingMilliseconds: UInt32) {
    self.command = command
    self.remainingMilliseconds = remainingMilliseconds
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(remainingMilliseconds)
    writer.writeBytes(command)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    remainingMilliseconds = try cursor.readUInt32(span)
    command = try cursor.readBytes(span, limit: RaftEntry.payloadBytesMax)
  }
}

/// Says that a forwarded command was not proposed: its submitter may send it elsewhere, or again.
package struct ForwardRefusal: Hashable, Sendable, WireCodable {
  /// Why.
  package enum Reason: UInt8, Sendable {
    /// The node does not lead.
    case notLeader = 1
    /// The leader holds too much that is not committed.
    case overloaded = 2
    /// It is no command.
    case malformed = 3
  }

  /// The command's number in its submitter's session.
  package let sequence: UInt64
  /// Why.
  package let reason: Reason

  /// Joins the parts.
  package init(sequence: UInt64, reason: Reason) {
    self.sequence = sequence
    self.reason = reason
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(sequence)
    writer.write(reason.rawValue)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    sequence = try cursor.readUInt64(span)
    let tag = try cursor.readUInt8(span)
    guard let reason = Reason(rawValue: tag) else { throw .unknownTag(tag) }
    self.reason = reason
  }
}
