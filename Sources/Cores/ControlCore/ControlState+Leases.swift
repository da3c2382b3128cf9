internal import Primitives

extension ControlState {
  /// Grants a lease.
  mutating func grantLease(
    _ ttlMilliseconds: UInt32, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard ControlLimits.leaseMilliseconds.contains(ttlMilliseconds) else {
      return .refused(.leaseOutOfRange)
    }
    guard leaseTable.count < bounds.leases else { return .refused(.tooManyLeases) }
    guard let lease = LeaseID(advance()) else { preconditionFailure("a revision 0 was made") }
    leaseTable.append(lease, LeaseRecord(ttlMilliseconds: ttlMilliseconds))
    notices.append(.leaseArmed(lease, ttlMilliseconds: ttlMilliseconds, renewals: 0))
    return .leaseGranted(lease, ttlMilliseconds: ttlMilliseconds)
  }

  /// Lets a lease's time start anew.
  mutating func renewLease(
    _ lease: LeaseID, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    let position = leaseTable.search(lease)
    guard position.isFound else { return .refused(.leaseUnknown) }
    advance()
    // Each renewal is a revision, so their number stays below the revision's.
    leaseTable[position].renewals += 1
    let record = leaseTable[position]
    notices.append(
      .leaseArmed(
        lease, ttlMilliseconds: record.ttlMilliseconds, renewals: record.renewals))
    return .leaseRenewed(
      lease, ttlMilliseconds: record.ttlMilliseconds, renewals: record.renewals)
  }

  /// Ends a lease on its owner's wish.
  mutating func revokeLease(
    _ lease: LeaseID, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard leaseTable.contains(lease) else { return .refused(.leaseUnknown) }
    return end(lease, expired: false, &notices)
  }

  /// Ends a lease whose time is up, unless a renewal was committed before.
  mutating func expireLease(
    _ lease: LeaseID, _ renewals: UInt64, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard let record = leaseTable[lease], record.renewals == renewals else { return .unchanged }
    return end(lease, expired: true, &notices)
  }

  /// Ends a lease: deletes its keys, then lets go of its locks, then is gone.
  private mutating func end(
    _ lease: LeaseID, expired: Bool, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    advance()
    var attached: [Attachment] = []
    for (attachment, _) in attachments.entries(from: .start(of: lease)) {
      if attachment.lease != lease { break }
      attached.append(attachment)
    }
    var (keyCount, lockCount): (UInt32, UInt32) = (0, 0)
    for attachment in attached {
      switch attachment.kind {
      case .key:
        guard let record = keyTable.removeValue(forKey: attachment.name) else {
          preconditionFailure("lease \(lease) had the key \(attachment.name), which is not there")
        }
        removed(attachment.name, record)
        keyCount += 1
      case .lock:
        if letGo(of: attachment.name, lease, &notices) { lockCount += 1 }
      }
      detach(attachment.lease, attachment.kind, attachment.name)
    }
    let record = leaseTable.removeValue(forKey: lease)
    precondition(record?.attachmentCount == 0, "lease \(lease) goes with attachments")
    history.append(.leaseGone(lease, expired: expired), revision: revision)
    notices.append(.leaseGone(lease))
    return .leaseEnded(lease, keys: keyCount, locks: lockCount)
  }

  /// Why nothing can be attached to a lease.
  func attachmentProblem(_ lease: LeaseID) -> ControlRefusal? {
    guard let record = leaseTable[lease] else { return .leaseUnknown }
    return record.attachmentCount < bounds.attachmentsPerLease ? nil : .leaseFull
  }

  /// Attaches a key or lock to a lease that has room.
  mutating func attach(_ lease: LeaseID, _ kind: Attachment.Kind, _ name: ControlName) {
    let attachment = Attachment(lease: lease, kind: kind, name: name)
    attachments.insert(attachment, (), at: attachments.search(attachment))
    leaseTable[leaseTable.search(lease)].attachmentCount += 1
  }

  /// Takes a key or lock off a lease.
  mutating func detach(_ lease: LeaseID, _ kind: Attachment.Kind, _ name: ControlName) {
    let attachment = Attachment(lease: lease, kind: kind, name: name)
    attachments.remove(at: attachments.search(attachment))
    leaseTable[leaseTable.search(lease)].attachmentCount -= 1
  }
}
