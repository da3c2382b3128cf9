import ControlCore
import CoreKit
import Crypto
import MembershipCore
import NodeCore
import Primitives
import RaftCore
import Records
import Testing

/// Some nodes' machines in one process: messages and disks are immediate, unless a test holds them
/// back.
struct Cluster {
  var machines: [NodeMachine] = []
  let ids: [NodeID]
  var now = Instant.origin
  /// Nodes that nobody reaches and that reach nobody.
  var isolated: Set<Int> = []
  /// Nodes whose control log's disk takes for ever.
  var stalled: Set<Int> = []
  /// Messages that are lost on their way: from, to, message.
  var isLost: (Int, Int, ControlMessage) -> Bool = { _, _, _ in false }
  var replies: [UInt64: ControlReply] = [:]
  var disconnects: [(node: Int, reason: String)] = []
  private var effects: [NodeEffects]

  init(_ count: Int, lives: [UInt64]? = nil) throws {
    let keys = (0..<count).map { SigningKey(seed: Digest(words: 7, 7, 7, UInt64($0))) }
    ids = keys.map { NodeID(key: $0.publicKey) }
    effects = Array(repeating: NodeEffects(), count: count)
    let cluster = ClusterID(digest: Digest(words: 1, 2, 3, 4))
    for (index, key) in keys.enumerated() {
      let attributes = try #require(
        MemberAttributes(
          address: "n\(index)", apiAddress: "", region: "", zone: "", role: .voter,
          protocolVersion: 1))
      var control = ControlPlaneConfiguration(
        node: ids[index], cluster: cluster, founders: ids, attributes: attributes,
        seed: UInt64(index + 1))
      control.commandsMax = 8
      let configuration = NodeCoreConfiguration(
        key: key, epoch: Identifier(high: 1, low: UInt64(index)),
        swarm: SwarmID(named: "tests", in: cluster), control: control, seed: UInt64(index))
      machines.append(
        try NodeMachine(
          configuration, recovery: NodeRecovery(life: lives?[index] ?? 0),
          at: Cluster.moment(.origin)))
    }
    for from in 0..<count {
      for to in 0..<count where to != from {
        handle(.connected(peer(from, to), ids[to]), at: from)
      }
    }
    pump()
  }

  /// The index by which `from` knows `to`.
  func peer(_ from: Int, _ to: Int) -> PeerIndex {
    PeerIndex(UInt16(to < from ? to : to - 1))
  }

  private func node(_ from: Int, _ peer: PeerIndex) -> Int {
    Int(peer.value) < from ? Int(peer.value) : Int(peer.value) + 1
  }

  private static func moment(_ instant: Instant) -> Moment {
    Moment(
      instant: instant, wallMilliseconds: 1_700_000_000_000 + instant.nanoseconds / 1_000_000)
  }

  mutating func handle(_ event: NodeEvent, at index: Int) {
    machines[index].handle(event, at: Cluster.moment(now), into: &effects[index])
  }

  /// Hands everything over until nobody has anything more to say.
  mutating func pump() {
    for _ in 0..<200 {
      var isQuiet = true
      for index in machines.indices {
        handle(.turnEnded, at: index)
        isQuiet = carryOut(index) && isQuiet
      }
      if isQuiet { return }
    }
    Issue.record("the nodes never fall silent")
  }

  private mutating func carryOut(_ index: Int) -> Bool {
    let taken = effects[index]
    effects[index].removeAll()
    var isQuiet = true
    if let batch = taken.batch {
      handle(.durable(through: batch.sequence), at: index)
      isQuiet = false
    }
    if let write = taken.control.write, !stalled.contains(index) {
      handle(.control(.persisted(through: write.sequence)), at: index)
      isQuiet = false
    }
    for (request, reply) in taken.control.replies {
      #expect(replies[request.value] == nil, "request \(request.value) is answered twice")
      replies[request.value] = reply
    }
    for disconnect in taken.control.disconnects {
      disconnects.append((index, "\(disconnect.reason)"))
    }
    for send in taken.control.sends {
      let to = node(index, send.peer)
      if isolated.contains(index) || isolated.contains(to) || isLost(index, to, send.message) {
        continue
      }
      handle(
        .control(
          .received(send.message, from: peer(to, index), isDatagram: send.isDatagram)), at: to)
      isQuiet = false
    }
    return isQuiet
  }

  /// Lets time pass in steps of a millisecond, calling deadlines as they come.
  mutating func advance(milliseconds: UInt64) {
    for _ in 0..<milliseconds {
      now = now + .milliseconds(1)
      var hasWork = false
      for index in machines.indices {
        if let due = machines[index].nextDeadline, due <= now {
          handle(.deadline, at: index)
          hasWork = true
        }
      }
      if hasWork { pump() }
    }
  }

  /// Lets time pass until somebody leads and can take commands; who it is.
  mutating func elect() throws -> Int {
    for _ in 0..<200 {
      let leaders = machines.indices.filter {
        !isolated.contains($0) && machines[$0].control.raft.isTermEstablished
      }
      if let leader = leaders.max(by: {
        machines[$0].control.raft.term < machines[$1].control.raft.term
      }) {
        return leader
      }
      advance(milliseconds: 20)
    }
    return try #require(nil as Int?, "nobody was elected")
  }

  mutating func submit(
    _ request: UInt64, _ operation: ControlOperation, at index: Int, patience: UInt64 = 2_000
  ) {
    handle(
      .control(
        .submit(
          ControlRequestID(request), operation, name: nil,
          deadline: now + .milliseconds(patience))), at: index)
    pump()
  }

  mutating func read(
    _ request: UInt64, _ query: ControlQuery, _ level: ControlReadLevel, at index: Int,
    patience: UInt64 = 2_000
  ) {
    handle(
      .control(
        .read(
          ControlRequestID(request), query, level, deadline: now + .milliseconds(patience))),
      at: index)
    pump()
  }

  static func put(_ key: String, _ value: String) throws -> ControlOperation {
    .put(key: try #require(ControlName(key)), value: Array(value.utf8))
  }

  /// The value that a reply shows.
  func value(_ request: UInt64) -> String? {
    guard case .answer(let answer, _) = replies[request],
      case .entry(let entry?) = answer.content
    else { return nil }
    return String(decoding: entry.value, as: UTF8.self)
  }
}
