internal import Primitives
internal import Records

/// A snapshot that is being fetched, chunk by chunk.
struct IncomingSnapshot: Sendable {
  let head: RaftSnapshotHead
  var chunks: [[UInt8]?]
  var received = 0
  /// Chunks that were asked for and have not come.
  var outstanding: [UInt32] = []
  /// When to ask again.
  var deadline: Instant

  init(_ head: RaftSnapshotHead, deadline: Instant) {
    self.head = head
    chunks = Array(repeating: nil, count: head.chunkDigests.count)
    self.deadline = deadline
  }
}

extension Raft {
  // MARK: Of this node's own state

  /// Asks the owner for a snapshot when the log has grown enough since the last one.
  mutating func wantSnapshot(into effects: inout RaftEffects) {
    guard snapshotUnderWay == nil, applied > snapshotIndex, !disk.isInstalling,
      applied - snapshotIndex >= settings.snapshotAfterEntries
        || bytesSinceSnapshot >= settings.snapshotAfterBytes,
      disk.persistedIndex >= applied, let entryTerm = log.term(at: applied),
      configurations.configuration(at: applied)?.members.isEmpty == false
    else { return }
    snapshotUnderWay = applied
    effects.snapshotWanted = .init(index: applied, term: entryTerm)
  }

  /// Takes the owner's snapshot, and forgets the entries that nobody should need any more.
  mutating func takeSnapshot(_ index: UInt64, _ bytes: [UInt8], into effects: inout RaftEffects) {
    guard snapshotUnderWay == index else { return }
    snapshotUnderWay = nil
    guard index > snapshotIndex, let entryTerm = log.term(at: index),
      let configuration = configurations.configuration(at: index)
    else { return }
    let taken = RaftSnapshot(
      index: index, term: entryTerm, configuration: configuration, bytes: bytes)
    snapshot = taken
    bytesSinceSnapshot = 0
    if applied > index {
      for entry in log.slice(index + 1, applied) { bytesSinceSnapshot += entry.byteCount }
    }
    disk.taken = taken
    let kept = firstKept(behind: index)
    if kept > log.baseIndex + 1 {
      log.compact(through: kept - 1)
      disk.compacted = kept - 1
    }
    configurations.compact(through: index)
  }

  /// The first entry that stays in the log behind a snapshot.
  private func firstKept(behind index: UInt64) -> UInt64 {
    var first = index + 1
    var bytes = 0
    while first > log.baseIndex + 1, index + 1 - first < settings.keepEntries {
      bytes += log.entry(at: first - 1).byteCount
      if bytes > settings.keepBytes { break }
      first -= 1
    }
    return first
  }

  // MARK: As a leader

  /// Offers the newest snapshot to a member that lacks what the log no longer holds.
  mutating func offerSnapshot(_ place: Int, at now: Instant, into effects: inout RaftEffects) {
    guard let snapshot else {
      preconditionFailure("R3: the log begins at \(log.baseIndex + 1) without a snapshot")
    }
    progress[place].fetch(snapshot, at: now)
    send(.snapshotOffer(snapshot.head), to: progress[place].id, into: &effects)
    effects.notices.append(
      .snapshotOffered(to: progress[place].id, index: snapshot.head.index))
  }

  /// Takes note of a wish for a chunk.
  mutating func pulled(
    _ place: Int, _ name: (index: UInt64, term: UInt64), _ chunk: UInt32, at now: Instant
  ) {
    guard let offered = progress[place].snapshot else { return }
    guard offered.head.index == name.index, offered.head.term == name.term,
      Int(chunk) < offered.chunks.count
    else {
      progress[place].isOfferDue = true
      return
    }
    progress[place].snapshotActivity = now
    guard progress[place].chunksDue.count < settings.pullWindow,
      !progress[place].chunksDue.contains(chunk)
    else { return }
    progress[place].chunksDue.append(chunk)
  }

  /// Sends the chunks that were asked for; repeats the offer to who does not seem to know it.
  mutating func sendChunks(_ place: Int, at now: Instant, into effects: inout RaftEffects) {
    guard let offered = progress[place].snapshot else {
      preconditionFailure("R3: \(progress[place].id) is to fetch nothing")
    }
    let peer = progress[place].id
    let isIdle =
      progress[place].isProbeDue
      && progress[place].snapshotActivity + settings.pullTimeout <= now
    if progress[place].isOfferDue || isIdle {
      progress[place].isOfferDue = false
      send(.snapshotOffer(offered.head), to: peer, into: &effects)
    }
    for chunk in progress[place].chunksDue {
      send(
        .snapshotChunk(
          index: offered.head.index, entryTerm: offered.head.term, chunk: chunk,
          bytes: offered.chunks[Int(chunk)]),
        to: peer, into: &effects)
    }
    progress[place].chunksDue.removeAll(keepingCapacity: true)
  }

