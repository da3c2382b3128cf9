/// What is stored of a key.
struct KeyRecord: Sendable {
  var value: [UInt8]
  /// The revision at which it was written last.
  var version: UInt64
  /// The revision at which it came to be.
  var created: UInt64
  /// The lease with which it goes.
  var lease: LeaseID?
}

/// What is stored of a lease.
struct LeaseRecord: Sendable {
  let ttlMilliseconds: UInt32
  /// How often it was renewed.
  var renewals: UInt64 = 0
  /// How many attachments it has.
  var attachmentCount = 0
}

/// What is stored of a lock that is held.
struct LockRecord: Sendable {
  var holder: LeaseID
  /// The revision at which the holder got it.
  var token: UInt64
  /// Who waits, first come first.
  var waiters: [LeaseID] = []
}

/// What is stored of a member.
struct MemberRecord: Sendable {
  /// What it is to be; `nil`: it was removed.
  var role: ControlRole?
}

/// A key that goes with a lease, or a lock that the lease holds or waits for.
struct Attachment: Comparable, Sendable {
  enum Kind: UInt8, Sendable {
    case key = 0
    case lock = 1
  }

  let lease: LeaseID
  let kind: Kind
  let name: ControlName

  /// What comes before all attachments of a lease.
  static func start(of lease: LeaseID) -> Attachment {
    Attachment(lease: lease, kind: .key, name: ControlName(bound: []))
  }

  static func < (left: Attachment, right: Attachment) -> Bool {
    if left.lease != right.lease { return left.lease < right.lease }
    if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
    return left.name < right.name
  }
}
