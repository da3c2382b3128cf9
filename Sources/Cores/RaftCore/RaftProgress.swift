package import Primitives
package import Records

/// What a leader knows of one member's log.
package struct RaftProgress: Sendable {
  /// How the leader sends to a member.
  package enum State: UInt8, Sendable {
    /// One message at a time, until it is known where the logs meet.
    case probe = 0
    /// Message after message, without waiting.
    case replicate = 1
    /// Nothing: it fetches a snapshot.
    case snapshot = 2
  }

  /// The member.
  package let id: RaftID
  /// How the leader sends to it.
  package internal(set) var state = State.probe
  /// Everything up to here is durable there.
  package internal(set) var match: UInt64 = 0
  /// The next entry to send.
  package internal(set) var next: UInt64
  /// When it was last heard, in this term.
  package internal(set) var lastHeard: Instant

  /// The last round it has answered.
  var round: UInt64 = 0
  /// The highest commit it was told with entries.
  var commitTold: UInt64 = 0
  /// While probing: a message is on its way.
  var isPaused = false
  /// It may lack what was sent: send something, if only to hear that.
  var isProbeDue = false
  /// It asked for a sign of life.
  var isBeatDue = false
  /// It is no member any more, and stays until it was told.
  var isLeaving = false
  /// Appends on their way, oldest first: last index and bytes of each.
  var inflight: [(last: UInt64, bytes: Int)] = []
  var inflightHead = 0
  var inflightBytes = 0
  /// The snapshot it is to fetch: kept for it even when a newer one is taken meanwhile.
  var snapshot: RaftSnapshot?
  /// When it last showed that it fetches.
  var snapshotActivity = Instant.origin
  /// The offer of a snapshot is to be repeated.
  var isOfferDue = false
  /// Chunks to send to it at the end of the turn.
  var chunksDue: [UInt32] = []

  init(id: RaftID, next: UInt64, at now: Instant) {
    self.id = id
    self.next = next
    lastHeard = now
  }

  /// Goes back to one message at a time, from behind what it surely has.
  mutating func probe() {
    next = match + 1
    enter(.probe)
  }

  /// Sends without waiting.
  mutating func replicate() {
    next = match + 1
    enter(.replicate)
  }

  /// Waits until it has fetched a snapshot.
  mutating func fetch(_ snapshot: RaftSnapshot, at now: Instant) {
    enter(.snapshot)
    self.snapshot = snapshot
    snapshotActivity = now
  }

  private mutating func enter(_ state: State) {
    self.state = state
    isPaused = false
    isProbeDue = false
    snapshot = nil
    chunksDue.removeAll(keepingCapacity: true)
    inflight.removeAll(keepingCapacity: true)
    inflightHead = 0
    inflightBytes = 0
  }

  /// Takes note that everything up to `index` is there. Never goes back.
  mutating func accept(_ index: UInt64) {
    while inflightHead < inflight.count, inflight[inflightHead].last <= index {
      inflightBytes -= inflight[inflightHead].bytes
      inflightHead += 1
    }
    if inflightHead == inflight.count {
      inflight.removeAll(keepingCapacity: true)
      inflightHead = 0
    } else if inflightHead >= 1_024 {
      inflight.removeSubrange(..<inflightHead)
      inflightHead = 0
    }
    isPaused = false
    next = max(next, index + 1)
    match = max(match, index)
  }

  /// Takes note that the entry before appended ones was not there, unless that is old news.
  mutating func reject(_ previous: UInt64, agreeingUpTo hint: UInt64) {
    switch state {
    case .replicate:
      guard previous > match else { return }
      probe()
      next = max(match + 1, min(previous, hint + 1))
    case .probe:
      guard previous == next - 1, previous > match else { return }
      next = max(match + 1, min(previous, hint + 1))
      isPaused = false
    case .snapshot:
      break
    }
  }

  /// Takes note that entries up to `last` were sent.
  mutating func sent(through last: UInt64, bytes: Int) {
    inflight.append((last, bytes))
    inflightBytes += bytes
    next = last + 1
  }

  /// Whether one more message may be on its way.
  func hasRoom(_ settings: RaftSettings) -> Bool {
    inflight.count - inflightHead < settings.inflightMessagesMax
      && inflightBytes < settings.inflightBytesMax
  }
}
