internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// Routes about locks.
extension AgentAPI {
  static let lockRoutes: [Route] = [
    Route(
      .post, [.literal("v1"), .literal("locks"), .rest("name")], "acquireLock",
      "Takes a lock, waiting for it if asked.", access: .agentOrOperator,
      body: ObjectRule(
        "LockRequest",
        [
          FieldRule(
            "lease", .integer(1...Int64.max), isRequired: true, "The lease that is to hold it."),
          FieldRule(
            "waitMilliseconds", .integer(0...60_000), fallback: "0",
            "How long to wait in line while another lease holds it."),
        ]), control: .write, successes: [(200, .json(Shapes.lockHeld))],
      problems: [.lockTaken, .limitReached]
    ) { api, exchange throws(APIProblem) in try api.acquireLock(exchange) },
    Route(
      .delete, [.literal("v1"), .literal("locks"), .rest("name")], "releaseLock",
      "Gives a lock back.", access: .agentOrOperator,
      query: [
        FieldRule("lease", .integer(1...Int64.max), isRequired: true, "The lease that holds it."),
        FieldRule(
          "token", .integer(1...Int64.max), "The token with which it is held, as a safeguard."),
      ], control: .write, successes: [(200, .json(Shapes.lockReleased))], problems: [.notHolder]
    ) { api, exchange throws(APIProblem) in try api.releaseLock(exchange) },
    Route(
      .get, [.literal("v1"), .literal("locks"), .rest("name")], "getLock",
      "Says who holds a lock and who waits for it.", access: .agentOrOperator, control: .read,
      successes: [(200, .json(Shapes.lock))]
    ) { api, exchange throws(APIProblem) in try api.getLock(exchange) },
    Route(
      .get, [.literal("v1"), .literal("locks")], "listLocks",
      "Lists the locks that are held, in the order of their names' bytes.",
      access: .agentOrOperator, query: listRules, control: .read,
      successes: [(200, .json(Shapes.locks))]
    ) { api, exchange throws(APIProblem) in try api.listLocks(exchange) },
  ]

  private func releaseLock(_ exchange: Exchange) throws(APIProblem) {
    let name = try exchange.name(2)
    let lease = try AgentAPI.lease(exchange.query.integer("lease"))
    let token = exchange.query.integer("token").map { UInt64($0) }
    order(.releaseLock(name: name, lease: lease, token: token), for: exchange) { writer, _ in
      writer.key("lock")
      writer.string(name.text)
      writer.key("lease")
      writer.unsigned(lease.value)
      writer.key("released")
      writer.bool(true)
    }
  }

  private func getLock(_ exchange: Exchange) throws(APIProblem) {
    let name = try exchange.name(2)
    query(.lock(name: name), exchange.control.level, for: exchange) {
      [unowned self] answer, freshness throws(APIProblem) in
      guard case .lock(let lock) = answer.content else {
        preconditionFailure("a lock was asked for")
      }
      guard let lock else { throw absent("nobody holds the lock", exchange, answer, freshness) }
      finish(exchange, answer, freshness) { $0.writeMembers(of: lock) }
    }
  }

  private func listLocks(_ exchange: Exchange) throws(APIProblem) {
    let list = try NameList(exchange)
    query(
      .locks(prefix: list.prefix, after: list.after, limit: list.limit), exchange.control.level,
      for: exchange
    ) { [unowned self] answer, freshness throws(APIProblem) in
      guard case .locks(let locks, let more) = answer.content else {
        preconditionFailure("locks were asked for")
      }
      finish(exchange, answer, freshness) { writer in
        writer.list("locks", locks, more: more) { $0.writeMembers(of: $1) }
      }
    }
  }

  private static func lease(_ number: Int64?) throws(APIProblem) -> LeaseID {
    guard let lease = number.flatMap({ LeaseID(UInt64($0)) }) else {
      throw APIProblem(field: "lease", rule: "required", "is required")
    }
    return lease
  }

  // MARK: Taking a lock

  /// A request for a lock, whose wait may have begun.
  private struct Claim {
    let name: ControlName
    let lease: LeaseID
    let exchange: Exchange
  }

