internal import Primitives
package import Records
package import Wire

/// How far a node holds one lane, as it tells a peer.
package struct LaneProgress: Hashable, Sendable {
  /// The lane.
  package let lane: LaneID
  /// The last bundle applied; of its own lane a node tells only what is durable.
  package let applied: UInt64
  /// The last bundle that survives a crash of the node: this one counts toward quorums.
  package let synced: UInt64
  /// The first word of the digest of the last applied header: two nodes that hold different
  /// bundles in one place see it here, although their numbers agree.
  package let mark: UInt64

  /// States progress; what is synced was applied.
  package init(lane: LaneID, applied: UInt64, synced: UInt64, mark: UInt64) {
    precondition(synced <= applied, "synced \(synced) beyond applied \(applied)")
    self.lane = lane
    self.applied = applied
    self.synced = synced
    self.mark = mark
  }
}

/// What two nodes say to each other about lanes, besides the bundles themselves.
package enum GossipMessage: Hashable, Sendable {
  /// The first message on a connection: who is speaking for what, and the whole frontier.
  case hello(Hello)
  /// Lanes that moved since the speaker last said so, or all of them: digest and
  /// acknowledgement in one.
  case progress([LaneProgress])
  /// Proof that a lane forked.
  indirect case proof(EquivocationProof)

  /// What a connection starts with.
  package struct Hello: Hashable, Sendable {
    /// The version of the protocol that the speaker speaks.
    package let version: UInt16
    /// The cluster.
    package let cluster: ClusterID
    /// The swarm.
    package let swarm: SwarmID
    /// The whole frontier.
    package let progress: [LaneProgress]

    /// Joins the parts.
    package init(version: UInt16, cluster: ClusterID, swarm: SwarmID, progress: [LaneProgress]) {
      self.version = version
      self.cluster = cluster
      self.swarm = swarm
      self.progress = progress
    }
  }

  /// The version of the protocol spoken here.
  package static let version: UInt16 = 1

  /// The largest encoded message that is accepted, in bytes.
  package static let bytesMax = 256 * 1_024
}

extension GossipMessage: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .hello(let hello):
      writer.write(UInt8(1))
      writer.write(hello.version)
      writer.write(hello.cluster.digest)
      writer.write(hello.swarm.identifier)
      GossipMessage.encode(hello.progress, into: &writer)
    case .progress(let progress):
      writer.write(UInt8(2))
      GossipMessage.encode(progress, into: &writer)
    case .proof(let proof):
      writer.write(UInt8(3))
      writer.writeBytes(proof.encoded)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1:
      let version = try cursor.readUInt16(span)
      let cluster = ClusterID(digest: try cursor.readDigest(span))
      let swarm = SwarmID(identifier: try cursor.readIdentifier(span))
      let progress = try GossipMessage.decodeProgress(span, at: &cursor)
      self = .hello(
        Hello(version: version, cluster: cluster, swarm: swarm, progress: progress))
    case 2:
      self = .progress(try GossipMessage.decodeProgress(span, at: &cursor))
    case 3:
      let bytes = try cursor.readBytes(span, limit: 2 * BundleLimits.headerBytesMax + 256)
      guard let proof = try EquivocationProof.decode(bytes) else {
        throw .invalid("an equivocation proof proves nothing")
      }
      self = .proof(proof)
    // open set: tags of later versions
    default:
      throw .unknownTag(tag)
    }
  }

  private static func encode(_ progress: [LaneProgress], into writer: inout WireWriter) {
    writer.writeVariable(UInt64(progress.count))
    for entry in progress {
      writer.write(entry.lane.digest)
      writer.writeVariable(entry.applied)
      writer.writeVariable(entry.applied - entry.synced)
      writer.write(entry.mark)
    }
  }

  private static func decodeProgress(
    _ span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> [LaneProgress] {
    let count = try cursor.readCount(span, limit: Frontier.lanesMax, bytesEach: 42)
    var progress: [LaneProgress] = []
    progress.reserveCapacity(count)
    for _ in 0..<count {
      let lane = LaneID(digest: try cursor.readDigest(span))
      let applied = try cursor.readVariable(span)
      let lag = try cursor.readVariable(span)
      let mark = try cursor.readUInt64(span)
      if let last = progress.last, lane <= last.lane { throw .notCanonical }
      guard lag <= applied, applied > 0 else { throw .invalid("lane synced beyond applied") }
      progress.append(
        LaneProgress(lane: lane, applied: applied, synced: applied - lag, mark: mark))
    }
    return progress
  }
}

/// A request for a range of bundles of one lane, answered by as many of them as fit, in order.
package struct PullRequest: Hashable, Sendable, WireCodable {
  /// The swarm.
  package let swarm: SwarmID
  /// The lane.
  package let lane: LaneID
  /// The first bundle wanted.
  package let first: UInt64
  /// The last bundle wanted.
  package let last: UInt64
  /// How many bytes the answer may have; at least one bundle is sent when there is one.
  package let bytesMax: UInt32

  /// The largest encoded request that is accepted, in bytes.
  package static let encodedBytesMax = 128

  /// Asks for `first...last` of `lane`.
  package init(swarm: SwarmID, lane: LaneID, first: UInt64, last: UInt64, bytesMax: UInt32) {
    precondition(first > 0 && first <= last, "empty pull \(first)...\(last)")
    self.swarm = swarm
    self.lane = lane
    self.first = first
    self.last = last
    self.bytesMax = bytesMax
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(swarm.identifier)
    writer.write(lane.digest)
    writer.writeVariable(first)
    writer.writeVariable(last)
    writer.write(bytesMax)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let swarm = SwarmID(identifier: try cursor.readIdentifier(span))
    let lane = LaneID(digest: try cursor.readDigest(span))
    let first = try cursor.readVariable(span)
    let last = try cursor.readVariable(span)
    let bytesMax = try cursor.readUInt32(span)
    guard first > 0, first <= last else { throw .invalid("an empty range is pulled") }
    self.init(swarm: swarm, lane: lane, first: first, last: last, bytesMax: bytesMax)
  }
}

/// The one frame by which a pull is refused: the node does not hold what was asked for.
///
/// It stands where a bundle would and begins with a zero, which no bundle does.
package struct PullRefusal: Hashable, Sendable, WireCodable {
  /// The number up to which the lane is not held.
  package let base: UInt64

  /// The longest encoded refusal, in bytes.
  package static let encodedBytesMax = 11

  /// Says from where on the lane is held.
  package init(base: UInt64) {
    precondition(base > 0, "a pull is refused by who holds the lane from its beginning")
    self.base = base
  }

  /// Whether a frame of an answer is a refusal rather than a bundle.
  package static func isRefusal(_ frame: [UInt8]) -> Bool { frame.first == 0 }

  package func encode(into writer: inout WireWriter) {
    writer.write(UInt8(0))
    writer.writeVariable(base)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    guard tag == 0 else { throw .unknownTag(tag) }
    let base = try cursor.readVariable(span)
    guard base > 0 else { throw .invalid("a refusal of what is held") }
    self.init(base: base)
  }
}
