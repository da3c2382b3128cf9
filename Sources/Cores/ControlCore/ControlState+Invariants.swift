internal import Primitives
internal import Records

extension ControlState {
  /// The first invariant, by number, that does not hold. Takes time in proportion to the state's
  /// size: for tests and the simulator.
  package var brokenInvariant: String? {
    let maps = [
      memberTable.brokenInvariant, keyTable.brokenInvariant, leaseTable.brokenInvariant,
      lockTable.brokenInvariant, attachments.brokenInvariant,
      sessionTable.sessions.brokenInvariant, idempotencyTable.order.brokenInvariant,
      idempotencyTable.entries.brokenInvariant, history.events.brokenInvariant,
    ]
    if let broken = maps.compactMap({ $0 }).first { return "map \(broken)" }
    return brokenRevision ?? brokenAttachment ?? brokenCount ?? brokenMemory
  }

  private var brokenRevision: String? {
    if revision > appliedIndex { return "1: revision \(revision) at index \(appliedIndex)" }
    for (key, record) in keyTable {
      let isOrdered = 1 <= record.created && record.created <= record.version
      if !isOrdered || record.version > revision { return "1: versions of \(key)" }
    }
    for (lease, record) in leaseTable {
      if lease.value > revision || record.renewals > revision - lease.value {
        return "1: lease \(lease)"
      }
    }
    for (name, lock) in lockTable {
      if lock.token > revision || lock.token < lock.holder.value { return "1: token of \(name)" }
    }
    return nil
  }

  private var brokenAttachment: String? {
    var expected: [Attachment] = []
    for (key, record) in keyTable {
      if let lease = record.lease {
        expected.append(Attachment(lease: lease, kind: .key, name: key))
      }
    }
    for (name, lock) in lockTable {
      for lease in [lock.holder] + lock.waiters {
        expected.append(Attachment(lease: lease, kind: .lock, name: name))
      }
    }
    expected.sort()
    if zip(expected, expected.dropFirst()).contains(where: { $0 == $1 }) {
      return "3: a lease is twice at one lock"
    }
    guard expected == attachments.map(\.key) else { return "2: attachments" }
    var counted = ChunkedMap<LeaseID, Int>()
    for attachment in expected { counted[attachment.lease] = (counted[attachment.lease] ?? 0) + 1 }
    for (lease, record) in leaseTable {
      if record.attachmentCount != counted.removeValue(forKey: lease) ?? 0 {
        return "2: lease \(lease) counts \(record.attachmentCount)"
      }
    }
    return counted.isEmpty ? nil : "2: attached to no lease"
  }

  private var brokenCount: String? {
    let keyBytes = keyTable.reduce(0) { $0 + $1.key.bytes.count + $1.value.value.count }
    let lockBytes = lockTable.reduce(0) { $0 + $1.key.bytes.count }
    if storeBytes != keyBytes + lockBytes { return "4: \(storeBytes) bytes" }
    if waiterCount != lockTable.reduce(0, { $0 + $1.value.waiters.count }) { return "4: waiters" }
    let silent = founders.count { member($0) == nil }
    if voterCount != members.count(where: { $0.role == .voter }) + silent { return "4: voters" }
    let isBounded =
      storeBytes <= bounds.storeBytes && keyTable.count <= bounds.keyCount
      && leaseTable.count <= bounds.leases && lockTable.count <= bounds.locks
      && waiterCount <= bounds.waiters && memberTable.count <= ControlLimits.membersMax
      && leaseTable.allSatisfy {
        $0.value.attachmentCount <= bounds.attachmentsPerLease
      }
      && lockTable.allSatisfy { $0.value.waiters.count <= ControlLimits.waitersPerLockMax }
    return isBounded ? nil : "4: a bound is exceeded"
  }

  private var brokenMemory: String? {
    var results = 0
    for (number, session) in sessionTable.sessions {
      if let first = session.results.first, first.key < session.acknowledgedBelow {
        return "5: session \(number) keeps result \(first.key)"
      }
      if session.lastUsed > appliedIndex { return "5: session \(number) was used later" }
      if session.results.count > bounds.resultsPerSession { return "4: results" }
      results += session.results.count
    }
    guard results == sessionTable.resultCount, results <= bounds.results,
      sessionTable.sessions.count <= bounds.sessions
    else { return "4: results" }
    let names = idempotencyTable
    guard names.order.count == names.entries.count,
      names.order.count <= bounds.idempotencyNames,
      names.order.allSatisfy({ names[$0.value]?.ordinal == $0.key })
    else { return "6: names and their order" }
    if let first = history.events.first, first.key.revision <= history.floor {
      return "7: an event below the floor"
    }
    if let last = history.events.last, last.key.revision > revision { return "7: a later event" }
    let bytes = history.events.reduce(0) { $0 + $1.value.byteCount }
    guard bytes == history.byteCount, bytes <= bounds.historyBytes,
      history.events.count <= bounds.historyEvents
    else { return "4: the history's bound" }
    return nil
  }
}
