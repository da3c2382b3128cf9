package import Records

/// A question about the control state. A `limit` below 1 means 1, and one above
/// `ControlLimits.answerEntriesMax` means that.
package enum ControlQuery: Hashable, Sendable {
  /// One key.
  case get(key: ControlName)
  /// Keys that start with `prefix`, in the order of their bytes, from the one behind `after` on.
  case list(prefix: [UInt8], after: ControlName? = nil, limit: Int = 1_000)
  /// One lease.
  case lease(LeaseID)
  /// Leases in the order of their numbers, from the one behind `after` on.
  case leases(after: LeaseID? = nil, limit: Int = 1_000)
  /// One lock.
  case lock(name: ControlName)
  /// Locks, as keys are listed.
  case locks(prefix: [UInt8], after: ControlName? = nil, limit: Int = 1_000)
  /// All members, removed ones included.
  case members
  /// All settings.
  case settings
}

/// What the control state answers as of one revision.
package struct ControlAnswer: Hashable, Sendable {
  /// The latest revision.
  package let revision: UInt64
  /// The answer.
  package let content: Content

  /// What was asked for.
  package enum Content: Hashable, Sendable {
    /// The key; `nil`: there is none.
    case entry(ControlEntry?)
    /// Keys, and whether there are more behind the last.
    case entries([ControlEntry], more: Bool)
    /// The lease; `nil`: there is none.
    case lease(ControlLease?)
    /// Leases, and whether there are more behind the last.
    case leases([ControlLease], more: Bool)
    /// The lock; `nil`: nobody holds it.
    case lock(ControlLock?)
    /// Locks, and whether there are more behind the last.
    case locks([ControlLock], more: Bool)
    /// The members in the order of their keys.
    case members([ControlMember])
    /// The settings.
    case settings(ControlSettings)
  }

  /// Joins the parts.
  package init(revision: UInt64, content: Content) {
    self.revision = revision
    self.content = content
  }
}

/// A key with its value.
package struct ControlEntry: Hashable, Sendable {
  /// The key.
  package let key: ControlName
  /// The value.
  package let value: [UInt8]
  /// The revision at which it was written last.
  package let version: UInt64
  /// The revision at which it came to be.
  package let created: UInt64
  /// The lease with which it goes.
  package let lease: LeaseID?

  /// Joins the parts.
  package init(
    key: ControlName, value: [UInt8], version: UInt64, created: UInt64, lease: LeaseID?
  ) {
    self.key = key
    self.value = value
    self.version = version
    self.created = created
    self.lease = lease
  }
}

/// A lease.
package struct ControlLease: Hashable, Sendable {
  /// Its name.
  package let id: LeaseID
  /// How long it lasts after it was granted or renewed.
  package let ttlMilliseconds: UInt32
  /// How often it was renewed.
  package let renewals: UInt64
  /// How many keys are attached to it and how many locks it holds or waits for.
  package let attachments: UInt32

  /// Joins the parts.
  package init(id: LeaseID, ttlMilliseconds: UInt32, renewals: UInt64, attachments: UInt32) {
    self.id = id
    self.ttlMilliseconds = ttlMilliseconds
    self.renewals = renewals
    self.attachments = attachments
  }
}

/// A lock that is held.
package struct ControlLock: Hashable, Sendable {
  /// Its name.
  package let name: ControlName
  /// Who holds it.
  package let holder: LeaseID
  /// The revision at which the holder got it: its fencing token.
  package let token: UInt64
  /// Who waits, first come first.
  package let waiters: [LeaseID]

  /// Joins the parts.
  package init(name: ControlName, holder: LeaseID, token: UInt64, waiters: [LeaseID]) {
    self.name = name
    self.holder = holder
    self.token = token
    self.waiters = waiters
  }
}

/// A node as the cluster wants it.
package struct ControlMember: Hashable, Sendable {
  /// The node.
  package let node: NodeID
  /// What it is to be; `nil`: it was removed.
  package let role: ControlRole?

  /// Joins the parts.
  package init(node: NodeID, role: ControlRole?) {
    self.node = node
    self.role = role
  }
}

/// All settings.
package struct ControlSettings: Hashable, Sendable {
  /// How many nodes vote at most.
  package internal(set) var votersMax = ControlSetting.votersMax.standard
  /// How many bytes per second a node may push to others before it uses relays.
  package internal(set) var egressBytesPerSecond = ControlSetting.egressBytesPerSecond.standard

  /// The standard settings.
  package init() {}

  /// The value of a setting.
  package internal(set) subscript(setting: ControlSetting) -> UInt64 {
    get {
      switch setting {
      case .votersMax: votersMax
      case .egressBytesPerSecond: egressBytesPerSecond
      }
    }
    set {
      precondition(setting.range.contains(newValue), "\(setting.name) of \(newValue)")
      switch setting {
      case .votersMax: votersMax = newValue
      case .egressBytesPerSecond: egressBytesPerSecond = newValue
      }
    }
  }
}
