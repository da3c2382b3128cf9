internal import Configuration
internal import Glibc
internal import Primitives
internal import Simulator

/// The processes of a drill and what is done to them.
final class DrillStage {
  /// A thing that happened, for pictures and verdicts.
  struct Mark: Sendable {
    let at: UInt64
    let label: String
    let node: Int?
    /// Whether it takes something away, rather than giving it back.
    let isHarm: Bool
  }

  /// A time in which a node, or the way between nodes, was not as it should be.
  struct Spell: Sendable {
    enum Kind: Equatable, Sendable {
      case down
      case paused
      case divided([[Int]])
    }
    let kind: Kind
    let node: Int
    let start: UInt64
    var end: UInt64?
  }

  private(set) var cluster: LocalCluster
  private(set) var links: LinkFaults
  private(set) var marks: [Mark] = []
  private(set) var spells: [Spell] = []
  /// Nodes whose process is gone on purpose.
  private(set) var down: Set<Int> = []
  private(set) var paused: Set<Int> = []
  private(set) var removed: Set<Int> = []
  /// When what was taken away last was given back.
  private(set) var healedAt: UInt64?
  /// Nodes that were not told yet what stands between them and others.
  private var untold: Set<Int> = []
  private let addresses: [PlainAddress]
  private let nodes: [PlainConnection]
  private let operatorToken: String
  private let seed: UInt64

  init(
    _ cluster: LocalCluster, addresses: [PlainAddress], network: Scenario.Network?, seed: UInt64,
    operatorToken: String
  ) {
    self.cluster = cluster
    self.addresses = addresses
    self.seed = seed
    self.operatorToken = operatorToken
    nodes = addresses.map { PlainConnection($0) }
    links = LinkFaults(nodeCount: addresses.count, network: network)
    untold = Set(addresses.indices)
  }

  var ids: [String] { cluster.file.nodes.map(\.id) }

  /// Nodes that are expected to answer.
  var serving: [Int] {
    addresses.indices.filter {
      !down.contains($0) && !paused.contains($0) && !removed.contains($0)
    }
  }

  // MARK: Faults

  /// The node that leads now, asked of the nodes themselves; `nil` during an election.
  func leader() -> Int? {
    var found: (node: Int, term: Int64)?
    for index in serving {
      guard let view = ControlView.ask(nodes[index], timeoutMilliseconds: 200),
        view.role == "leader"
      else { continue }
      if found.map({ view.term > $0.term }) ?? true { found = (index, view.term) }
    }
    return found?.node
  }

  func kill(_ node: Int, _ fault: Fault) throws {
    guard !down.contains(node) else { return }
    mark(fault, node)
    begin(.down, node)
    try cluster.kill(node + 1)
    down.insert(node)
    paused.remove(node)
  }

  /// Kills a node and removes what it stored.
  func wipe(_ node: Int, _ fault: Fault) throws {
    try kill(node, fault)
    try TemporaryDirectory.remove(Files.resolve("data", in: try cluster.node(node + 1).dir))
  }

  func start(_ node: Int) throws {
    guard down.contains(node) else { return }
    try cluster.start([node + 1])
    down.remove(node)
    untold.insert(node)
    end(.down, node)
    restored()
  }

  func pause(_ node: Int, _ fault: Fault) throws {
    guard !down.contains(node), !paused.contains(node) else { return }
    mark(fault, node)
    begin(.paused, node)
    try cluster.process(node + 1).send(SIGSTOP)
    paused.insert(node)
  }

  func resume(_ node: Int) throws {
    guard paused.remove(node) != nil else { return }
    try cluster.process(node + 1).send(SIGCONT)
    end(.paused, node)
    restored()
  }

  /// Changes what stands between nodes.
  func change(_ fault: Fault, node: Int? = nil, _ body: (inout LinkFaults) -> Void) {
    mark(fault, node)
    change(body)
  }

  func release(from: Int, to: Int) {
    change { $0.release(from: from, to: to) }
    restored()
  }

  func heal() {
    mark(.heal, nil)
    change { $0.heal() }
    restored()
  }

