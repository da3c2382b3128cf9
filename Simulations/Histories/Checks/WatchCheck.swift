/// Judges what watches delivered against what is known to have been written.
///
/// Each `watch` operation of a history covers the revisions above its `after` up to and including
/// its `through`; a stream is recorded as one such operation per part, each resuming where the last
/// ended. Deliveries are judged against writes whose revision was told, and against each other.
package enum WatchCheck {
  private struct Change: Hashable {
    let key: [UInt8]
    let value: [UInt8]?
  }

  /// Checks every watch of the history.
  package static func check(_ history: History) -> HistoryFaults {
    var faults = HistoryFaults()
    var changes: [(revision: UInt64, change: Change)] = []
    var unknown: Set<Change> = []
    for record in history.records {
      guard let change = change(by: record) else { continue }
      if let revision = record.writtenVersion {
        changes.append((revision, change))
      } else if record.result == .unknown || record.result == .deleted(version: nil) {
        unknown.insert(change)
      }
    }
    let known = Dictionary(changes.map { ($0.revision, $0.change) }) { first, _ in first }
    // What one watch delivered was written, so every watch that covers it has to deliver it.
    var delivered: [UInt64: Change] = [:]
    for record in history.records {
      guard case .observed(_, let events) = record.result else { continue }
      for event in events where known[event.revision] == nil && delivered[event.revision] == nil {
        let change = Change(key: Array(event.key.utf8), value: event.value.map { Array($0.utf8) })
        delivered[event.revision] = change
        changes.append((event.revision, change))
      }
    }
    changes.sort { $0.revision < $1.revision }
    for record in history.records {
      guard case .watch(let after) = record.operation,
        case .observed(let through, let events) = record.result
      else { continue }
      checkOrder(events, within: (after, through), record, &faults)
      checkOrigin(events, known, delivered, unknown, record, &faults)
      checkGaps(events, within: (after, through), changes, record, &faults)
    }
    return faults
  }

  private static func change(by record: HistoryRecord) -> Change? {
    switch record.operation {
    case .put(let value), .compareAndSet(_, let value):
      Change(key: Array(record.key.utf8), value: Array(value.utf8))
    case .delete: Change(key: Array(record.key.utf8), value: nil)
    case .get, .lock, .unlock, .watch: nil
    }
  }

  private static func checkOrder(
    _ events: [WatchEvent], within range: (after: UInt64, through: UInt64),
    _ record: HistoryRecord, _ faults: inout HistoryFaults
  ) {
    var last = range.after
    for event in events {
      if event.revision <= last {
        faults.add(
          .watchOrder, record.key,
          "revision \(event.revision) after \(last), to client \(record.client)")
      }
      if event.revision > range.through {
        faults.add(
          .watchOrder, record.key,
          "revision \(event.revision) beyond \(range.through), to client \(record.client)")
      }
      last = max(last, event.revision)
    }
  }

  private static func checkOrigin(
    _ events: [WatchEvent], _ known: [UInt64: Change], _ delivered: [UInt64: Change],
    _ unknown: Set<Change>, _ record: HistoryRecord, _ faults: inout HistoryFaults
  ) {
    for event in events {
      let change = Change(key: Array(event.key.utf8), value: event.value.map { Array($0.utf8) })
      let isWatched = change.key.starts(with: record.key.utf8)
      let isKnown =
        known[event.revision].map { $0 == change }
        ?? (unknown.contains(change) && delivered[event.revision] == change)
      guard !isWatched || !isKnown else { continue }
      let value = event.value.map { "\"\($0)\"" } ?? "a removal"
      faults.add(
        .watchInvention, record.key,
        "\(value) of \"\(event.key)\" at revision \(event.revision), to client \(record.client)")
    }
  }

  private static func checkGaps(
    _ events: [WatchEvent], within range: (after: UInt64, through: UInt64),
    _ changes: [(revision: UInt64, change: Change)], _ record: HistoryRecord,
    _ faults: inout HistoryFaults
  ) {
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].revision <= range.after { low = middle + 1 } else { high = middle }
    }
    let revisions = Set(events.map(\.revision))
    while low < changes.count, changes[low].revision <= range.through {
      let (revision, change) = changes[low]
      low += 1
      guard change.key.starts(with: record.key.utf8), !revisions.contains(revision) else {
        continue
      }
      let key = String(decoding: change.key, as: UTF8.self)
      faults.add(
        .watchGap, record.key,
        "revision \(revision) of \"\(key)\" is missing, to client \(record.client)")
    }
  }
}
