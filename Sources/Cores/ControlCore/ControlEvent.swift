/// Something that a watch can show.
package enum ControlEvent: Hashable, Sendable {
  /// A key was written; its version is the event's revision.
  case put(key: ControlName, value: [UInt8], created: UInt64, lease: LeaseID?)
  /// A key was deleted, by a command or with its lease.
  case deleted(key: ControlName, formerVersion: UInt64)
  /// A lease is gone.
  case leaseGone(LeaseID, expired: Bool)
  /// A lease got a lock; the token is the event's revision.
  case lockGranted(name: ControlName, lease: LeaseID)
  /// A lease does not hold a lock any more.
  case lockReleased(name: ControlName, lease: LeaseID, token: UInt64)

  /// What it counts toward the bound of the history.
  package var byteCount: Int {
    let overhead = 64
    return switch self {
    case .put(let key, let value, _, _): overhead + key.bytes.count + value.count
    case .deleted(let key, _): overhead + key.bytes.count
    case .leaseGone: overhead
    case .lockGranted(let name, _): overhead + name.bytes.count
    case .lockReleased(let name, _, _): overhead + name.bytes.count
    }
  }
}

/// An event and when it happened.
package struct ControlEventRecord: Hashable, Sendable {
  /// The revision, shared by all events of one command.
  package let revision: UInt64
  /// The event.
  package let event: ControlEvent

  /// Joins the parts.
  package init(revision: UInt64, event: ControlEvent) {
    self.revision = revision
    self.event = event
  }
}

/// Which events a watch is for: those that any of its parts wants.
package struct ControlFilter: Hashable, Sendable {
  /// Keys that start with any of these; an empty prefix wants all.
  package var keyPrefixes: [[UInt8]]
  /// Locks whose name starts with any of these.
  package var lockPrefixes: [[UInt8]]
  /// Leases that are gone.
  package var leases: Bool

  /// Joins the parts.
  package init(keyPrefixes: [[UInt8]] = [], lockPrefixes: [[UInt8]] = [], leases: Bool = false) {
    self.keyPrefixes = keyPrefixes
    self.lockPrefixes = lockPrefixes
    self.leases = leases
  }

  /// Whether `event` is wanted.
  package func wants(_ event: ControlEvent) -> Bool {
    switch event {
    case .put(let key, _, _, _): keyPrefixes.contains { key.hasPrefix($0) }
    case .deleted(let key, _): keyPrefixes.contains { key.hasPrefix($0) }
    case .leaseGone: leases
    case .lockGranted(let name, _): lockPrefixes.contains { name.hasPrefix($0) }
    case .lockReleased(let name, _, _): lockPrefixes.contains { name.hasPrefix($0) }
    }
  }
}

/// What the history holds for a watch.
package enum ControlWatchAnswer: Hashable, Sendable {
  /// The wanted events, in order, whole revisions only, and the revision through which there are
  /// no others: where to go on, and the bookmark to send.
  case events([ControlEventRecord], through: UInt64)
  /// Events at or before the revision `oldest` are gone: list anew, then watch after the list's
  /// revision.
  case compacted(oldest: UInt64)
}
