package import Wire

extension ControlResult: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(revision)
    outcome.encode(into: &writer)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    revision = try cursor.readVariable(span)
    outcome = try ControlOutcome(from: span, at: &cursor)
  }
}

/// The canonical form of outcomes: one tag byte, then the fields in their declared order.
extension ControlOutcome: WireCodable {
  private enum Tag: UInt8 {
    case put = 1
    case deleted = 2
    case leaseGranted = 3
    case leaseRenewed = 4
    case leaseEnded = 5
    case lockHeld = 6
    case lockQueued = 7
    case lockReleased = 8
    case waitCancelled = 9
    case memberChanged = 10
    case settingChanged = 11
    case unchanged = 12
    case refused = 13
  }

  private var tag: Tag {
    switch self {
    case .put: .put
    case .deleted: .deleted
    case .leaseGranted: .leaseGranted
    case .leaseRenewed: .leaseRenewed
    case .leaseEnded: .leaseEnded
    case .lockHeld: .lockHeld
    case .lockQueued: .lockQueued
    case .lockReleased: .lockReleased
    case .waitCancelled: .waitCancelled
    case .memberChanged: .memberChanged
    case .settingChanged: .settingChanged
    case .unchanged: .unchanged
    case .refused: .refused
    }
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(tag.rawValue)
    switch self {
    case .put(let created, let formerVersion):
      writer.writeVariable(created)
      writer.writeVariable(formerVersion)
    case .deleted(let formerVersion):
      writer.writeVariable(formerVersion)
    case .leaseGranted(let lease, let ttlMilliseconds):
      writer.write(lease)
      writer.writeVariable(UInt64(ttlMilliseconds))
    case .leaseRenewed(let lease, let ttlMilliseconds, let renewals):
      writer.write(lease)
      writer.writeVariable(UInt64(ttlMilliseconds))
      writer.writeVariable(renewals)
    case .leaseEnded(let lease, let keys, let locks):
      writer.write(lease)
      writer.writeVariable(UInt64(keys))
      writer.writeVariable(UInt64(locks))
    case .lockHeld(let token):
      writer.writeVariable(token)
    case .lockQueued(let ahead):
      writer.writeVariable(UInt64(ahead))
    case .refused(let refusal):
      refusal.encode(into: &writer)
    case .lockReleased, .waitCancelled, .memberChanged, .settingChanged, .unchanged:
      break
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    switch try cursor.readCase(span, of: Tag.self) {
    case .put:
      let created = try cursor.readPositive(span)
      self = .put(created: created, formerVersion: try cursor.readVariable(span))
    case .deleted: self = .deleted(formerVersion: try cursor.readPositive(span))
    case .leaseGranted:
      let lease = try cursor.readLease(span)
      self = .leaseGranted(lease, ttlMilliseconds: try cursor.readSmall(span))
    case .leaseRenewed:
      self = .leaseRenewed(
        try cursor.readLease(span), ttlMilliseconds: try cursor.readSmall(span),
        renewals: try cursor.readVariable(span))
    case .leaseEnded:
      self = .leaseEnded(
        try cursor.readLease(span), keys: try cursor.readSmall(span),
        locks: try cursor.readSmall(span))
    case .lockHeld: self = .lockHeld(token: try cursor.readPositive(span))
    case .lockQueued: self = .lockQueued(ahead: try cursor.readSmall(span))
    case .lockReleased: self = .lockReleased
    case .waitCancelled: self = .waitCancelled
    case .memberChanged: self = .memberChanged
    case .settingChanged: self = .settingChanged
    case .unchanged: self = .unchanged
    case .refused: self = .refused(try ControlRefusal(from: span, at: &cursor))
    }
  }
}

/// The canonical form of refusals: one tag byte, then the fields in their declared order.
extension ControlRefusal: WireCodable {
  private enum Tag: UInt8 {
    case conditionFailed = 1
    case storeFull = 2
    case leaseUnknown = 3
    case tooManyLeases = 4
    case leaseFull = 5
    case lockTaken = 6
    case tooManyWaiters = 7
    case notHolder = 8
    case staleToken = 9
    case memberRemoved = 10
    case tooManyMembers = 11
    case lastVoter = 12
    case settingOutOfRange = 13
    case idempotencyReused = 14
    case stale = 15
    case sessionExpired = 16
    case tooManyUnacknowledged = 17
    case leaseOutOfRange = 18
  }

  private var tag: Tag {
    switch self {
    case .conditionFailed: .conditionFailed
    case .storeFull: .storeFull
    case .leaseUnknown: .leaseUnknown
    case .tooManyLeases: .tooManyLeases
    case .leaseFull: .leaseFull
    case .lockTaken: .lockTaken
    case .tooManyWaiters: .tooManyWaiters
    case .notHolder: .notHolder
    case .staleToken: .staleToken
    case .memberRemoved: .memberRemoved
    case .tooManyMembers: .tooManyMembers
    case .lastVoter: .lastVoter
    case .settingOutOfRange: .settingOutOfRange
    case .idempotencyReused: .idempotencyReused
    case .stale: .stale
    case .sessionExpired: .sessionExpired
    case .tooManyUnacknowledged: .tooManyUnacknowledged
    case .leaseOutOfRange: .leaseOutOfRange
    }
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(tag.rawValue)
    switch self {
    case .conditionFailed(let version):
      writer.writeVariable(version)
    case .lockTaken(let holder, let token):
      writer.write(holder)
      writer.writeVariable(token)
    case .staleToken(let token):
      writer.writeVariable(token)
    case .storeFull, .leaseUnknown, .tooManyLeases, .leaseFull, .tooManyWaiters, .notHolder,
      .memberRemoved, .tooManyMembers, .lastVoter, .settingOutOfRange, .idempotencyReused, .stale,
      .sessionExpired, .tooManyUnacknowledged, .leaseOutOfRange:
      break
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    switch try cursor.readCase(span, of: Tag.self) {
    case .conditionFailed: self = .conditionFailed(version: try cursor.readVariable(span))
    case .storeFull: self = .storeFull
    case .leaseUnknown: self = .leaseUnknown
    case .tooManyLeases: self = .tooManyLeases
    case .leaseFull: self = .leaseFull
    case .lockTaken:
      let holder = try cursor.readLease(span)
      self = .lockTaken(holder: holder, token: try cursor.readPositive(span))
    case .tooManyWaiters: self = .tooManyWaiters
    case .notHolder: self = .notHolder
    case .staleToken: self = .staleToken(token: try cursor.readPositive(span))
    case .memberRemoved: self = .memberRemoved
    case .tooManyMembers: self = .tooManyMembers
    case .lastVoter: self = .lastVoter
    case .settingOutOfRange: self = .settingOutOfRange
    case .idempotencyReused: self = .idempotencyReused
    case .stale: self = .stale
    case .sessionExpired: self = .sessionExpired
    case .tooManyUnacknowledged: self = .tooManyUnacknowledged
    case .leaseOutOfRange: self = .leaseOutOfRange
    }
  }
}
