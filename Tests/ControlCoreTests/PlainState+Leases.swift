import ControlCore
import Records

extension PlainState {
  mutating func grant(_ ttl: UInt32) -> ControlOutcome {
    guard ttl >= 500, ttl <= 24 * 60 * 60 * 1_000 else { return .refused(.leaseOutOfRange) }
    if leases.count >= bounds.leases { return .refused(.tooManyLeases) }
    revision += 1
    leases[revision] = Lease(ttl: ttl, renewals: 0)
    return LeaseID(revision).map { .leaseGranted($0, ttlMilliseconds: ttl) } ?? .unchanged
  }

  mutating func renew(_ lease: LeaseID) -> ControlOutcome {
    guard var found = leases[lease.value] else { return .refused(.leaseUnknown) }
    revision += 1
    found.renewals += 1
    leases[lease.value] = found
    return .leaseRenewed(lease, ttlMilliseconds: found.ttl, renewals: found.renewals)
  }

  mutating func end(_ lease: LeaseID, expired: Bool) -> ControlOutcome {
    guard leases.removeValue(forKey: lease.value) != nil else { return .refused(.leaseUnknown) }
    revision += 1
    let gone = keys.filter { $0.lease == lease.value }
    keys.removeAll { $0.lease == lease.value }
    for key in gone.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
      guard let name = ControlName(validating: key.name) else { continue }
      happened(.deleted(key: name, formerVersion: key.version))
    }
    let mine = locks.filter { $0.queue.contains(lease.value) }.map(\.name)
    var held: UInt32 = 0
    for name in mine.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if leave(name, lease.value) { held += 1 }
    }
    happened(.leaseGone(lease, expired: expired))
    return .leaseEnded(lease, keys: UInt32(gone.count), locks: held)
  }

  /// Takes a lease out of a lock's queue; whoever is first then holds the lock. Returns whether the
  /// lease held it.
  private mutating func leave(_ bytes: [UInt8], _ lease: UInt64) -> Bool {
    guard let place = locks.firstIndex(where: { $0.name == bytes }),
      let name = ControlName(validating: bytes), let id = LeaseID(lease)
    else { return false }
    let former = locks[place]
    locks[place].queue = former.queue.filter { $0 != lease }
    if former.queue[0] != lease { return false }
    happened(.lockReleased(name: name, lease: id, token: former.token))
    if let next = locks[place].queue.first.flatMap(LeaseID.init) {
      locks[place].token = revision
      happened(.lockGranted(name: name, lease: next))
    } else {
      locks.remove(at: place)
    }
    return true
  }

  mutating func acquire(_ name: ControlName, _ lease: LeaseID, _ wait: Bool) -> ControlOutcome {
    if leases[lease.value] == nil { return .refused(.leaseUnknown) }
    guard let place = locks.firstIndex(where: { $0.name == name.bytes }) else {
      if locks.count >= bounds.locks || bytes + name.bytes.count > bounds.storeBytes {
        return .refused(.storeFull)
      }
      if attachments(lease.value) >= bounds.attachmentsPerLease { return .refused(.leaseFull) }
      revision += 1
      locks.append(Lock(name: name.bytes, token: revision, queue: [lease.value]))
      happened(.lockGranted(name: name, lease: lease))
      return .lockHeld(token: revision)
    }
    let lock = locks[place]
    if lock.queue[0] == lease.value { return .lockHeld(token: lock.token) }
    if let mine = lock.queue.firstIndex(of: lease.value) {
      return .lockQueued(ahead: UInt32(mine - 1))
    }
    if !wait, let holder = LeaseID(lock.queue[0]) {
      return .refused(.lockTaken(holder: holder, token: lock.token))
    }
    let waiting = locks.map { $0.queue.count - 1 }.reduce(0, +)
    if lock.queue.count > 1_024 || waiting >= bounds.waiters { return .refused(.tooManyWaiters) }
    if attachments(lease.value) >= bounds.attachmentsPerLease { return .refused(.leaseFull) }
    revision += 1
    locks[place].queue.append(lease.value)
    return .lockQueued(ahead: UInt32(lock.queue.count - 1))
  }

  mutating func cancel(_ name: ControlName, _ lease: LeaseID) -> ControlOutcome {
    guard let lock = locks.first(where: { $0.name == name.bytes }),
      lock.queue.contains(lease.value)
    else { return .unchanged }
    if lock.queue[0] == lease.value { return .lockHeld(token: lock.token) }
    revision += 1
    _ = leave(name.bytes, lease.value)
    return .waitCancelled
  }

  mutating func release(
    _ name: ControlName, _ lease: LeaseID, _ token: UInt64?
  ) -> ControlOutcome {
    guard let lock = locks.first(where: { $0.name == name.bytes }), lock.queue[0] == lease.value
    else { return .refused(.notHolder) }
    if token ?? lock.token != lock.token { return .refused(.staleToken(token: lock.token)) }
    revision += 1
    _ = leave(name.bytes, lease.value)
    return .lockReleased
  }

  mutating func member(
    _ node: NodeID, _ role: ControlRole?, isRestored: Bool
  ) -> ControlOutcome {
    if let known = roles[node] {
      if known == nil, !isRestored { return .refused(.memberRemoved) }
      if known == role { return .unchanged }
    } else if roles.count >= ControlLimits.membersMax {
      return .refused(.tooManyMembers)
    }
    var after = roles
    after.updateValue(role, forKey: node)
    if roles.contains(where: { $0.value == .voter }), !after.contains(where: { $0.value == .voter })
    {
      return .refused(.lastVoter)
    }
    roles = after
    revision += 1
    return .memberChanged
  }

  mutating func set(_ setting: ControlSetting, _ value: UInt64) -> ControlOutcome {
    let isAllowed =
      switch setting {
      case .votersMax: value >= 1 && value <= 7
      case .egressBytesPerSecond: value >= 65_536 && value <= 1_000_000_000_000
      }
    if !isAllowed { return .refused(.settingOutOfRange) }
    if settings[setting] ?? (setting == .votersMax ? 5 : 25_000_000) == value { return .unchanged }
    settings[setting] = value
    revision += 1
    return .settingChanged
  }
}
