/// What a client asked of the control state.
package enum HistoryOperation: Equatable, Sendable {
  /// Read a key.
  case get
  /// Write a key, whatever it holds.
  case put(value: String)
  /// Write a key if its version is `expected`; 0 means that the key must be absent.
  case compareAndSet(expected: UInt64, value: String)
  /// Remove a key, if its version is `expected` when that is given.
  case delete(expected: UInt64?)
  /// Take the lock that the key names.
  case lock
  /// Give back the lock that the key names, taken with this fencing token.
  case unlock(token: UInt64)
  /// Receive the changes of all keys that begin with the key, of revisions above `after`.
  case watch(after: UInt64)

  /// The name in the text form.
  package var name: String {
    switch self {
    case .get: "get"
    case .put: "put"
    case .compareAndSet: "cas"
    case .delete: "delete"
    case .lock: "lock"
    case .unlock: "unlock"
    case .watch: "watch"
    }
  }
}

/// What a client was told.
package enum HistoryResult: Equatable, Sendable {
  /// Nothing, or that the outcome is unknown: it took effect once, at any time after the call, or
  /// never.
  case unknown
  /// That it was refused before it could take effect: it certainly had none.
  case refused
  /// `put`, `compareAndSet`: done, at this version.
  case written(version: UInt64)
  /// `delete`: a value was removed; the revision of the removal, when it was told.
  case deleted(version: UInt64?)
  /// `get`, `delete`: the key was absent.
  case absent
  /// `get`: the value and the version it was written at.
  case value(String, version: UInt64)
  /// `compareAndSet`, `delete`: the version was another; 0 when the key was absent.
  case conflict(version: UInt64)
  /// `lock`: granted with this fencing token.
  case acquired(token: UInt64)
  /// `lock`: somebody else has it.
  case held
  /// `unlock`: the holder gave it back.
  case released
  /// `unlock`: it was not the holder's any more.
  case lost
  /// `watch`: the changes of revisions up to and including `through`.
  case observed(through: UInt64, events: [WatchEvent])

  /// The status in the text form.
  package var status: String {
    switch self {
    case .unknown: "unknown"
    case .refused: "refused"
    case .written, .deleted, .value, .acquired, .released, .observed: "ok"
    case .absent: "absent"
    case .conflict: "conflict"
    case .held: "held"
    case .lost: "lost"
    }
  }
}

/// One change that a watch delivered.
package struct WatchEvent: Equatable, Sendable {
  /// The revision of the change.
  package let revision: UInt64
  /// The key that changed.
  package let key: String
  /// The new value; `nil` when the key was removed.
  package let value: String?

  /// Makes an event.
  package init(revision: UInt64, key: String, value: String?) {
    self.revision = revision
    self.key = key
    self.value = value
  }
}

extension HistoryOperation {
  /// Whether this operation can have this result.
  package func admits(_ result: HistoryResult) -> Bool {
    switch (self, result) {
    case (_, .unknown), (_, .refused): true
    case (.get, .value), (.get, .absent): true
    case (.put, .written), (.compareAndSet, .written): true
    case (.compareAndSet(let expected, _), .conflict(let version)): version != expected
    case (.delete, .deleted), (.delete, .absent): true
    case (.delete(let expected?), .conflict(let version)): version != expected
    case (.lock, .acquired), (.lock, .held): true
    case (.unlock, .released), (.unlock, .lost): true
    case (.watch(let after), .observed(let through, _)): after <= through
    default: false
    }
  }
}
