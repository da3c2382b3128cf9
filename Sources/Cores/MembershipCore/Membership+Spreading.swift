internal import Primitives
internal import Records

/// An update that is being spread.
struct QueuedUpdate: Sendable {
  let update: MembershipUpdate
  let byteCount: Int
  /// Higher for what was heard later.
  let order: UInt64
  var sent = 0
}

/// Sending messages, and the updates that ride on them.
extension Membership {
  /// Lets an update ride on the next messages; what it outvotes rides no more.
  mutating func enqueue(_ update: MembershipUpdate, at now: Instant) {
    guard isSpeaking else { return }
    if queue.contains(where: { $0.update == update }) { return }
    queue.removeAll { queued in
      guard queued.update.node == update.node else { return false }
      return queued.update.incarnation != update.incarnation
        || queued.update.state != .suspect || update.state != .suspect
    }
    if queue.count >= limits.queueMax {
      counters.overflows += 1
      queue.removeLast()
    }
    queue.insert(
      QueuedUpdate(update: update, byteCount: update.byteCount, order: nextOrder), at: 0)
    nextOrder += 1
    if newsDue == nil {
      let earliest = lastNews.map { $0 + newsPeriod } ?? now
      newsDue = max(now, earliest)
    }
  }

  /// How often news is sent by itself while there is any.
  private var newsPeriod: TimeSpan { period.scaled(by: 1, over: 2) }

  /// How often each update is sent.
  private var retransmitsMax: Int {
    limits.retransmitFactor * Scale.decimalDigits(entries.count + 2)
  }

  /// Sends news to some members.
  mutating func spreadNews(at now: Instant, into effects: inout MembershipEffects) {
    lastNews = now
    let receivers = pickReachable(limits.newsFanout) { _ in true }
    // A connection begins with the whole state: nothing needs to be kept for it.
    if receivers.isEmpty { queue.removeAll() }
    for index in receivers where !queue.isEmpty {
      send(.news, to: index, over: .datagram, into: &effects)
    }
    newsDue = queue.isEmpty ? nil : now + newsPeriod
  }

  /// Some present members with a connection, chosen at random.
  mutating func pickReachable(
    _ count: Int, where isWanted: (MemberEntry) -> Bool
  ) -> [Int] {
    var candidates: [Int] = []
    for index in entries.indices where entries[index].isReachable && isWanted(entries[index]) {
      candidates.append(index)
    }
    var picked: [Int] = []
    while picked.count < count, !candidates.isEmpty {
      let place = random.next(below: candidates.count)
      candidates.swapAt(place, candidates.count - 1)
      picked.append(candidates.removeLast())
    }
    return picked
  }

  /// Sends a message with as many updates as fit: first what concerns the receiver, so that it may
  /// object, then what was asked about, then what was sent least often, the latest first.
  mutating func send(
    _ body: MembershipMessage.Body, to index: Int, over channel: MembershipChannel,
    withOwnRecord: Bool = false, about subject: Int? = nil,
    into effects: inout MembershipEffects
  ) {
    guard isSpeaking, entries[index].isConnected, entries[index].state != .removed else { return }
    var updates: [MembershipUpdate] = []
    let receiver = entries[index]
    if receiver.state != .alive || receiver.isBehind, let record = receiver.record {
      updates.append(record)
    }
    if withOwnRecord { updates.append(ownRecord) }
    if let subject, let record = entries[subject].record { updates.append(record) }
    let head = MembershipMessage(incarnation: incarnation, load: load, body: body, updates: [])
    var room = MembershipMessage.datagramBytesMax - head.headByteCount
    for update in updates { room -= update.byteCount }
    precondition(room >= 0, "\(-room) bytes too many in a datagram")
    fill(&updates, room: room, for: receiver.node)
    emit(body, updates, to: index, over: channel, into: &effects)
  }

  private mutating func fill(
    _ updates: inout [MembershipUpdate], room: Int, for receiver: NodeID
  ) {
    guard !queue.isEmpty else { return }
    var room = room
    var isTouched = false
    let already = updates
    for place in queue.indices {
      // Nothing shorter than this exists.
      if room < 34 { break }
      let queued = queue[place]
      guard queued.byteCount <= room, queued.update.node != receiver,
        !already.contains(queued.update)
      else { continue }
      room -= queued.byteCount
      updates.append(queued.update)
      queue[place].sent += 1
      isTouched = true
    }
    guard isTouched else { return }
    let limit = retransmitsMax
    queue.removeAll { $0.sent >= limit }
    queue.sort { $0.sent != $1.sent ? $0.sent < $1.sent : $0.order > $1.order }
  }

  /// Hands a message to the owner.
  mutating func emit(
    _ body: MembershipMessage.Body, _ updates: [MembershipUpdate], to index: Int,
    over channel: MembershipChannel, into effects: inout MembershipEffects
  ) {
    precondition(
      incarnation <= durableIncarnation,
      "M1: incarnation \(incarnation) is announced, \(durableIncarnation) is durable")
    switch channel {
    case .datagram: counters.datagrams += 1
    case .reliable: counters.reliables += 1
    }
    effects.sends.append(
      MembershipEffects.Send(
        node: entries[index].node, channel: channel,
        message: MembershipMessage(
          incarnation: incarnation, load: load, body: body, updates: updates)))
  }

  // MARK: Whole states

  /// Sends all that is known over the reliable channel.
  mutating func exchange(
    with index: Int, wantsReply: Bool, into effects: inout MembershipEffects
  ) {
    guard isSpeaking, entries[index].isConnected, entries[index].state != .removed else { return }
    counters.exchanges += 1
    var updates = [ownRecord]
    for entry in entries where entry.state != .removed {
      // The state first: addresses of who is down must not make it alive on the way.
      if let record = entry.record { updates.append(record) }
      let isSaid = entry.state == .alive && entry.attributesIncarnation == entry.incarnation
      if !isSaid, let announcement = entry.announcement { updates.append(announcement) }
    }
    emit(.exchange(wantsReply: wantsReply), updates, to: index, over: .reliable, into: &effects)
  }

  /// Answers an exchange, at most once per second to each member.
  mutating func answerExchange(
    with index: Int, at now: Instant, into effects: inout MembershipEffects
  ) {
    if let last = entries[index].exchangedAt, now.since(last) < limits.exchangeReplyMin { return }
    entries[index].exchangedAt = now
    exchange(with: index, wantsReply: false, into: &effects)
  }
}
