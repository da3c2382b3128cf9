internal import Primitives

extension ControlState {
  /// Takes a lock or queues for it.
  mutating func acquireLock(
    _ name: ControlName, _ lease: LeaseID, _ wait: Bool
  ) -> ControlOutcome {
    guard leaseTable.contains(lease) else { return .refused(.leaseUnknown) }
    let position = lockTable.search(name)
    guard position.isFound else { return take(name, lease, at: position) }
    let lock = lockTable[position]
    if lock.holder == lease { return .lockHeld(token: lock.token) }
    if let ahead = lock.waiters.firstIndex(of: lease) { return .lockQueued(ahead: UInt32(ahead)) }
    guard wait else { return .refused(.lockTaken(holder: lock.holder, token: lock.token)) }
    guard lock.waiters.count < ControlLimits.waitersPerLockMax,
      waiterCount < bounds.waiters
    else { return .refused(.tooManyWaiters) }
    if let refusal = attachmentProblem(lease) { return .refused(refusal) }
    let ahead = UInt32(lock.waiters.count)
    advance()
    waiterCount += 1
    attach(lease, .lock, name)
    lockTable[position].waiters.append(lease)
    return .lockQueued(ahead: ahead)
  }

  /// Takes a lock that nobody holds.
  private mutating func take(
    _ name: ControlName, _ lease: LeaseID, at position: ChunkedMap<ControlName, LockRecord>.Position
  ) -> ControlOutcome {
    guard lockTable.count < bounds.locks,
      storeBytes + name.bytes.count <= bounds.storeBytes
    else { return .refused(.storeFull) }
    if let refusal = attachmentProblem(lease) { return .refused(refusal) }
    let token = advance()
    storeBytes += name.bytes.count
    attach(lease, .lock, name)
    lockTable.insert(name, LockRecord(holder: lease, token: token), at: position)
    history.append(.lockGranted(name: name, lease: lease), revision: token)
    return .lockHeld(token: token)
  }

  /// Leaves the queue of a lock. Who got the lock in the meantime is told so.
  mutating func cancelWait(
    _ name: ControlName, _ lease: LeaseID, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard let lock = lockTable[name] else { return .unchanged }
    if lock.holder == lease { return .lockHeld(token: lock.token) }
    guard lock.waiters.contains(lease) else { return .unchanged }
    advance()
    _ = letGo(of: name, lease, &notices)
    detach(lease, .lock, name)
    return .waitCancelled
  }

  /// Gives a lock back.
  mutating func releaseLock(
    _ name: ControlName, _ lease: LeaseID, _ token: UInt64?, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard let lock = lockTable[name], lock.holder == lease else { return .refused(.notHolder) }
    if let token, token != lock.token { return .refused(.staleToken(token: lock.token)) }
    advance()
    _ = letGo(of: name, lease, &notices)
    detach(lease, .lock, name)
    return .lockReleased
  }

  /// Takes a lease off a lock that it holds, which the next waiter gets, or waits for. Returns
  /// whether it held the lock.
  mutating func letGo(
    of name: ControlName, _ lease: LeaseID, _ notices: inout [ControlNotice]
  ) -> Bool {
    let position = lockTable.search(name)
    let lock = lockTable[position]
    guard lock.holder == lease else {
      guard let place = lock.waiters.firstIndex(of: lease) else {
        preconditionFailure("lease \(lease) neither holds nor awaits \(name)")
      }
      lockTable[position].waiters.remove(at: place)
      waiterCount -= 1
      notices.append(.waitEnded(name: name, lease: lease))
      return false
    }
    history.append(
      .lockReleased(name: name, lease: lease, token: lock.token), revision: revision)
    guard let next = lock.waiters.first else {
      lockTable.remove(at: position)
      storeBytes -= name.bytes.count
      return true
    }
    precondition(lock.token < revision, "token \(lock.token) at revision \(revision)")
    lockTable[position].waiters.removeFirst()
    lockTable[position].holder = next
    lockTable[position].token = revision
    waiterCount -= 1
    history.append(.lockGranted(name: name, lease: next), revision: revision)
    notices.append(.lockGranted(name: name, lease: next, token: revision))
    return true
  }
}
