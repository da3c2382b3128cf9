internal import Primitives

extension ControlState {
  /// Answers a question as of the latest revision.
  package func answer(_ query: ControlQuery) -> ControlAnswer {
    ControlAnswer(revision: revision, content: content(query))
  }

  /// The events after a revision that `filter` wants, at least one whole revision and about `limit`
  /// events at most.
  package func events(
    after revision: UInt64, matching filter: ControlFilter, limit: Int = 1_000
  ) -> ControlWatchAnswer {
    history.answer(after: revision, matching: filter, limit: max(limit, 1), latest: self.revision)
  }

  /// Watches can start after this revision or any later one.
  package var historyFloor: UInt64 { history.floor }

  /// All leases in the order of their numbers: whose timers a new leader starts.
  package var leases: [ControlLease] { leaseTable.map { ControlLease($0.key, $0.value) } }

  /// How much there is of everything.
  package var counts: ControlCounts {
    ControlCounts(
      keys: keyTable.count, storeBytes: storeBytes, leases: leaseTable.count,
      locks: lockTable.count,
      waiters: waiterCount, members: memberTable.count, voters: voterCount,
      sessions: sessionTable.sessions.count, results: sessionTable.resultCount,
      idempotencyNames: idempotencyTable.order.count, historyEvents: history.events.count,
      historyBytes: history.byteCount)
  }

  private func content(_ query: ControlQuery) -> ControlAnswer.Content {
    switch query {
    case .get(let key):
      return .entry(keyTable[key].map { ControlEntry(key, $0) })
    case .list(let prefix, let after, let limit):
      let page = page(keyTable, prefix, after, limit) { $0.bytes.count + $1.value.count + 32 }
      return .entries(page.items.map { ControlEntry($0.key, $0.value) }, more: page.more)
    case .lease(let lease):
      return .lease(leaseTable[lease].map { ControlLease(lease, $0) })
    case .leases(let after, let limit):
      let rest = after.map { leaseTable.entries(after: $0) } ?? leaseTable.makeIterator()
      let page = page(rest, limit, while: { _ in true }, bytes: { _, _ in 32 })
      return .leases(page.items.map { ControlLease($0.key, $0.value) }, more: page.more)
    case .lock(let name):
      return .lock(lockTable[name].map { ControlLock(name, $0) })
    case .locks(let prefix, let after, let limit):
      let page = page(lockTable, prefix, after, limit) {
        $0.bytes.count + 10 * $1.waiters.count + 32
      }
      return .locks(page.items.map { ControlLock($0.key, $0.value) }, more: page.more)
    case .members: return .members(members)
    case .settings: return .settings(settings)
    }
  }

  /// The entries whose names start with `prefix`, from the one behind `after` on.
  private func page<Value>(
    _ map: ChunkedMap<ControlName, Value>, _ prefix: [UInt8], _ after: ControlName?, _ limit: Int,
    bytes: (ControlName, Value) -> Int
  ) -> (items: [(key: ControlName, value: Value)], more: Bool) {
    let start = ControlName(bound: prefix)
    let rest =
      if let after, start <= after { map.entries(after: after) } else { map.entries(from: start) }
    return page(rest, limit, while: { $0.hasPrefix(prefix) }, bytes: bytes)
  }

  /// As many entries as an answer may have, and whether there are more.
  private func page<Key, Value>(
    _ entries: ChunkedMap<Key, Value>.Iterator, _ limit: Int, while belongs: (Key) -> Bool,
    bytes: (Key, Value) -> Int
  ) -> (items: [(key: Key, value: Value)], more: Bool) {
    let countMax = min(max(limit, 1), ControlLimits.answerEntriesMax)
    var items: [(key: Key, value: Value)] = []
    var total = 0
    for (key, value) in entries {
      guard belongs(key) else { break }
      if items.count == countMax || total >= ControlLimits.answerBytesMax { return (items, true) }
      total += bytes(key, value)
      items.append((key, value))
    }
    return (items, false)
  }
}

/// How much there is of everything in a control state.
package struct ControlCounts: Hashable, Sendable {
  /// Keys.
  package let keys: Int
  /// Bytes of keys, values and names of locks.
  package let storeBytes: Int
  /// Leases.
  package let leases: Int
  /// Locks that are held.
  package let locks: Int
  /// Leases that wait for a lock, once per lock.
  package let waiters: Int
  /// Members, removed ones included.
  package let members: Int
  /// Members that are to vote.
  package let voters: Int
  /// Sessions.
  package let sessions: Int
  /// Results that sessions have not acknowledged.
  package let results: Int
  /// Results that are remembered by idempotency name.
  package let idempotencyNames: Int
  /// Events in the history.
  package let historyEvents: Int
  /// What they count toward their bound.
  package let historyBytes: Int
}

extension ControlEntry {
  init(_ key: ControlName, _ record: KeyRecord) {
    self.init(
      key: key, value: record.value, version: record.version, created: record.created,
      lease: record.lease)
  }
}

extension ControlLease {
  init(_ id: LeaseID, _ record: LeaseRecord) {
    self.init(
      id: id, ttlMilliseconds: record.ttlMilliseconds, renewals: record.renewals,
      attachments: UInt32(record.attachmentCount))
  }
}

extension ControlLock {
  init(_ name: ControlName, _ record: LockRecord) {
    self.init(name: name, holder: record.holder, token: record.token, waiters: record.waiters)
  }
}
