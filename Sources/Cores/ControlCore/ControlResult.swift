/// What applying a command came to.
package struct ControlResult: Hashable, Sendable {
  /// The revision that the command made; the latest one when it changed nothing.
  package let revision: UInt64
  /// What happened.
  package let outcome: ControlOutcome

  /// Joins the parts.
  package init(revision: UInt64, outcome: ControlOutcome) {
    self.revision = revision
    self.outcome = outcome
  }

  /// Whether the command was carried out, or found done.
  package var isRefused: Bool {
    if case .refused = outcome { true } else { false }
  }

  /// Whether an operation can come to this: whoever takes it for the result may rely on its kind.
  package func fits(_ operation: ControlOperation) -> Bool {
    switch (outcome, operation) {
    case (.refused, _), (.put, .put), (.deleted, .delete), (.unchanged, .delete),
      (.leaseGranted, .grantLease), (.leaseRenewed, .renewLease), (.leaseEnded, .revokeLease),
      (.leaseEnded, .expireLease), (.unchanged, .expireLease), (.lockHeld, .acquireLock),
      (.lockQueued, .acquireLock), (.lockHeld, .cancelWait), (.waitCancelled, .cancelWait),
      (.unchanged, .cancelWait), (.lockReleased, .releaseLock), (.memberChanged, .setMember),
      (.memberChanged, .restoreMember), (.memberChanged, .removeMember), (.unchanged, .setMember),
      (.unchanged, .restoreMember), (.unchanged, .removeMember), (.settingChanged, .setSetting),
      (.unchanged, .setSetting):
      true
    // open set: every other pair
    default: false
    }
  }
}

/// What a command did.
package enum ControlOutcome: Hashable, Sendable {
  /// The key was written: the result's revision is its version. Its former version, or 0.
  case put(created: UInt64, formerVersion: UInt64)
  /// The key was deleted. Its last version.
  case deleted(formerVersion: UInt64)
  /// The lease was granted.
  case leaseGranted(LeaseID, ttlMilliseconds: UInt32)
  /// The lease's time starts anew.
  case leaseRenewed(LeaseID, ttlMilliseconds: UInt32, renewals: UInt64)
  /// The lease is gone, and with it so many keys; so many locks were released.
  case leaseEnded(LeaseID, keys: UInt32, locks: UInt32)
  /// The lock is held, since the revision `token`.
  case lockHeld(token: UInt64)
  /// The lease waits for the lock behind so many others.
  case lockQueued(ahead: UInt32)
  /// The lock was released.
  case lockReleased
  /// The lease has left the lock's queue.
  case waitCancelled
  /// The member is as asked.
  case memberChanged
  /// The setting is as asked.
  case settingChanged
  /// Everything was as asked already: no such key to delete, no such wait, an expiry that came too
  /// late, the same role or value.
  case unchanged
  /// Nothing was done.
  case refused(ControlRefusal)
}

/// Why a command was not carried out.
package enum ControlRefusal: Hashable, Sendable {
  /// The key's version is this one; 0: there is no such key.
  case conditionFailed(version: UInt64)
  /// Keys, values and names of locks have reached their bound.
  case storeFull
  /// There is no such lease, or no more.
  case leaseUnknown
  /// A lease may not last so short or long.
  case leaseOutOfRange
  /// There are as many leases as there may be.
  case tooManyLeases
  /// The lease has as many keys and locks as it may have.
  case leaseFull
  /// Another lease holds the lock.
  case lockTaken(holder: LeaseID, token: UInt64)
  /// As many leases wait as may wait.
  case tooManyWaiters
  /// The lease does not hold the lock.
  case notHolder
  /// The lock is held with another token.
  case staleToken(token: UInt64)
  /// The member was removed and not restored.
  case memberRemoved
  /// There are as many members as there may be.
  case tooManyMembers
  /// Nobody would be left to vote.
  case lastVoter
  /// The setting does not take this value.
  case settingOutOfRange
  /// The name stands for another operation.
  case idempotencyReused
  /// The session has said that it has this command's result.
  case stale
  /// The session may have been forgotten.
  case sessionExpired
  /// The session has too many results that it has not acknowledged.
  case tooManyUnacknowledged
}
