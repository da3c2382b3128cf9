internal import Primitives
package import Records
package import Wire

/// Restoring a state from bytes that a peer may have made up: every rule that later steps rely on
/// is checked, so that what is accepted is a state that commands could have led to, as far as
/// those steps can tell.
extension ControlState {
  /// Restores a state that reflects commands up to `index` at most; its history is empty.
  package init(
    snapshot bytes: [UInt8], through index: UInt64, bounds: ControlBounds = .standard,
    founders: [NodeID] = []
  ) throws(WireError) {
    self.init(bounds: bounds, founders: founders)
    var cursor = WireCursor()
    let span = bytes.span.bytes
    let format = try cursor.readUInt8(span)
    guard format == 1 else { throw .unknownTag(format) }
    appliedIndex = try cursor.readVariable(span, limit: index)
    revision = try cursor.readVariable(span, limit: appliedIndex)
    settings = try ControlSettings(from: span, at: &cursor)
    try readMembers(span, &cursor)
    try readLeases(span, &cursor)
    try readKeys(span, &cursor)
    try readLocks(span, &cursor)
    try readSessions(span, &cursor)
    try readIdempotency(span, &cursor)
    try cursor.expectEnd(span)
    try attachAll()
    history = EventHistory(floor: revision)
  }

  private mutating func readMembers(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) {
    let count = try cursor.readCount(
      span, limit: ControlLimits.membersMax, bytesEach: Digest.byteCount + 1)
    for _ in 0..<count {
      let member = try ControlMember(from: span, at: &cursor)
      try memberTable.expectAscending(member.node)
      memberTable.append(member.node, MemberRecord(role: member.role))
      if founders.contains(member.node) { voterCount -= 1 }
      if member.role == .voter { voterCount += 1 }
    }
  }

  private mutating func readLeases(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) {
    let count = try cursor.readCount(span, limit: bounds.leases, bytesEach: 3)
    for _ in 0..<count {
      let lease = try cursor.readLease(span)
      let ttlMilliseconds = try cursor.readSmall(span)
      let renewals = try cursor.readVariable(span)
      try leaseTable.expectAscending(lease)
      // Each renewal took a revision after the one that granted the lease.
      guard lease.value <= revision, renewals <= revision - lease.value,
        ControlLimits.leaseMilliseconds.contains(ttlMilliseconds)
      else { throw .invalid("a lease that cannot have been granted") }
      leaseTable.append(lease, LeaseRecord(ttlMilliseconds: ttlMilliseconds, renewals: renewals))
    }
  }

  private mutating func readKeys(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) {
    let count = try cursor.readCount(span, limit: bounds.keyCount, bytesEach: 6)
    for _ in 0..<count {
      let entry = try ControlEntry(from: span, at: &cursor)
      try keyTable.expectAscending(entry.key)
      guard entry.version <= revision else { throw .invalid("a key of a later revision") }
      try charge(entry.key.bytes.count + entry.value.count)
      keyTable.append(
        entry.key,
        KeyRecord(
          value: entry.value, version: entry.version, created: entry.created, lease: entry.lease))
    }
  }

  private mutating func readLocks(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) {
    let count = try cursor.readCount(span, limit: bounds.locks, bytesEach: 5)
    for _ in 0..<count {
      let lock = try ControlLock(from: span, at: &cursor)
      try lockTable.expectAscending(lock.name)
      guard lock.token <= revision, lock.token >= lock.holder.value else {
        throw .invalid("a lock of another revision")
      }
      try charge(lock.name.bytes.count)
      waiterCount += lock.waiters.count
      if waiterCount > bounds.waiters { throw .overLimit }
      lockTable.append(
        lock.name, LockRecord(holder: lock.holder, token: lock.token, waiters: lock.waiters))
    }
  }

  private mutating func charge(_ bytes: Int) throws(WireError) {
    storeBytes += bytes
    if storeBytes > bounds.storeBytes { throw .overLimit }
  }

  private mutating func readSessions(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) {
    let forgotten = try cursor.readVariable(span, limit: appliedIndex)
    sessionTable = SessionTable(forgottenThrough: forgotten)
    let count = try cursor.readCount(span, limit: bounds.sessions, bytesEach: 11)
    for _ in 0..<count {
      let number = try cursor.readUInt64(span)
      if number == 0 { throw .invalid("a session 0") }
      try sessionTable.sessions.expectAscending(number)
      var session = SessionTable.Session(
        lastUsed: try cursor.readVariable(span, limit: appliedIndex),
        acknowledgedBelow: try cursor.readVariable(span))
      let resultCount = try cursor.readCount(
        span, limit: bounds.resultsPerSession, bytesEach: 3)
      for _ in 0..<resultCount {
        let sequence = try cursor.readPositive(span)
        guard sequence >= session.acknowledgedBelow else {
          throw .invalid("a result that is acknowledged")
        }
        try session.results.expectAscending(sequence)
        session.results.append(sequence, try readResult(span, &cursor))
      }
      sessionTable.append(number, session)
      if sessionTable.resultCount > bounds.results { throw .overLimit }
    }
  }

  private mutating func readIdempotency(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) {
    let count = try cursor.readCount(span, limit: bounds.idempotencyNames, bytesEach: 50)
    for _ in 0..<count {
      let name = try cursor.readIdentifier(span, of: ControlIdempotency.self)
      if idempotencyTable[name] != nil { throw .notCanonical }
      let operation = try cursor.readDigest(span)
      idempotencyTable.remember(
        name, operation: operation, result: try readResult(span, &cursor), bounds)
    }
  }

  private func readResult(
    _ span: borrowing RawSpan, _ cursor: inout WireCursor
  ) throws(WireError) -> ControlResult {
    let result = try ControlResult(from: span, at: &cursor)
    if result.revision > revision { throw .invalid("a result of a later revision") }
    return result
  }

  /// Attaches keys and locks to their leases, which must exist and have room.
  private mutating func attachAll() throws(WireError) {
    var all: [Attachment] = []
    for (key, record) in keyTable {
      if let lease = record.lease { all.append(Attachment(lease: lease, kind: .key, name: key)) }
    }
    for (name, record) in lockTable {
      all.append(Attachment(lease: record.holder, kind: .lock, name: name))
      for waiter in record.waiters {
        all.append(Attachment(lease: waiter, kind: .lock, name: name))
      }
    }
    all.sort()
    for attachment in all {
      // Also refuses a lease that waits twice or for what it holds.
      try attachments.expectAscending(attachment)
      if let refusal = attachmentProblem(attachment.lease) {
        throw refusal == .leaseUnknown ? .invalid("a lease that does not exist") : .overLimit
      }
      attachments.append(attachment, ())
      leaseTable[leaseTable.search(attachment.lease)].attachmentCount += 1
    }
  }
}

extension ChunkedMap {
  /// Refuses a key that does not come after all others.
  fileprivate func expectAscending(_ key: Key) throws(WireError) {
    if let last, !(last.key < key) { throw .notCanonical }
  }
}