  private func change(_ body: (inout LinkFaults) -> Void) {
    let before = links
    body(&links)
    if before.groups != links.groups {
      if !before.groups.isEmpty { end(.divided(before.groups), 0) }
      if !links.groups.isEmpty { begin(.divided(links.groups), 0) }
    }
    for node in addresses.indices where before.links(of: node) != links.links(of: node) {
      untold.insert(node)
    }
    tellNodes()
  }

  /// Tells nodes what stands between them and others, those that can be told.
  ///
  /// A node that is starting has no socket yet; it is told when it has, and until then the other
  /// ends of its links do what is asked.
  func tellNodes() {
    for node in untold.sorted() where !down.contains(node) && !paused.contains(node) {
      let line = NodeOrders.faults(links.links(of: node), ids: ids, seed: seed + UInt64(node))
      do {
        try NodeOrders.send(line, to: cluster.file.nodes[node])
        untold.remove(node)
      } catch {
        continue
      }
    }
  }

  /// Whether every node that runs knows what stands between it and others.
  var isTold: Bool { untold.allSatisfy { down.contains($0) || paused.contains($0) } }

  // MARK: Orders

  /// Has the leader hand over.
  func transfer(_ fault: Fault) throws {
    guard let leader = leader() else { throw DrillError("nobody leads who could hand over") }
    mark(fault, leader)
    try NodeOrders.send(NodeOrders.transfer(to: nil), to: cluster.file.nodes[leader])
  }

  func setRole(_ node: Int, _ role: String, _ fault: Fault) throws {
    mark(fault, node)
    let body = Array("{\"role\":\"\(role)\"}".utf8)
    try operate("PUT", "/v1/members/\(ids[node])/role", body)
  }

  func remove(_ node: Int, _ fault: Fault) throws {
    mark(fault, node)
    try operate("DELETE", "/v1/members/\(ids[node])", [])
    removed.insert(node)
  }

  /// An operator's request at any node that serves.
  private func operate(_ method: String, _ path: String, _ body: [UInt8]) throws {
    var last = "no node serves"
    for _ in 0..<50 {
      for node in serving {
        do throws(PlainConnection.Failure) {
          let answer = try nodes[node].send(
            PlainRequest(method, path, token: operatorToken, body: body),
            timeoutMilliseconds: 6_000)
          if answer.status == 200 { return }
          last = "\(answer.status): \(String(decoding: answer.body.prefix(200), as: UTF8.self))"
          guard answer.status >= 500 else { throw PlainConnection.Failure.malformed(last) }
        } catch {
          if case .malformed(let text) = error {
            throw DrillError("\(method) \(path) was answered \(text)")
          }
        }
      }
      DrillClient.pause(milliseconds: 20)
    }
    throw DrillError("\(method) \(path) could not be done: \(last)")
  }

  // MARK: Books

  private func mark(_ fault: Fault, _ node: Int?) {
    let isHarm: Bool
    switch fault {
    case .heal, .start, .setRole, .remove, .transfer: isHarm = false
    case .partition, .isolate, .isolateLeader, .isolateFollower, .crashLeader, .pauseLeader,
      .wipeLeader, .cutLeader, .clogLeader, .wipe, .damage, .failSync, .cut, .clog, .crash,
      .crashFor, .pause, .slowDisk, .clockJump, .equivocate, .forge:
      isHarm = true
    }
    marks.append(
      Mark(
        at: BenchClock.nanoseconds, label: ScenarioPlan.label(of: fault, at: node), node: node,
        isHarm: isHarm))
  }

  private func restored() { healedAt = BenchClock.nanoseconds }

  private func begin(_ kind: Spell.Kind, _ node: Int) {
    spells.append(Spell(kind: kind, node: node, start: BenchClock.nanoseconds, end: nil))
  }

  private func end(_ kind: Spell.Kind, _ node: Int) {
    let open = spells.lastIndex { $0.kind == kind && $0.node == node && $0.end == nil }
    if let open { spells[open].end = BenchClock.nanoseconds }
  }

  /// Ends the processes: in good order, or at once.
  func endProcesses(atOnce: Bool) throws -> [Int] {
    for node in paused { try cluster.process(node + 1).send(SIGCONT) }
    guard atOnce else { return try cluster.stop(cluster.running) }
    for index in cluster.running { try cluster.kill(index) }
    return []
  }
}
