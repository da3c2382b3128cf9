internal import Primitives

/// The latest events, for watches to catch up from. Revisions leave whole, the oldest first.
struct EventHistory: Sendable {
  /// Where an event stands.
  struct Place: Comparable, Sendable {
    /// When it happened.
    let revision: UInt64
    /// Its place among the events of its revision.
    let ordinal: UInt32

    static func < (left: Place, right: Place) -> Bool {
      left.revision != right.revision
        ? left.revision < right.revision : left.ordinal < right.ordinal
    }
  }

  /// The most events that one question looks at, beyond which it ends at the next revision.
  static let lookedAtMax = 8_192

  /// The events.
  private(set) var events = ChunkedMap<Place, ControlEvent>()
  /// What they count.
  private(set) var byteCount = 0
  /// Events at or before this revision may be gone; all later ones are here.
  private(set) var floor: UInt64

  /// Makes an empty history of a state of this revision.
  init(floor: UInt64) {
    self.floor = floor
  }

  /// Adds an event, of the revision of the last one or a later one.
  mutating func append(_ event: ControlEvent, revision: UInt64) {
    var ordinal: UInt32 = 0
    if let last = events.last?.key, last.revision == revision { ordinal = last.ordinal + 1 }
    byteCount += event.byteCount
    events.append(Place(revision: revision, ordinal: ordinal), event)
  }

  /// Lets the oldest revisions go until the bounds are kept.
  mutating func trim(to bounds: ControlBounds) {
    while events.count > bounds.historyEvents
      || byteCount > bounds.historyBytes
    {
      guard let revision = events.first?.key.revision else { return }
      while let first = events.first, first.key.revision == revision {
        byteCount -= first.value.byteCount
        events.popFirst()
      }
      floor = revision
    }
  }

  /// The wanted events after a revision, at least one whole revision and about `limit` events at
  /// most; `latest` is the state's revision.
  func answer(
    after: UInt64, matching filter: ControlFilter, limit: Int, latest: UInt64
  ) -> ControlWatchAnswer {
    if after < floor { return .compacted(oldest: floor) }
    var wanted: [ControlEventRecord] = []
    var lookedAt = 0
    var bytes = 0
    var previous = after
    for (place, event) in events.entries(after: Place(revision: after, ordinal: .max)) {
      let isFull =
        wanted.count >= limit || bytes >= ControlLimits.answerBytesMax
        || lookedAt >= EventHistory.lookedAtMax
      if place.revision != previous {
        if isFull { return .events(wanted, through: previous) }
        previous = place.revision
      }
      lookedAt += 1
      if filter.wants(event) {
        wanted.append(ControlEventRecord(revision: place.revision, event: event))
        bytes += event.byteCount
      }
    }
    return .events(wanted, through: max(after, latest))
  }
}
