internal import Crypto
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// The node's own values as JSON.
extension JSONWriter {
  /// Writes a time as RFC 3339 text.
  mutating func timestamp(_ milliseconds: UInt64) {
    string(CalendarTime.text(milliseconds: milliseconds))
  }

  mutating func write(
    _ status: NodeStatus, _ control: ControlStatus, nowMilliseconds: UInt64
  ) {
    beginObject()
    key("node")
    string(status.node.key.hexadecimal)
    key("cluster")
    string(status.cluster.digest.hexadecimal)
    key("swarm")
    string(status.swarm)
    key("version")
    string(status.version)
    key("startedAt")
    timestamp(status.startedMilliseconds)
    key("now")
    timestamp(nowMilliseconds)
    key("frontier")
    write(status.frontier)
    key("syncedFrontier")
    write(status.syncedFrontier)
    key("lanesRoot")
    string(status.lanesRoot.hexadecimal)
    key("rowsDigest")
    string(status.rowsDigest.hexadecimal)
    key("operations")
    unsigned(status.operations)
    key("voters")
    integer(status.voters)
    key("votersReachable")
    integer(status.votersReachable)
    key("quorum")
    integer(status.quorum)
    key("ready")
    bool(status.notReady.isEmpty)
    key("notReady")
    beginArray()
    for reason in status.notReady { string(reason) }
    endArray()
    writeQueues(of: status)
    key("peers")
    beginArray()
    for peer in status.peers { write(peer) }
    endArray()
    key("control")
    beginObject()
    writeMembers(of: control)
    endObject()
    endObject()
  }

  private mutating func writeQueues(of status: NodeStatus) {
    key("pendingWrites")
    integer(status.pendingWrites)
    key("pendingReads")
    integer(status.pendingReads)
    key("pendingBundles")
    integer(status.pendingBundles)
    key("storageBytes")
    unsigned(status.storageBytes)
  }

  /// Writes a frontier as an object: lane to number, lanes in ascending order.
  mutating func write(_ frontier: Frontier) {
    beginObject()
    for entry in frontier.entries {
      key(entry.lane.digest.hexadecimal)
      unsigned(entry.number)
    }
    endObject()
  }

  private mutating func write(_ peer: PeerStatus) {
    beginObject()
    key("node")
    string(peer.node.key.hexadecimal)
    key("address")
    string(peer.address)
    key("connected")
    bool(peer.isConnected)
    key("behindBundles")
    unsigned(peer.behindBundles)
    key("roundTripMicroseconds")
    if let time = peer.roundTripMicroseconds { unsigned(time) } else { null() }
    endObject()
  }

  mutating func write(_ lane: LaneStatus) {
    beginObject()
    key("lane")
    string(lane.lane.digest.hexadecimal)
    key("node")
    string(lane.node.key.hexadecimal)
    key("number")
    unsigned(lane.number)
    key("syncedNumber")
    unsigned(lane.syncedNumber)
    key("operations")
    unsigned(lane.operations)
    key("lastAt")
    timestamp(lane.lastTime.milliseconds)
    key("root")
    string(lane.root.hexadecimal)
    key("forked")
    bool(lane.isForked)
    endObject()
  }

  mutating func write(_ proof: OperationProof, of operation: OperationID) {
    beginObject()
    key("id")
    string(operation.description)
    key("operation")
    hexadecimal(proof.operation)
    key("index")
    integer(proof.index)
    key("operationCount")
    integer(proof.operationCount)
    key("operationPath")
    write(proof.operationPath)
    key("header")
    hexadecimal(proof.header)
    key("signature")
    hexadecimal(proof.signature.bytes)
    key("node")
    string(proof.node.key.hexadecimal)
    key("lane")
    string(proof.lane.digest.hexadecimal)
    key("number")
    unsigned(proof.number)
    key("laneCount")
    unsigned(proof.laneCount)
    key("lanePath")
    write(proof.lanePath)
    key("laneRoot")
    string(proof.laneRoot.hexadecimal)
    key("laneHead")
    hexadecimal(proof.laneHead)
    key("laneIndex")
    unsigned(proof.laneIndex)
    key("lanesCount")
    unsigned(proof.lanesCount)
    key("lanesPath")
    write(proof.lanesPath)
    key("lanesRoot")
    string(proof.lanesRoot.hexadecimal)
    endObject()
  }

  private mutating func write(_ path: [Digest]) {
    beginArray()
    for digest in path { string(digest.hexadecimal) }
    endArray()
  }
}
