/// Judges what watches delivered against what is known to have been written.
///
/// Each `watch` operation of a history covers the revisions above its `after` up to and including
/// its `through`; a stream is recorded as one such operation per part, each resuming where the last
/// ended. Deliveries are judged against writes whose revision was told, and against each other:
/// what one watch delivered was written, so every watch that covers it has to deliver it. Events of
/// one revision have different keys: one command can change several.
package enum WatchCheck {
  /// A key at a revision.
  private struct Place: Hashable {
    let revision: UInt64
    let key: [UInt8]
  }

  private struct Change: Hashable {
    let key: [UInt8]
    /// `nil` for a removal.
    let value: [UInt8]?
  }

  /// What is known of the writes.
  private struct Writes {
    /// Writes whose revision was told.
    var known: [Place: Change] = [:]
    /// Writes whose revision was not told.
    var open: Set<Change> = []
    /// Other changes that a watch delivered, the first to do so counting.
    var delivered: [Place: Change] = [:]
    /// All of them, in the order of revisions.
    var places: [Place] = []
  }

  /// Checks every watch of the history.
  package static func check(_ history: History) -> HistoryFaults {
    var faults = HistoryFaults()
    let writes = writes(of: history)
    for record in history.records {
      guard case .watch(let after) = record.operation,
        case .observed(let through, let events) = record.result
      else { continue }
      checkOrder(events, within: (after, through), record, &faults)
      checkOrigin(events, writes, record, &faults)
      checkGaps(events, within: (after, through), writes.places, record, &faults)
    }
    return faults
  }

  private static func writes(of history: History) -> Writes {
    var writes = Writes()
    for record in history.records {
      guard let change = change(by: record) else { continue }
      if let revision = record.writtenVersion {
        writes.known[Place(revision: revision, key: change.key)] = change
      } else if record.result == .unknown || record.result == .deleted(version: nil) {
        writes.open.insert(change)
      }
    }
    for record in history.records {
      guard case .observed(_, let events) = record.result else { continue }
      for event in events {
        let (place, change) = parts(of: event)
        if writes.known[place] == nil, writes.delivered[place] == nil {
          writes.delivered[place] = change
        }
      }
    }
    writes.places = (Array(writes.known.keys) + writes.delivered.keys).sorted {
      $0.revision != $1.revision
        ? $0.revision < $1.revision : $0.key.lexicographicallyPrecedes($1.key)
    }
    return writes
  }

  private static func change(by record: HistoryRecord) -> Change? {
    switch record.operation {
    case .put(let value), .compareAndSet(_, let value):
      Change(key: Array(record.key.utf8), value: Array(value.utf8))
    case .delete: Change(key: Array(record.key.utf8), value: nil)
    case .get, .lock, .unlock, .watch: nil
    }
  }

  private static func parts(of event: WatchEvent) -> (Place, Change) {
    let key = Array(event.key.utf8)
    let change = Change(key: key, value: event.value.map { Array($0.utf8) })
    return (Place(revision: event.revision, key: key), change)
  }

  private static func checkOrder(
    _ events: [WatchEvent], within range: (after: UInt64, through: UInt64),
    _ record: HistoryRecord, _ faults: inout HistoryFaults
  ) {
    var last = range.after
    var seen: Set<Place> = []
    for event in events {
      let detail =
        if event.revision <= range.after || event.revision < last {
          "revision \(event.revision) after \(last)"
        } else if event.revision > range.through {
          "revision \(event.revision) beyond \(range.through)"
        } else if !seen.insert(parts(of: event).0).inserted {
          "revision \(event.revision) of \"\(event.key)\" twice"
        } else {
          ""
        }
      if !detail.isEmpty {
        faults.add(.watchOrder, record.key, "\(detail), to client \(record.client)")
      }
      last = max(last, event.revision)
    }
  }

  private static func checkOrigin(
    _ events: [WatchEvent], _ writes: Writes, _ record: HistoryRecord,
    _ faults: inout HistoryFaults
  ) {
    for event in events {
      let (place, change) = parts(of: event)
      let isWatched = change.key.starts(with: record.key.utf8)
      let isWritten =
        writes.known[place].map { $0 == change }
        ?? (writes.open.contains(change) && writes.delivered[place] == change)
      guard !isWatched || !isWritten else { continue }
      let value = event.value.map { "\"\($0)\"" } ?? "a removal"
      faults.add(
        .watchInvention, record.key,
        "\(value) of \"\(event.key)\" at revision \(event.revision), to client \(record.client)")
    }
  }

  private static func checkGaps(
    _ events: [WatchEvent], within range: (after: UInt64, through: UInt64), _ places: [Place],
    _ record: HistoryRecord, _ faults: inout HistoryFaults
  ) {
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle].revision <= range.after { low = middle + 1 } else { high = middle }
    }
    let delivered = Set(events.map { parts(of: $0).0 })
    for place in places[low...].prefix(while: { $0.revision <= range.through })
    where place.key.starts(with: record.key.utf8) && !delivered.contains(place) {
      let key = String(decoding: place.key, as: UTF8.self)
      faults.add(
        .watchGap, record.key,
        "revision \(place.revision) of \"\(key)\" is missing, to client \(record.client)")
    }
  }
}
