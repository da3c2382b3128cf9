import ControlCore
import Primitives
import Records

/// The control state's rules in their plainest form: lists and tables that are searched and rebuilt
/// from end to end, without any index, count or bookkeeping of the state under test.
struct PlainState {
  struct Key {
    var name: [UInt8]
    var value: [UInt8]
    var version: UInt64
    var created: UInt64
    var lease: UInt64
  }

  struct Lease {
    var ttl: UInt32
    var renewals: UInt64
  }

  struct Lock {
    var name: [UInt8]
    var token: UInt64
    /// The holder, then who waits.
    var queue: [UInt64]
  }

  struct Session {
    var lastUsed: UInt64
    var acknowledged: UInt64
    var results: [UInt64: ControlResult] = [:]
  }

  let bounds: ControlBounds
  var revision: UInt64 = 0
  var keys: [Key] = []
  var leases: [UInt64: Lease] = [:]
  var locks: [Lock] = []
  var roles: [NodeID: ControlRole?] = [:]
  var settings: [ControlSetting: UInt64] = [:]
  var sessions: [UInt64: Session] = [:]
  var forgotten: UInt64 = 0
  var names: [(name: Identifier<ControlIdempotency>, ControlOperation, ControlResult)] = []
  /// Everything that ever happened.
  var events: [ControlEventRecord] = []

  init(bounds: ControlBounds) {
    self.bounds = bounds
  }

  var bytes: Int {
    keys.map { $0.name.count + $0.value.count }.reduce(0, +) + locks.map(\.name.count).reduce(0, +)
  }

  /// Keys of a lease and locks in whose queue it is.
  func attachments(_ lease: UInt64) -> Int {
    keys.count { $0.lease == lease } + locks.count { $0.queue.contains(lease) }
  }

  mutating func apply(_ command: ControlCommand, index: UInt64) -> ControlResult {
    let number = command.session.number
    if number == 0 { return decide(command) }
    if sessions[number] == nil {
      if command.session.openedAt < forgotten { return refused(.sessionExpired) }
      sessions[number] = Session(lastUsed: index, acknowledged: command.acknowledgedBelow)
      if sessions.count > bounds.sessions { forgetOldest(but: number) }
    }
    guard var session = sessions[number] else { preconditionFailure("session \(number)") }
    session.lastUsed = index
    session.acknowledged = max(session.acknowledged, command.acknowledgedBelow)
    session.results = session.results.filter { $0.key >= session.acknowledged }
    sessions[number] = session
    if command.sequence < session.acknowledged { return refused(.stale) }
    if let result = session.results[command.sequence] { return result }
    if session.results.count == bounds.resultsPerSession { return refused(.tooManyUnacknowledged) }
    let result = decide(command)
    sessions[number]?.results[command.sequence] = result
    while sessions.values.map(\.results.count).reduce(0, +) > bounds.results {
      forgetOldest(but: number)
    }
    return result
  }

  private mutating func forgetOldest(but number: UInt64) {
    let oldest = sessions.filter { $0.key != number }.min { $0.value.lastUsed < $1.value.lastUsed }
    guard let oldest else { return }
    sessions[oldest.key] = nil
    forgotten = max(forgotten, oldest.value.lastUsed)
  }

  private mutating func decide(_ command: ControlCommand) -> ControlResult {
    if let name = command.idempotency, let known = names.first(where: { $0.name == name }) {
      return known.1 == command.operation ? known.2 : refused(.idempotencyReused)
    }
    let outcome = carryOut(command.operation)
    let result = ControlResult(revision: revision, outcome: outcome)
    if let name = command.idempotency {
      names.append((name, command.operation, result))
      if names.count > bounds.idempotencyNames { names.removeFirst() }
    }
    return result
  }

  private func refused(_ refusal: ControlRefusal) -> ControlResult {
    ControlResult(revision: revision, outcome: .refused(refusal))
  }

  mutating func happened(_ event: ControlEvent) {
    events.append(ControlEventRecord(revision: revision, event: event))
  }

  private mutating func carryOut(_ operation: ControlOperation) -> ControlOutcome {
    switch operation {
    case .put(let key, let value, let condition, let lease):
      put(key, value, condition, lease?.value ?? 0)
    case .delete(let key, let version): delete(key, version)
    case .grantLease(let ttl): grant(ttl)
    case .renewLease(let lease): renew(lease)
    case .revokeLease(let lease): end(lease, expired: false)
    case .expireLease(let lease, let renewals):
      leases[lease.value]?.renewals == renewals ? end(lease, expired: true) : .unchanged
    case .acquireLock(let name, let lease, let wait): acquire(name, lease, wait)
    case .cancelWait(let name, let lease): cancel(name, lease)
    case .releaseLock(let name, let lease, let token): release(name, lease, token)
    case .setMember(let node, let role): member(node, role, isRestored: false)
    case .restoreMember(let node, let role): member(node, role, isRestored: true)
    case .removeMember(let node): member(node, nil, isRestored: true)
    case .setSetting(let setting, let value): set(setting, value)
    }
  }

  private mutating func put(
    _ key: ControlName, _ value: [UInt8], _ condition: ControlCondition, _ lease: UInt64
  ) -> ControlOutcome {
    let old = keys.first { $0.name == key.bytes }
    let version = old?.version ?? 0
    switch condition {
    case .none: break
    case .mustBeAbsent: if version != 0 { return .refused(.conditionFailed(version: version)) }
    case .version(let wanted):
      if version != wanted { return .refused(.conditionFailed(version: version)) }
    }
    if lease != 0, leases[lease] == nil { return .refused(.leaseUnknown) }
    var after = self
    after.revision += 1
    after.keys.removeAll { $0.name == key.bytes }
    let created = old?.created ?? after.revision
    let isNewOfLease = lease != 0 && old?.lease != lease
    if isNewOfLease, attachments(lease) >= bounds.attachmentsPerLease {
      return .refused(.leaseFull)
    }
    after.keys.append(
      Key(
        name: key.bytes, value: value, version: after.revision, created: created, lease: lease))
    if after.bytes > bounds.storeBytes || after.keys.count > bounds.keyCount {
      return .refused(.storeFull)
    }
    self = after
    happened(.put(key: key, value: value, created: created, lease: LeaseID(lease)))
    return .put(created: created, formerVersion: version)
  }

  private mutating func delete(_ key: ControlName, _ version: UInt64?) -> ControlOutcome {
    let present = keys.first { $0.name == key.bytes }?.version ?? 0
    if version ?? present != present { return .refused(.conditionFailed(version: present)) }
    if present == 0 { return .unchanged }
    revision += 1
    keys.removeAll { $0.name == key.bytes }
    happened(.deleted(key: key, formerVersion: present))
    return .deleted(formerVersion: present)
  }
}
