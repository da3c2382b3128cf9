/// The bounds of the control state. What reaches one is refused or leaves, as each says.
///
/// Together they keep a snapshot below the 128 MiB that a `RaftSnapshot` may have.
package enum ControlLimits {
  /// Bytes of a key's or lock's name.
  package static let nameBytes = 1...512
  /// Bytes of a value.
  package static let valueBytesMax = 64 * 1_024
  /// Bytes of all keys, values and names of locks; beyond: `storeFull`.
  package static let storeBytesMax = 64 * 1_024 * 1_024
  /// Keys; beyond: `storeFull`.
  package static let keysMax = 1_000_000
  /// Leases; beyond: `tooManyLeases`.
  package static let leasesMax = 100_000
  /// Milliseconds that a lease may be granted for.
  package static let leaseMilliseconds: ClosedRange<UInt32> = 500...86_400_000
  /// Keys attached to one lease and locks that it holds or waits for; beyond: `leaseFull`. Bounds
  /// what the end of a lease does at once.
  package static let attachmentsPerLeaseMax = 4_096
  /// Locks that are held; beyond: `storeFull`.
  package static let locksMax = 100_000
  /// Leases that wait for one lock; beyond: `tooManyWaiters`.
  package static let waitersPerLockMax = 1_024
  /// Leases that wait for any lock; beyond: `tooManyWaiters`.
  package static let waitersMax = 200_000
  /// Members, removed ones included; beyond: `tooManyMembers`.
  package static let membersMax = 4_096
  /// Sessions; beyond, the least recently used leaves.
  package static let sessionsMax = 1_024
  /// Results that a session keeps; beyond: `tooManyUnacknowledged`.
  package static let resultsPerSessionMax = 4_096
  /// Results that all sessions keep; beyond, the least recently used session leaves.
  package static let resultsMax = 262_144
  /// Results that are remembered by idempotency name; beyond, the oldest leaves.
  package static let idempotencyMax = 16_384
  /// Events in the history; beyond, the oldest revisions leave.
  package static let historyEventsMax = 65_536
  /// Bytes of the history, by `ControlEvent.byteCount`; beyond, the oldest revisions leave.
  package static let historyBytesMax = 16 * 1_024 * 1_024
  /// Entries of one answer.
  package static let answerEntriesMax = 1_000
  /// Bytes of one answer after which no further entry is added.
  package static let answerBytesMax = 512 * 1_024
}
