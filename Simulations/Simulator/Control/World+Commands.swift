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
  /// How long after its deadline a client goes on without the answer.
  private static let clientPatience = TimeSpan.milliseconds(200)

  func planCommands() {
    for client in commands.clients.indices {
      queue.add(.command(client), at: .origin + .milliseconds(200) + commands.pause())
    }
  }

  /// A client does its next operation through a node that runs.
  func command(_ client: Int) {
    guard !isHealing, commands.clients[client].open == nil else { return }
    let step = commands.next(client)
    let alive = nodes.indices.filter {
      nodes[$0].isAlive && !nodes[$0].isEdge && !removed.contains($0)
    }
    guard !alive.isEmpty else {
      queue.add(.command(client), at: now + .milliseconds(50))
      return
    }
    let home = commands.clients[client].home
    let isFaithful = step.choice >> 32 % 4 > 0
    let picked = alive[Int(step.choice % UInt64(alive.count))]
    let node = isFaithful ? alive.first { $0 == home } ?? picked : picked
    if case .watch(let after) = step.action {
      watch(client, after: after, at: node)
      queue.add(.command(client), at: now + commands.pause())
      return
    }
    ask(client, step, at: node)
  }

  private func ask(_ client: Int, _ step: CommandClients.Step, at node: Int) {
    let request = commands.makeRequest()
    let name = commands.name(client, step.key)
    let deadline = now + step.patience
    var ticket: History.Ticket?
    if let operation = step.action.operation {
      ticket = commands.history.begin(
        client: UInt64(client), key: name, operation: operation, at: now.nanoseconds)
      // What no record explains must not be done.
      guard ticket != nil else { return }
    }
    guard let key = ControlName(name) else { preconditionFailure("'\(name)' is no name") }
    var event = step.action.event(request, key, deadline: deadline)
    if options.mutant == .leaseReads, nodes[node].withMachine({ $0.control.raft.isLeader }) == true,
      case .read(_, let query, _, _) = event
    {
      event = .read(request, query, .local, deadline: deadline)
    }
    commands.clients[client].open = CommandClients.Open(
      request: request, node: node, life: nodes[node].life, key: step.key, ticket: ticket,
      deadline: deadline, calledAt: now)
    note { "client \(client) asks node \(node + 1): \(step.action) of \(name)" }
    queue.add(.commandGivenUp(client, request), at: deadline + World.clientPatience)
    give(.control(event), to: node)
  }

  /// A node told a client how its request ended.
  func take(_ reply: ControlReply, of request: ControlRequestID, at index: Int) {
    audit.mix(0xe5, request.value, UInt64(index))
    if let place = operators.firstIndex(of: request) {
      operators.remove(at: place)
      return
    }
    if let open = commands.abandoned[request] {
      commands.abandoned[request] = nil
      checkAnswer(to: open, from: index)
      return
    }
    let place = commands.clients.firstIndex { $0.open?.request == request }
    guard let client = place, let open = commands.clients[client].open else {
      report(.requestsAreAnsweredOnce, index, "request \(request.value) is answered again")
      return
    }
    checkAnswer(to: open, from: index)
    note { "node \(index + 1) answers client \(client): \(reply)" }
    noteLease(reply, open, client)
    end(open, of: client, World.result(of: reply))
  }

  private func checkAnswer(to open: CommandClients.Open, from index: Int) {
    if open.node != index || open.life != nodes[index].life {
      report(.requestsAreAnsweredOnce, index, "request \(open.request.value) is another node's")
    }
    // A process that stood still has until it can run again.
    if now > max(open.deadline, nodes[index].pausedUntil) + World.lateness {
      report(.requestsAreAnsweredOnce, index, "request \(open.request.value) is answered late")
    }
  }

  private func end(_ open: CommandClients.Open, of client: Int, _ result: HistoryResult) {
    let isAnswered = result != .unknown && result != .refused
    commands.clients[client].home = isAnswered ? open.node : nil
    remember(result, client, open.key)
    if let ticket = open.ticket {
      commands.history.answer(ticket, result, at: now.nanoseconds)
    }
    noteCommandEnd(result)
    commands.clients[client].open = nil
    if !isHealing { queue.add(.command(client), at: now + commands.pause()) }
  }

  /// A client has waited long enough and goes on; the node still owes the answer.
  func giveUpCommand(_ client: Int, _ request: ControlRequestID) {
    guard let open = commands.clients[client].open, open.request == request else { return }
    commands.abandoned[request] = open
    end(open, of: client, .unknown)
  }

  private func remember(_ result: HistoryResult, _ client: Int, _ key: Int) {
    switch result {
    case .written(let version), .value(_, let version), .conflict(let version):
      commands.clients[client].versions[key] = version
    case .absent, .deleted: commands.clients[client].versions[key] = 0
    case .acquired(let token): commands.clients[client].hold = (key, token)
    case .released, .lost: commands.clients[client].hold = nil
    case .unknown, .refused, .held, .observed: break
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
      case .lockHeld(let token): return .acquired(token: token)
      case .lockReleased: return .released
      case .refused(let refusal): return World.result(of: refusal)
      case .leaseGranted, .leaseRenewed, .leaseEnded, .lockQueued, .waitCancelled,
        .memberChanged, .settingChanged:
        return .refused
      }
    }
  }

  private static func result(of refusal: ControlRefusal) -> HistoryResult {
    switch refusal {
    case .conditionFailed(let version): .conflict(version: version)
    case .lockTaken: .held
    case .notHolder, .staleToken: .lost
    // An earlier copy may have been carried out.
    case .stale, .sessionExpired: .unknown
    case .storeFull, .leaseUnknown, .leaseOutOfRange, .tooManyLeases, .leaseFull,
      .tooManyWaiters, .memberRemoved, .tooManyMembers, .lastVoter, .settingOutOfRange,
      .idempotencyReused, .tooManyUnacknowledged:
      .refused
    }
  }

  /// A crash ends what its node had not answered: the outcome is not known, and the client turns to
  /// another node.
  func cutOffCommands(at index: Int) {
    for entry in commands.abandoned.entries where entry.value.node == index {
      commands.abandoned[entry.key] = nil
    }
    for client in commands.clients.indices {
      guard let open = commands.clients[client].open, open.node == index else { continue }
      end(open, of: client, .unknown)
    }
  }
}

extension CommandAction {
  /// The request that a node is given.
  func event(_ request: ControlRequestID, _ key: ControlName, deadline: Instant)
    -> ControlPlaneEvent
  {
    func submit(_ operation: ControlOperation) -> ControlPlaneEvent {
      .submit(request, operation, name: nil, deadline: deadline)
    }
    switch self {
    case .register(.put(let value)):
      return submit(.put(key: key, value: Array(value.utf8)))
    case .register(.compareAndSet(let expected, let value)):
      let condition: ControlCondition = expected == 0 ? .mustBeAbsent : .version(expected)
      return submit(.put(key: key, value: Array(value.utf8), condition: condition))
    case .register(.delete(let expected)):
      return submit(.delete(key: key, version: expected))
    case .register(.get), .register(.lock), .register(.unlock), .register(.watch), .watch:
      return .read(request, .get(key: key), .linearizable, deadline: deadline)
    case .grant: return submit(.grantLease(ttlMilliseconds: CommandClients.leaseMilliseconds))
    case .renew(let lease): return submit(.renewLease(lease))
    case .lock(let lease): return submit(.acquireLock(name: key, lease: lease, wait: false))
    case .unlock(let lease, let token):
      return submit(.releaseLock(name: key, lease: lease, token: token))
    }
  }
}