  // MARK: As a follower

  /// Takes an offer: fetches the snapshot, or finds that it has what is in it.
  mutating func take(
    _ head: RaftSnapshotHead, _ message: RaftMessage, at now: Instant,
    into effects: inout RaftEffects
  ) {
    guard head.term <= message.term, !head.configuration.voters.isEmpty,
      head.index <= RaftLimits.numberMax
    else { return refuse(message, .content, into: &effects) }
    if head.index <= commit || log.term(at: head.index) == head.term {
      // Two logs with one entry in common have all before it in common.
      commit = max(commit, head.index)
      // What is committed is as in every leader's log; the offered entry may be compacted here.
      matched = max(matched, commit)
      isAcknowledgementDue = true
      incoming = nil
      return
    }
    if incoming?.head != head {
      incoming = IncomingSnapshot(head, deadline: now + settings.pullTimeout)
    }
    pullAgain(at: now, into: &effects)
  }

  /// Asks again for everything that was asked for and has not come.
  mutating func pullAgain(at now: Instant, into effects: inout RaftEffects) {
    incoming?.outstanding.removeAll(keepingCapacity: true)
    pull(at: now, into: &effects)
  }

  /// Asks for as many chunks as the window allows; takes the snapshot when all are there.
  private mutating func pull(at now: Instant, into effects: inout RaftEffects) {
    guard var fetching = incoming else { return }
    // Held once: a copy of the chunks would be made where both are written.
    incoming = nil
    if fetching.head.index <= commit { return }
    if fetching.received == fetching.chunks.count {
      return install(fetching, into: &effects)
    }
    fetching.deadline = now + settings.pullTimeout
    if role == .follower, let leader {
      for chunk in fetching.chunks.indices {
        if fetching.outstanding.count >= settings.pullWindow { break }
        let number = UInt32(chunk)
        guard fetching.chunks[chunk] == nil, !fetching.outstanding.contains(number) else {
          continue
        }
        fetching.outstanding.append(number)
        send(
          .snapshotPull(
            index: fetching.head.index, entryTerm: fetching.head.term, chunk: number),
          to: leader, into: &effects)
      }
    }
    incoming = fetching
  }

  /// Takes a chunk, whoever it came from: its digest speaks for it.
  mutating func take(
    chunk: UInt32, of name: (index: UInt64, term: UInt64), _ bytes: [UInt8],
    _ message: RaftMessage, at now: Instant, into effects: inout RaftEffects
  ) {
    guard role == .follower, let head = incoming?.head, head.index == name.index,
      head.term == name.term,
      Int(chunk) < head.chunkDigests.count, incoming?.chunks[Int(chunk)] == nil
    else { return }
    guard head.verifies(bytes, chunk: Int(chunk)) else {
      return refuse(message, .content, into: &effects)
    }
    incoming?.chunks[Int(chunk)] = bytes
    incoming?.received += 1
    incoming?.outstanding.removeAll { $0 == chunk }
    pull(at: now, into: &effects)
  }

  /// Begins anew behind a snapshot that came whole.
  private mutating func install(
    _ fetched: IncomingSnapshot, into effects: inout RaftEffects
  ) {
    let chunks = fetched.chunks.compactMap(\.self)
    guard let whole = RaftSnapshot(head: fetched.head, chunks: chunks) else {
      preconditionFailure("R3: verified chunks of \(fetched.head.index) do not verify")
    }
    let (index, entryTerm) = (whole.head.index, whole.head.term)
    precondition(
      role == .follower && index > commit, "R3: \(role) takes snapshot \(index) over \(commit)")
    log.reset(index: index, term: entryTerm)
    disk.install(whole)
    configurations = ConfigurationHistory(index: index, whole.head.configuration)
    snapshot = whole
    toRestore = whole
    commit = index
    applied = index
    bytesSinceSnapshot = 0
    snapshotUnderWay = nil
    // Whose log the rest was compared with does not matter: what is committed is in every one.
    matched = max(matched, index)
    isAcknowledgementDue = true
    effects.notices.append(.snapshotInstalled(index: index))
    effects.notices.append(.configuration(index: index))
  }
}
