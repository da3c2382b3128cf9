/// What the owner of the state has to know of a command that was applied.
package enum ControlNotice: Hashable, Sendable {
  /// The history has events of this revision: wake the watches.
  case eventsAdded(revision: UInt64)
  /// A lease that waited for a lock holds it now.
  case lockGranted(name: ControlName, lease: LeaseID, token: UInt64)
  /// A lease does not wait for a lock any more and did not get it.
  case waitEnded(name: ControlName, lease: LeaseID)
  /// A lease was granted or renewed: its timer starts anew.
  case leaseArmed(LeaseID, ttlMilliseconds: UInt32, renewals: UInt64)
  /// A lease is gone: its timer stops.
  case leaseGone(LeaseID)
  /// A member is to be something else.
  case memberChanged(ControlMember)
  /// A setting has another value.
  case settingChanged(ControlSetting, value: UInt64)
  /// A session was forgotten to keep a bound.
  case sessionForgotten(number: UInt64)
}
