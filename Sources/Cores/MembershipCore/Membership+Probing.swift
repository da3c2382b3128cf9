internal import Primitives
internal import Records

/// Asking members whether they are alive, for oneself and for others.
extension Membership {
  /// How often a member is probed by a healthy node.
  var period: TimeSpan {
    let size = UInt64(order.count + 1)
    guard size > limits.periodMembers else { return limits.period }
    return min(limits.period.scaled(by: size, over: limits.periodMembers), limits.periodMax)
  }

  /// What the own times are multiplied by, from 1.
  var healthFactor: UInt64 { UInt64(healthScore + 1) }

  /// Doubts the own node more, or less.
  mutating func adjustHealth(by delta: Int) {
    healthScore = min(max(healthScore + delta, 0), limits.healthMax - 1)
  }

  // MARK: The order of probes

  /// Puts a member that became present at a random place of what is left of the round.
  mutating func enterRound(_ member: NodeID, at now: Instant) {
    let place = orderPosition + random.next(below: order.count - orderPosition + 1)
    order.insert(member, at: place)
    if nextProbe == nil && probe == nil { nextProbe = now }
  }

  /// Takes a member out of the round.
  mutating func leaveRound(_ member: NodeID) {
    if let place = order.firstIndex(of: member) {
      order.remove(at: place)
      if place < orderPosition { orderPosition -= 1 }
    }
    urgent.removeAll { $0 == member }
    if probe?.target == member, probe?.phase != .answered { probe?.phase = .answered }
  }

  /// Lets a present member be asked next, whoever's turn it is.
  mutating func hurry(_ member: NodeID) {
    guard !urgent.contains(member) else { return }
    guard urgent.count < MembershipLimits.membersMax else {
      counters.overflows += 1
      return
    }
    urgent.append(member)
  }

  private mutating func nextTarget() -> NodeID? {
    // Every other probe keeps to the round: whoever nobody talks of must get a turn.
    isUrgentTurn.toggle()
    if isUrgentTurn, !urgent.isEmpty { return urgent.removeFirst() }
    guard !order.isEmpty else { return nil }
    if orderPosition == order.count {
      random.shuffle(&order)
      orderPosition = 0
    }
    orderPosition += 1
    return order[orderPosition - 1]
  }

  // MARK: Own probes

  /// When the probe under way, or the next one, wants attention.
  var probeDeadline: Instant? {
    guard let probe else { return nextProbe }
    switch probe.phase {
    case .direct: return min(probe.helpDue, probe.end)
    case .indirect: return probe.end
    case .answered: return probe.periodEnd
    }
  }

  /// Does what the probe's times demand.
  mutating func advanceProbe(at now: Instant, into effects: inout MembershipEffects) {
    if let probe, (probe.phase == .answered ? probe.periodEnd : probe.end) <= now {
      if probe.phase != .answered { failProbe(probe, at: now, into: &effects) }
      self.probe = nil
      nextProbe = now
    }
    if let probe, probe.phase == .direct, probe.helpDue <= now {
      askForHelp(at: now, into: &effects)
    }
    if probe == nil, let nextProbe, nextProbe <= now { startProbe(at: now, into: &effects) }
  }

  private mutating func startProbe(at now: Instant, into effects: inout MembershipEffects) {
    nextProbe = nil
    guard let target = nextTarget(), let index = index(of: target) else { return }
    counters.probes += 1
    let entry = entries[index]
    let answerTime = entry.roundTrip.answerTime(limits) * healthFactor
    let wait = max(period * healthFactor, answerTime.scaled(by: 5, over: 2))
    let sequence = takeSequence()
    probe = Probe(
      sequence: sequence, target: target, start: now,
      helpDue: entry.isConnected ? now + answerTime : now, end: now + wait,
      periodEnd: now + period * healthFactor)
    if entry.isConnected {
      send(.ping(entry, sequence), to: index, over: .datagram, into: &effects)
    } else {
      askForHelp(at: now, into: &effects)
    }
  }

  private mutating func askForHelp(at now: Instant, into effects: inout MembershipEffects) {
    guard var probe, let index = index(of: probe.target) else { return }
    let target = probe.target
    let helpers = pickReachable(limits.helpersMax) { $0.state == .alive && $0.node != target }
    // A half of what is left: the refusal has to come back in the other half.
    let wait = probe.end.since(now).nanoseconds / 2_000_000
    let milliseconds = UInt16(clamping: max(wait, 1))
    for helper in helpers {
      send(
        .pingRequest(
          sequence: probe.sequence, target: target,
          incarnation: entries[index].attributesIncarnation, waitMilliseconds: milliseconds),
        to: helper, over: .datagram, into: &effects)
    }
    send(.ping(entries[index], probe.sequence), to: index, over: .reliable, into: &effects)
    probe.phase = .indirect
    probe.helpers = helpers.map { entries[$0].node }
    probe.hadHelpers = !helpers.isEmpty
    self.probe = probe
    lateQuestions.append((probe.sequence, target, probe.start))
    if lateQuestions.count > 8 { lateQuestions.removeFirst() }
  }

