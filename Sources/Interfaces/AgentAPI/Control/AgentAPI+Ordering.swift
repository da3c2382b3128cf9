internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// The ways from a request to the control plane and back.
extension AgentAPI {
  /// Orders a command and hands its result, which is no refusal, to `done`; what that throws
  /// becomes the answer.
  func order(
    _ operation: ControlOperation, for exchange: Exchange,
    done: @escaping (ControlResult) throws(APIProblem) -> Void
  ) {
    guard exchange.park() else { return }
    backend.request {
      .submit(
        $0, operation, name: exchange.control.name, deadline: exchange.control.deadline)
    } completion: { [unowned self] reply in
      do throws(APIProblem) {
        try done(try AgentAPI.result(of: reply))
      } catch {
        finish(exchange, error)
      }
    }
  }

  /// Orders a command and answers with the JSON that `write` makes of its result.
  func order(
    _ operation: ControlOperation, for exchange: Exchange, status: Int = 200,
    write: @escaping (inout JSONWriter, ControlResult) -> Void
  ) {
    order(operation, for: exchange) { [unowned self] result throws(APIProblem) in
      finish(
        exchange,
        json(status) { writer in
          writer.beginObject()
          write(&writer, result)
          writer.key("revision")
          writer.unsigned(result.revision)
          writer.key("consistency")
          writer.string("ordered")
          writer.endObject()
        })
    }
  }

  /// Asks the control state, and hands the answer to `found`; what that throws becomes the answer.
  func query(
    _ query: ControlQuery, _ level: ControlReadLevel, for exchange: Exchange,
    found: @escaping (ControlAnswer, ControlFreshness) throws(APIProblem) -> Void
  ) {
    guard exchange.park() else { return }
    backend.request {
      .read($0, query, level, deadline: exchange.control.deadline)
    } completion: { [unowned self] reply in
      do throws(APIProblem) {
        guard case .answer(let answer, let freshness) = reply else {
          var problem = AgentAPI.problem(for: reply)
          if case .after(let revision) = level, case .unavailable = reply {
            problem.detail = "this node did not come to revision \(revision) in time; try again"
          }
          throw problem
        }
        try found(answer, freshness)
      } catch {
        finish(exchange, error)
      }
    }
  }

  /// Answers with the JSON that `write` makes of an answer, and how fresh it is.
  func finish(
    _ exchange: Exchange, _ answer: ControlAnswer, _ freshness: ControlFreshness,
    write: (inout JSONWriter) -> Void
  ) {
    finish(
      exchange,
      json { writer in
        writer.beginObject()
        write(&writer)
        writer.write(answer.revision, freshness, exchange.control.consistency)
        writer.endObject()
      })
  }

  /// The refusal that says that there is no such thing, as of an answer.
  func absent(
    _ detail: String, _ exchange: Exchange, _ answer: ControlAnswer, _ freshness: ControlFreshness
  ) -> APIProblem {
    var problem = APIProblem(.notFound, detail)
    problem.add("revision") { $0.unsigned(answer.revision) }
    problem.add("consistency") { $0.string(exchange.control.consistency) }
    problem.add("staleMilliseconds") { $0.unsignedOrNull(freshness.staleMilliseconds) }
    problem.add("leader") { $0.nodeOrNull(freshness.leader) }
    return problem
  }

  /// The result of a command; throws when it was refused or there is none.
  static func result(of reply: ControlReply) throws(APIProblem) -> ControlResult {
    guard case .result(let result) = reply else { throw problem(for: reply) }
    if case .refused(let refusal) = result.outcome {
      throw problem(for: refusal, revision: result.revision)
    }
    return result
  }

  // MARK: Refusals

  /// The refusal of a request that has no result and no answer.
  static func problem(for reply: ControlReply) -> APIProblem {
    switch reply {
    case .result, .answer: preconditionFailure("a request was answered as another kind: \(reply)")
    case .unknown: return outcomeUnknown()
    case .unavailable(let leader):
      let known = leader.map { "the leader was \($0.key.short)" } ?? "no leader is known"
      var problem = APIProblem(
        .noLeader,
        "nothing was done: no answer came from a leader in time (\(known)); try again, or raise"
          + " timeout", headers: [HTTPField("Retry-After", "1")])
      problem.add("leader") { $0.nodeOrNull(leader) }
      problem.add("consistency") { $0.string("none") }
      return problem
    case .overloaded:
      var problem = overloaded(1, "requests to the control state")
      problem.add("consistency") { $0.string("none") }
      return problem
    }
  }

