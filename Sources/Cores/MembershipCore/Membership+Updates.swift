internal import Primitives
internal import Records

/// Taking messages, and what they say of members.
extension Membership {
  /// Takes a message whose sender the connection proves.
  mutating func receive(
    _ message: MembershipMessage, from sender: NodeID, over channel: MembershipChannel,
    at now: Instant, into effects: inout MembershipEffects
  ) {
    guard !hasLeft else { return }
    guard let index = index(of: sender), entries[index].state != .removed else {
      counters.strangers += 1
      return
    }
    noteHeard(index, at: now)
    entries[index].load = message.load
    for update in message.updates {
      merge(update, from: index, at: now, into: &effects)
    }
    takeIncarnation(message.incarnation, of: index, at: now, into: &effects)
    guard isSpeaking else { return }
    switch message.body {
    case .ping(let sequence, let target, let known):
      guard target == node else {
        counters.misdirected += 1
        send(
          .nack(sequence: sequence, reason: .wrongDestination), to: index, over: channel,
          into: &effects)
        return
      }
      send(
        .ack(sequence: sequence, target: node), to: index, over: channel,
        withOwnRecord: known != incarnation, into: &effects)
      return
    case .pingRequest(let sequence, let target, let known, let wait):
      guard target != node else {
        send(
          .ack(sequence: sequence, target: node), to: index, over: channel,
          withOwnRecord: known != incarnation, into: &effects)
        return
      }
      relay(
        sequence, to: target, knowing: known, waitMilliseconds: wait, for: index, at: now,
        into: &effects)
    case .ack(let sequence, let target):
      takeAck(sequence, of: target, from: index, over: channel, at: now, into: &effects)
    case .nack(let sequence, let reason):
      takeNack(sequence, reason, from: index, at: now, into: &effects)
    case .news: break
    case .exchange(let wantsReply):
      if wantsReply { answerExchange(with: index, at: now, into: &effects) }
    }
    tell(index, at: now, into: &effects)
  }

  /// Takes note of a sign of life. When it comes from a suspect, messages are being lost, and this
  /// node takes more time for everything.
  private mutating func noteHeard(_ index: Int, at now: Instant) {
    entries[index].lastHeard = now
    lastHeardAnybody = now
    if entries[index].suspicion?.isContradicted == false {
      entries[index].suspicion?.isContradicted = true
      adjustHealth(by: 1)
    }
  }

  /// Takes the incarnation under which a member just spoke: nobody knows it better.
  private mutating func takeIncarnation(
    _ incarnation: UInt64, of index: Int, at now: Instant, into effects: inout MembershipEffects
  ) {
    entries[index].isBehind = incarnation < entries[index].incarnation
    if incarnation > entries[index].incarnation {
      setAlive(index, incarnation, at: now, into: &effects)
    }
  }

  /// Asks a member that spoke for what it says of itself when that is not known, and tells it what
  /// is believed of it when it may object: at most once per period.
  private mutating func tell(
    _ index: Int, at now: Instant, into effects: inout MembershipEffects
  ) {
    let entry = entries[index]
    let isSettled =
      entry.state == .alive && !entry.isBehind && entry.attributesIncarnation == entry.incarnation
    guard !isSettled, entry.state != .removed else { return }
    if let toldAt = entry.toldAt, now.since(toldAt) < period { return }
    entries[index].toldAt = now
    send(.ping(entry, 0), to: index, over: .datagram, into: &effects)
  }

  /// Takes what somebody says of a member.
  private mutating func merge(
    _ update: MembershipUpdate, from sender: Int, at now: Instant,
    into effects: inout MembershipEffects
  ) {
    guard update.node != node else {
      defend(against: update, at: now)
      return
    }
    guard let index = index(of: update.node), entries[index].state != .removed else {
      counters.strangers += 1
      return
    }
    let known = entries[index].incarnation
    let isHearsay = index != sender
    if isHearsay && update.incarnation > known + limits.incarnationJumpMax {
      counters.implausible += 1
      return
    }
    repeatGone(index, to: update, at: now)
    switch update.claim {
    case .alive(let attributes):
      learn(attributes, update.incarnation, of: index, at: now, into: &effects)
    case .suspect(let accuser):
      guard accuser != update.node, accuser == node || self.index(of: accuser) != nil else {
        counters.strangers += 1
        return
      }
      suspect(index, update.incarnation, by: accuser, at: now, into: &effects)
    case .down:
      mergeDown(update, of: index, from: sender, at: now, into: &effects)
    case .left:
      guard update.isNewer(than: entries[index]) else {
        counters.stale += 1
        return
      }
      entries[index].incarnation = update.incarnation
      setState(.left, at: index, now, into: &effects)
      enqueue(update, at: now)
    }
  }

