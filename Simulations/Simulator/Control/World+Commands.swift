internal import ControlCore
internal import CoreKit
internal import Histories
internal import NodeCore
internal import Primitives
internal import RaftCore

/// The clients of the control state.
extension World {
  /// How long after its deadline a request may still be unanswered.
  private static let lateness = TimeSpan.seconds(1)

  func planCommands() {
    for client in commands.clients.indices {
      queue.add(.command(client), at: .origin + .milliseconds(200) + commands.pause())
    }
  }

  /// A client does its next operation through a node that runs.
  func command(_ client: Int) {
    guard !isHealing, commands.clients[client].open == nil else { return }
    let step = commands.next(client)
    let alive = nodes.indices.filter { nodes[$0].isAlive && !nodes[$0].isEdge }
    guard !alive.isEmpty else {
      queue.add(.command(client), at: now + .milliseconds(50))
      return
    }
    let node = alive[Int(step.choice % UInt64(alive.count))]
    let request = commands.makeRequest()
    let name = CommandClients.name(ofKey: step.key)
    let deadline = now + step.patience
    let ticket = commands.history.begin(
      client: UInt64(client), key: name, operation: step.operation, at: now.nanoseconds)
    guard let ticket, let key = ControlName(name) else { return }
    var event = World.event(request, key, step.operation, deadline: deadline)
    if options.mutant == .leaseReads, nodes[node].machine?.control.raft.isLeader == true,
      case .read(_, let query, _, _) = event
    {
      event = .read(request, query, .local, deadline: deadline)
    }
    commands.clients[client].open = CommandClients.Open(
      request: request, node: node, life: nodes[node].life, key: step.key, ticket: ticket,
      deadline: deadline)
    note { "client \(client) asks node \(node + 1): \(step.operation) of \(name)" }
    give(.control(event), to: node)
  }

  private static func event(
    _ request: ControlRequestID, _ key: ControlName, _ operation: HistoryOperation,
    deadline: Instant
  ) -> ControlPlaneEvent {
    func submit(_ operation: ControlOperation) -> ControlPlaneEvent {
      .submit(request, operation, name: nil, deadline: deadline)
    }
    switch operation {
    case .put(let value):
      return submit(.put(key: key, value: Array(value.utf8)))
    case .compareAndSet(let expected, let value):
      let condition: ControlCondition = expected == 0 ? .mustBeAbsent : .version(expected)
      return submit(.put(key: key, value: Array(value.utf8), condition: condition))
    case .delete(let expected):
      return submit(.delete(key: key, version: expected))
    case .get, .lock, .unlock, .watch:
      return .read(request, .get(key: key), .linearizable, deadline: deadline)
    }
  }

  /// A node told a client how its request ended.
  func take(_ reply: ControlReply, of request: ControlRequestID, at index: Int) {
    audit.mix(0xe5, request.value, UInt64(index))
    if operators.contains(request) { return }
    let place = commands.clients.firstIndex { $0.open?.request == request }
    guard let client = place, let open = commands.clients[client].open else {
      report(.requestsAreAnsweredOnce, index, "request \(request.value) is answered again")
      return
    }
    if open.node != index || open.life != nodes[index].life {
      report(.requestsAreAnsweredOnce, index, "request \(request.value) is another node's")
    }
    if now > max(open.deadline, nodes[index].pausedUntil) + World.lateness {
      report(.requestsAreAnsweredOnce, index, "request \(request.value) is answered late")
    }
    let result = World.result(of: reply)
    note { "node \(index + 1) answers client \(client): \(result)" }
    remember(result, client, open.key)
    commands.history.answer(open.ticket, result, at: now.nanoseconds)
    noteCommandEnd(result, at: index)
    commands.clients[client].open = nil
    if !isHealing { queue.add(.command(client), at: now + commands.pause()) }
  }

  private func remember(_ result: HistoryResult, _ client: Int, _ key: Int) {
    switch result {
    case .written(let version), .value(_, let version), .conflict(let version):
      commands.clients[client].versions[key] = version
    case .absent, .deleted: commands.clients[client].versions[key] = 0
    case .unknown, .refused, .acquired, .held, .released, .lost, .observed: break
    }
  }

  private static func result(of reply: ControlReply) -> HistoryResult {
    switch reply {
    case .unknown: return .unknown
    case .unavailable, .overloaded: return .refused
    case .answer(let answer, _):
      guard case .entry(let entry) = answer.content else { return .refused }
      guard let entry else { return .absent }
      return .value(String(decoding: entry.value, as: UTF8.self), version: entry.version)
    case .result(let result):
      switch result.outcome {
      case .put: return .written(version: result.revision)
      case .deleted: return .deleted(version: result.revision)
      case .unchanged: return .absent
      case .refused(.conditionFailed(let version)): return .conflict(version: version)
      case .refused, .leaseGranted, .leaseRenewed, .leaseEnded, .lockHeld, .lockQueued,
        .lockReleased, .waitCancelled, .memberChanged, .settingChanged:
        return .refused
      }
    }
  }

  /// A crash ends what its node had not answered: the outcome is not known, and the client turns to
  /// another node.
  func cutOffCommands(at index: Int) {
    for client in commands.clients.indices {
      guard let open = commands.clients[client].open, open.node == index else { continue }
      commands.history.answer(open.ticket, .unknown, at: now.nanoseconds)
      commands.clients[client].open = nil
      if !isHealing { queue.add(.command(client), at: now + commands.pause()) }
    }
  }
}