  private func acquireLock(_ exchange: Exchange) throws(APIProblem) {
    let claim = Claim(
      name: try exchange.name(2), lease: try AgentAPI.lease(exchange.body.integer("lease")),
      exchange: exchange)
    let wait = UInt64(exchange.body.integer("waitMilliseconds") ?? 0)
    order(
      .acquireLock(name: claim.name, lease: claim.lease, wait: wait > 0), for: exchange
    ) { [unowned self] result throws(APIProblem) in
      switch result.outcome {
      case .lockHeld(let token): finish(claim, holding: token, revision: result.revision)
      case .lockQueued: queue(claim, until: exchange.start + .milliseconds(wait))
      case .put, .deleted, .leaseGranted, .leaseRenewed, .leaseEnded, .lockReleased,
        .waitCancelled, .memberChanged, .settingChanged, .unchanged, .refused:
        preconditionFailure("a lock's request came to \(result.outcome)")
      }
    }
  }

  private func finish(_ claim: Claim, holding token: UInt64, revision: UInt64) {
    finish(
      claim.exchange,
      json { writer in
        writer.beginObject()
        writer.key("lock")
        writer.string(claim.name.text)
        writer.key("lease")
        writer.unsigned(claim.lease.value)
        writer.key("token")
        writer.unsigned(token)
        writer.key("revision")
        writer.unsigned(revision)
        writer.key("consistency")
        writer.string("ordered")
        writer.endObject()
      })
  }

  /// Waits in line. What ended before this began, as when the command was sent again and an
  /// earlier copy had been applied long ago, is found by looking.
  private func queue(_ claim: Claim, until deadline: Instant) {
    let wait = hub.awaitLock(
      claim.name, claim.lease, until: deadline,
      check: { [unowned self] wait in look(after: wait, claim) },
      ended: { [unowned self] end in
        switch end {
        case .held(let token): finish(claim, holding: token, revision: token)
        case .gone: explain(claim)
        case .timedOut: giveUp(claim)
        }
      })
    look(after: wait, claim)
  }

  /// Asks this node's state whether a wait is over.
  private func look(after wait: UInt64, _ claim: Claim) {
    backend.request {
      .read($0, .lock(name: claim.name), .local, deadline: backend.now)
    } completion: { [unowned self] reply in
      guard case .answer(let answer, _) = reply, case .lock(let lock) = answer.content else {
        return
      }
      if let lock, lock.holder == claim.lease {
        hub.endWait(wait, .held(token: lock.token))
      } else if lock?.waiters.contains(claim.lease) != true {
        hub.endWait(wait, .gone)
      }
    }
  }

  /// The wait is over without the lock: leaves the line, unless the lock came in the meantime.
  private func giveUp(_ claim: Claim) {
    let timeout = UInt64(claim.exchange.query.integer("timeout") ?? 5_000)
    let deadline = backend.now + .milliseconds(timeout)
    backend.request {
      .submit($0, .cancelWait(name: claim.name, lease: claim.lease), name: nil, deadline: deadline)
    } completion: { [unowned self] reply in
      // The lease may still wait when the log did not take this: nobody knows what comes of it.
      guard case .result(let result) = reply, !result.isRefused else {
        return finish(claim.exchange, AgentAPI.outcomeUnknown())
      }
      if case .lockHeld(let token) = result.outcome {
        finish(claim, holding: token, revision: result.revision)
      } else {
        explain(claim)
      }
    }
  }

  /// Says who holds a lock that was not granted, or that the lease that waited is gone.
  private func explain(_ claim: Claim) {
    read(.lease(claim.lease)) { [unowned self] lease in
      if case .lease(nil)? = lease {
        let problem = AgentAPI.problem(for: .leaseUnknown, revision: backend.controlRevision)
        return finish(claim.exchange, problem)
      }
      read(.lock(name: claim.name)) { [unowned self] content in
        var lock: ControlLock?
        if case .lock(let found)? = content { lock = found }
        // A request of the same lease that was not this one may have got it.
        if let lock, lock.holder == claim.lease {
          return finish(claim, holding: lock.token, revision: backend.controlRevision)
        }
        var problem = AgentAPI.lockTaken(lock?.holder, lock?.token)
        problem.add("consistency") { $0.string("ordered") }
        finish(claim.exchange, problem)
      }
    }
  }

  private func read(
    _ query: ControlQuery, _ found: @escaping (ControlAnswer.Content?) -> Void
  ) {
    backend.request {
      .read($0, query, .local, deadline: backend.now)
    } completion: { reply in
      if case .answer(let answer, _) = reply { found(answer.content) } else { found(nil) }
    }
  }
}

extension JSONWriter {
  mutating func writeMembers(of lock: ControlLock) {
    key("lock")
    string(lock.name.text)
    key("holder")
    unsigned(lock.holder.value)
    key("token")
    unsigned(lock.token)
    key("waiters")
    beginArray()
    for waiter in lock.waiters { unsigned(waiter.value) }
    endArray()
  }
}
