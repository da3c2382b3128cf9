package import Records

/// What the version of a key must be for a write to happen.
package enum ControlCondition: Hashable, Sendable {
  /// Anything.
  case none
  /// There must be no such key.
  case mustBeAbsent
  /// The key must have been written last at exactly this revision; 0 means that it must be absent.
  case version(UInt64)
}

/// What a node is to be in the cluster.
package enum ControlRole: UInt8, CaseIterable, Sendable {
  /// Votes, as long as the setting `votersMax` leaves room.
  case voter = 1
  /// Holds the control log and never votes.
  case learner = 2
  /// Does not hold the control log.
  case edge = 3
}

/// A number that the cluster has agreed on.
package enum ControlSetting: UInt8, CaseIterable, Sendable {
  /// How many nodes vote at most.
  case votersMax = 1
  /// How many bytes per second a node may push to others before it uses relays.
  case egressBytesPerSecond = 2

  /// How the setting is called outside.
  package var name: String {
    switch self {
    case .votersMax: "votersMax"
    case .egressBytesPerSecond: "egressBytesPerSecond"
    }
  }

  /// The values that are allowed.
  package var range: ClosedRange<UInt64> {
    switch self {
    case .votersMax: 1...7
    case .egressBytesPerSecond: 65_536...1_000_000_000_000
    }
  }

  /// The value until one is set.
  package var standard: UInt64 {
    switch self {
    case .votersMax: 5
    case .egressBytesPerSecond: 25_000_000
    }
  }

  /// The setting called `name`.
  package init?(name: String) {
    guard let setting = ControlSetting.allCases.first(where: { $0.name == name }) else {
      return nil
    }
    self = setting
  }
}

/// What a command does to the control state.
package enum ControlOperation: Hashable, Sendable {
  /// Writes a key, attached to `lease` or to none.
  case put(
    key: ControlName, value: [UInt8], condition: ControlCondition = .none, lease: LeaseID? = nil)
  /// Deletes a key, if `version` is given only when it was written last at that revision.
  case delete(key: ControlName, version: UInt64? = nil)
  /// Grants a lease.
  case grantLease(ttlMilliseconds: UInt32)
  /// Lets a lease's time start anew.
  case renewLease(LeaseID)
  /// Ends a lease: its keys are deleted, its locks released, its waits given up.
  case revokeLease(LeaseID)
  /// Ends a lease like `revokeLease`, unless it was renewed since it had this many renewals.
  case expireLease(LeaseID, renewals: UInt64)
  /// Takes a lock, or queues for it when it is held and `wait` is true.
  case acquireLock(name: ControlName, lease: LeaseID, wait: Bool)
  /// Leaves the queue of a lock.
  case cancelWait(name: ControlName, lease: LeaseID)
  /// Gives a lock back, if `token` is given only when it is held with that token.
  case releaseLock(name: ControlName, lease: LeaseID, token: UInt64? = nil)
  /// Says what a node is to be.
  case setMember(NodeID, role: ControlRole)
  /// Removes a node, known or not, until `restoreMember`.
  case removeMember(NodeID)
  /// Takes a node's removal back and says what it is to be.
  case restoreMember(NodeID, role: ControlRole)
  /// Changes a setting.
  case setSetting(ControlSetting, value: UInt64)
}