  /// The refusal that says neither yes nor no (A3).
  static func outcomeUnknown() -> APIProblem {
    var problem = APIProblem(
      .outcomeUnknown,
      "the command may have been carried out or may yet be; repeat it with the same"
        + " Idempotency-Key, which does nothing twice, or read what is there")
    problem.add("consistency") { $0.string("unknown") }
    return problem
  }

  /// What the state refused, as of a revision.
  static func problem(for refusal: ControlRefusal, revision: UInt64) -> APIProblem {
    var problem = bareProblem(for: refusal)
    guard problem.kind != .outcomeUnknown else { return problem }
    problem.add("revision") { $0.unsigned(revision) }
    problem.add("consistency") { $0.string("ordered") }
    return problem
  }

  private static func bareProblem(for refusal: ControlRefusal) -> APIProblem {
    switch refusal {
    case .conditionFailed(let version):
      var problem = APIProblem(
        .versionConflict,
        version == 0 ? "there is no such key" : "the key's version is \(version)")
      problem.add("version") { $0.unsigned(version) }
      return problem
    case .lockTaken(let holder, let token): return lockTaken(holder, token)
    case .leaseUnknown:
      return APIProblem(.notFound, "there is no such lease, or no more: grant a new one")
    case .notHolder: return APIProblem(.notHolder, "the lease does not hold the lock")
    case .staleToken(let token):
      var problem = APIProblem(.notHolder, "the lock is held with the token \(token)")
      problem.add("token") { $0.unsigned(token) }
      return problem
    case .memberRemoved:
      return APIProblem(
        .memberRemoved, "the member was removed: POST /v1/members/{nodeId}/restore lets it return")
    case .lastVoter:
      return APIProblem(.lastVoter, "let another node vote first")
    case .leaseOutOfRange, .settingOutOfRange:
      return APIProblem(field: "body", rule: "range", "holds a number that is out of range")
    case .idempotencyReused:
      return APIProblem(
        .idempotencyMismatch,
        "the Idempotency-Key was used for another command; repeat that one or take a new key")
    case .stale, .sessionExpired: return outcomeUnknown()
    case .storeFull, .tooManyLeases, .leaseFull, .tooManyWaiters, .tooManyMembers,
      .tooManyUnacknowledged:
      return limitReached(refusal)
    }
  }

  private static func limitReached(_ refusal: ControlRefusal) -> APIProblem {
    let what =
      switch refusal {
      case .storeFull: "keys, values and locks take all their room: delete some"
      case .tooManyLeases: "there are as many leases as there may be"
      case .leaseFull: "the lease has as many keys and locks as it may have: grant another one"
      case .tooManyWaiters: "as many leases wait for locks as may"
      case .tooManyMembers: "there are as many members as there may be"
      case .tooManyUnacknowledged: "too many commands of this node are under way"
      case .conditionFailed, .lockTaken, .leaseUnknown, .notHolder, .staleToken, .memberRemoved,
        .lastVoter, .leaseOutOfRange, .settingOutOfRange, .idempotencyReused, .stale,
        .sessionExpired:
        preconditionFailure("\(refusal) is no bound")
      }
    return APIProblem(.limitReached, what)
  }

  /// The refusal that names who holds a lock.
  static func lockTaken(_ holder: LeaseID?, _ token: UInt64?) -> APIProblem {
    let who = holder.map { "the lease \($0) holds the lock" } ?? "the lock was not granted"
    var problem = APIProblem(.lockTaken, who + "; wait with waitMilliseconds, or try again")
    problem.add("holder") { $0.unsignedOrNull(holder?.value) }
    problem.add("token") { $0.unsignedOrNull(token) }
    return problem
  }
}

extension APIProblem {
  /// Adds a member.
  mutating func add(_ key: String, _ value: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(capacity: 80)
    value(&writer)
    members.append((key, writer.bytes))
  }
}

extension JSONWriter {
  /// Writes how fresh an answer is.
  mutating func write(_ revision: UInt64, _ freshness: ControlFreshness, _ consistency: String) {
    key("revision")
    unsigned(revision)
    key("consistency")
    string(consistency)
    key("staleMilliseconds")
    unsignedOrNull(freshness.staleMilliseconds)
    key("leader")
    nodeOrNull(freshness.leader)
  }

  mutating func unsignedOrNull(_ number: UInt64?) {
    if let number { unsigned(number) } else { null() }
  }

  mutating func nodeOrNull(_ node: NodeID?) {
    if let node { string(node.key.hexadecimal) } else { null() }
  }

  /// Writes a value: as text when it is UTF-8, else in base 64.
  mutating func writeValue(_ value: [UInt8]) {
    if let text = String(validating: value, as: UTF8.self) {
      key("value")
      string(text)
    } else {
      key("valueBase64")
      string(Base64.text(value))
    }
  }
}