  /// Takes the word that a member is down: believed of one that was suspected here for two periods
  /// and did not object, and a suspicion of any other. It may have come back since, or stand on
  /// this side of a partition.
  private mutating func mergeDown(
    _ update: MembershipUpdate, of index: Int, from sender: Int, at now: Instant,
    into effects: inout MembershipEffects
  ) {
    let entry = entries[index]
    let isRipe =
      entry.suspicion.map {
        $0.start + period * 2 <= now && update.incarnation == entry.incarnation
      }
      ?? false
    if entry.state.isPresent && !isRipe {
      suspect(index, update.incarnation, by: entries[sender].node, at: now, into: &effects)
    } else if update.isNewer(than: entry) {
      setDown(index, update.incarnation, at: now, into: &effects)
    } else {
      counters.stale += 1
    }
  }

  /// Spreads again that a member is gone when somebody still speaks of it as present.
  private mutating func repeatGone(_ index: Int, to update: MembershipUpdate, at now: Instant) {
    let entry = entries[index]
    guard !entry.state.isPresent, update.state.isPresent,
      update.incarnation == entry.incarnation, let record = entry.record
    else { return }
    enqueue(record, at: now)
  }

  /// Takes what a member said of itself; an old word still tells addresses that were unknown.
  private mutating func learn(
    _ attributes: MemberAttributes, _ incarnation: UInt64, of index: Int, at now: Instant,
    into effects: inout MembershipEffects
  ) {
    guard incarnation > entries[index].attributesIncarnation else {
      counters.stale += 1
      return
    }
    let isNew = attributes != entries[index].attributes
    entries[index].attributes = attributes
    entries[index].attributesIncarnation = incarnation
    let old = entries[index].state
    if incarnation > entries[index].incarnation {
      setAlive(index, incarnation, at: now, into: &effects)
    }
    if incarnation == entries[index].incarnation, let record = entries[index].record {
      enqueue(record, at: now)
    }
    guard isNew, entries[index].state == old else { return }
    effects.changes.append(
      MembershipEffects.Change(
        node: entries[index].node, old: old, new: old, incarnation: entries[index].incarnation))
  }

  /// Believes that a member lives, under a higher incarnation than was known.
  private mutating func setAlive(
    _ index: Int, _ incarnation: UInt64, at now: Instant, into effects: inout MembershipEffects
  ) {
    precondition(
      incarnation > entries[index].incarnation,
      "M2: incarnation \(incarnation) after \(entries[index].incarnation)")
    if entries[index].state == .suspect { counters.suspicionsRefuted += 1 }
    entries[index].incarnation = incarnation
    entries[index].isBehind = false
    setState(.alive, at: index, now, into: &effects)
  }

  /// Objects to what is said of this node under its own or a later incarnation.
  private mutating func defend(against update: MembershipUpdate, at now: Instant) {
    guard incarnation > 0, update.incarnation >= incarnation else { return }
    if case .alive = update.claim, update.incarnation == incarnation { return }
    guard update.incarnation <= incarnation + limits.incarnationJumpMax else {
      counters.implausible += 1
      return
    }
    // What was said of an incarnation that is being outvoted already is no news.
    guard update.incarnation >= wantedIncarnation else { return }
    counters.refutations += 1
    adjustHealth(by: 1)
    raise(above: update.incarnation, at: now)
  }
}

extension MembershipUpdate {
  /// Whether this outvotes what is known of a member: M2's order.
  func isNewer(than entry: MemberEntry) -> Bool {
    incarnation != entry.incarnation
      ? incarnation > entry.incarnation : state.rawValue > entry.state.rawValue
  }
}
