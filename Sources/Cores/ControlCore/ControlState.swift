internal import Crypto
internal import Primitives
package import Records
internal import Wire

/// What committed commands have led to: keys, leases, locks, members and settings.
///
/// The state is replicated by applying the same commands in the same order (Schneider,
/// "Implementing Fault-Tolerant Services Using the State Machine Approach", 1990), so it has no
/// clock: that a lease's time is up is a command like any other, proposed by the leader whose timer
/// says so. Versions, leases and fencing tokens are *revisions*: the number of commands that have
/// changed something. Repeated commands are recognized as in RIFL (see `SessionTable`); tokens
/// that grow with every holder are what fences a lock (Burrows, "The Chubby lock service for
/// loosely-coupled distributed systems", OSDI 2006, calls them sequencers).
///
/// A value: a copy shares everything with the original until either changes, chunk by chunk, and
/// can be encoded on another thread.
///
/// Invariants:
/// 1. `revision` is at most `appliedIndex`; every version, lease and token is at most `revision`.
/// 2. A lease that a key, holder or waiter names exists; its attachments are exactly those keys and
///    locks.
/// 3. No lease waits twice for a lock, or for what it holds.
/// 4. Bytes, waiters and voters are counted exactly, and every bound is kept.
/// 5. A session keeps no result below what it has acknowledged, and no session was used after
///    `appliedIndex`.
/// 6. The names in the order of arrival are exactly the names that are remembered.
/// 7. Events are of revisions after the history's floor, up to `revision`.
package struct ControlState: Sendable {
  /// How many commands have changed something.
  package internal(set) var revision: UInt64 = 0
  /// The index of the last command that was applied.
  package internal(set) var appliedIndex: UInt64 = 0
  /// What the cluster has agreed on.
  package internal(set) var settings = ControlSettings()

  let bounds: ControlBounds
  /// The nodes that vote unless something else is agreed on; the same everywhere, for ever.
  let founders: [NodeID]
  var memberTable = ChunkedMap<NodeID, MemberRecord>()
  /// Nodes that are to vote, founders of whom nothing else was said included.
  var voterCount: Int
  var keyTable = ChunkedMap<ControlName, KeyRecord>()
  var leaseTable = ChunkedMap<LeaseID, LeaseRecord>()
  var lockTable = ChunkedMap<ControlName, LockRecord>()
  /// What goes with which lease. It follows from keys and locks.
  var attachments = ChunkedMap<Attachment, Void>()
  /// The bytes of keys, values and names of locks.
  var storeBytes = 0
  /// The leases that wait, counted once per lock.
  var waiterCount = 0
  var sessionTable = SessionTable()
  var idempotencyTable = IdempotencyTable()
  /// No part of what the state means: a restored state starts with an empty one.
  var history = EventHistory(floor: 0)

  /// Makes the state before any command.
  package init(bounds: ControlBounds = .standard, founders: [NodeID] = []) {
    precondition(
      bounds.sessions > 0 && 0 < bounds.resultsPerSession
        && bounds.resultsPerSession <= bounds.results && bounds.idempotencyNames > 0,
      "bounds that leave no room: \(bounds)")
    self.bounds = bounds
    self.founders = founders
    voterCount = founders.count
  }

  /// Applies the command committed at `index`, which is later than all before, and tells what its
  /// owner has to know. Takes O(log n), and time in proportion to what a lease that ends had.
  package mutating func apply(
    _ command: ControlCommand, index: UInt64, into notices: inout [ControlNotice]
  ) -> ControlResult {
    precondition(index > appliedIndex, "command \(index) after \(appliedIndex)")
    appliedIndex = index
    switch sessionTable.admit(command, index: index, bounds, into: &notices) {
    case .known(let result):
      return result
    case .refused(let refusal):
      return ControlResult(revision: revision, outcome: .refused(refusal))
    case .fresh:
      let result = decide(command, into: &notices)
      sessionTable.remember(result, of: command, bounds, into: &notices)
      return result
    }
  }

  /// Applies a command once per idempotency name.
  private mutating func decide(
    _ command: ControlCommand, into notices: inout [ControlNotice]
  ) -> ControlResult {
    guard let name = command.idempotency else { return carryOut(command.operation, &notices) }
    let operation = Blake2b.hash(command.operation.encoded, .controlOperation)
    if let entry = idempotencyTable[name] {
      return entry.operation == operation
        ? entry.result
        : ControlResult(revision: revision, outcome: .refused(.idempotencyReused))
    }
    let result = carryOut(command.operation, &notices)
    idempotencyTable.remember(name, operation: operation, result: result, bounds)
    return result
  }

  private mutating func carryOut(
    _ operation: ControlOperation, _ notices: inout [ControlNotice]
  ) -> ControlResult {
    let before = revision
    let outcome = perform(operation, &notices)
    precondition(revision - before <= 1, "a command that made \(revision - before) revisions")
    if let newest = history.events.last?.key.revision, newest > before {
      history.trim(to: bounds)
      notices.append(.eventsAdded(revision: revision))
    }
    return ControlResult(revision: revision, outcome: outcome)
  }

  private mutating func perform(
    _ operation: ControlOperation, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    switch operation {
    case .put(let key, let value, let condition, let lease):
      put(key, value, condition, lease)
    case .delete(let key, let version):
      delete(key, version)
    case .grantLease(let ttlMilliseconds):
      grantLease(ttlMilliseconds, &notices)
    case .renewLease(let lease):
      renewLease(lease, &notices)
    case .revokeLease(let lease):
      revokeLease(lease, &notices)
    case .expireLease(let lease, let renewals):
      expireLease(lease, renewals, &notices)
    case .acquireLock(let name, let lease, let wait):
      acquireLock(name, lease, wait)
    case .cancelWait(let name, let lease):
      cancelWait(name, lease, &notices)
    case .releaseLock(let name, let lease, let token):
      releaseLock(name, lease, token, &notices)
    case .setMember(let node, let role):
      setMember(node, role, restoring: false, &notices)
    case .restoreMember(let node, let role):
      setMember(node, role, restoring: true, &notices)
    case .removeMember(let node):
      removeMember(node, &notices)
    case .setSetting(let setting, let value):
      set(setting, value, &notices)
    }
  }

  /// Counts a change that is about to be made. It stays within 64 bits, because it is at most the
  /// index.
  @discardableResult
  mutating func advance() -> UInt64 {
    precondition(revision < appliedIndex, "revision \(revision) at index \(appliedIndex)")
    revision += 1
    return revision
  }
}