  private mutating func failProbe(
    _ probe: Probe, at now: Instant, into effects: inout MembershipEffects
  ) {
    counters.probesFailed += 1
    // Who was asked for help owes a refusal at least; when none comes, the fault may be here.
    adjustHealth(by: probe.hadHelpers ? probe.helpers.count : 1)
    guard let index = index(of: probe.target) else { return }
    accuse(index, at: now, into: &effects)
    if now.since(lastHeardAnybody) >= limits.silence {
      for index in entries.indices where entries[index].state == .alive {
        accuse(index, at: now, into: &effects)
      }
    }
  }

  /// Takes an answer to a question of this node's, or of somebody who asked this node to ask.
  mutating func takeAck(
    _ sequence: UInt64, of target: NodeID, from index: Int, over channel: MembershipChannel,
    at now: Instant, into effects: inout MembershipEffects
  ) {
    let sender = entries[index].node
    if let place = lateQuestions.firstIndex(where: { $0.sequence == sequence }),
      sender == target, channel == .datagram, lateQuestions[place].node == sender
    {
      entries[index].roundTrip.take(now.since(lateQuestions[place].at))
      lateQuestions.remove(at: place)
    }
    if let probe, probe.sequence == sequence, probe.target == target {
      guard sender == target || probe.helpers.contains(sender) else { return }
      answerProbe(probe, from: index, over: channel, at: now)
    } else if let place = relays.firstIndex(where: { $0.sequence == sequence }),
      relays[place].target == sender, target == sender
    {
      let relay = relays.remove(at: place)
      guard let requester = self.index(of: relay.requester) else { return }
      send(
        .ack(sequence: relay.requesterSequence, target: target), to: requester, over: .datagram,
        about: entries[index].incarnation == relay.known ? nil : index, into: &effects)
    } else if sequence != 0 {
      counters.unasked += 1
    }
  }

  private mutating func answerProbe(
    _ probe: Probe, from index: Int, over channel: MembershipChannel, at now: Instant
  ) {
    guard probe.phase != .answered else { return }
    if let target = self.index(of: probe.target) { entries[target].lastHeard = now }
    self.probe?.phase = .answered
    if probe.phase == .direct && channel == .datagram {
      entries[index].roundTrip.take(now.since(probe.start))
      adjustHealth(by: -1)
    } else {
      counters.probesRescued += 1
    }
  }

  /// Takes a refusal of a helper, or of somebody who is not whom the question was for.
  mutating func takeNack(
    _ sequence: UInt64, _ reason: MembershipMessage.Refusal, from index: Int, at now: Instant,
    into effects: inout MembershipEffects
  ) {
    let sender = entries[index].node
    if reason == .wrongDestination { counters.misdirected += 1 }
    guard let probe, probe.sequence == sequence else { return }
    self.probe?.helpers.removeAll { $0 == sender }
    if sender == probe.target && probe.phase == .direct {
      askForHelp(at: now, into: &effects)
    }
  }

  // MARK: Probes for others

  /// Asks a member for another node.
  mutating func relay(
    _ sequence: UInt64, to target: NodeID, knowing known: UInt64, waitMilliseconds: UInt16,
    for requester: Int, at now: Instant, into effects: inout MembershipEffects
  ) {
    guard let index = index(of: target), entries[index].state != .removed,
      entries[index].isConnected, relays.count < limits.relaysMax
    else {
      if relays.count >= limits.relaysMax { counters.overflows += 1 }
      send(
        .nack(sequence: sequence, reason: .unreachable), to: requester, over: .datagram,
        into: &effects)
      return
    }
    let own = takeSequence()
    relays.append(
      Relay(
        sequence: own, target: target, requester: entries[requester].node,
        requesterSequence: sequence, known: known,
        due: now + .milliseconds(UInt64(max(waitMilliseconds, 1)))))
    send(.ping(entries[index], own), to: index, over: .datagram, into: &effects)
  }

  /// Tells those who waited long enough that no answer came.
  mutating func expireRelays(at now: Instant, into effects: inout MembershipEffects) {
    guard !relays.isEmpty else { return }
    for relay in relays where relay.due <= now {
      guard let requester = index(of: relay.requester) else { continue }
      send(
        .nack(sequence: relay.requesterSequence, reason: .noAnswer), to: requester,
        over: .datagram, into: &effects)
    }
    relays.removeAll { $0.due <= now }
  }

  private mutating func takeSequence() -> UInt64 {
    defer { nextSequence += 1 }
    return nextSequence
  }
}

extension MembershipMessage.Body {
  /// The question to a member itself.
  static func ping(_ entry: MemberEntry, _ sequence: UInt64) -> MembershipMessage.Body {
    .ping(
      sequence: sequence, target: entry.node, incarnation: entry.attributesIncarnation)
  }
}
