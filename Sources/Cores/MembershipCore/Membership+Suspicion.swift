internal import Primitives
internal import Records

/// Suspecting members, and what becomes of suspicions.
extension Membership {
  /// The shortest suspicion of a healthy node.
  var suspicionMin: TimeSpan {
    let size = UInt64(max(order.count + 1, 10))
    let logarithm = Scale.decimalLogarithm(size)
    return (period * limits.suspicionFactor).scaled(by: logarithm, over: 1_024)
  }

  /// How long suspicions last now.
  var suspicionTimes: SuspicionTimes {
    let looked = min(limits.confirmationsMax, entries.count { $0.state == .alive })
    return SuspicionTimes(
      shortest: suspicionMin, maxFactor: limits.suspicionMaxFactor, looked: looked,
      health: healthFactor)
  }

  /// Suspects a member that did not answer this node, and tells it so over the reliable channel.
  mutating func accuse(_ index: Int, at now: Instant, into effects: inout MembershipEffects) {
    guard entries[index].state.isPresent else { return }
    suspect(index, entries[index].incarnation, by: node, at: now, into: &effects)
    send(.ping(entries[index], 0), to: index, over: .reliable, into: &effects)
  }

  /// Takes a suspicion of some incarnation: it begins, or is confirmed, or is old.
  mutating func suspect(
    _ index: Int, _ incarnation: UInt64, by accuser: NodeID, at now: Instant,
    into effects: inout MembershipEffects
  ) {
    let entry = entries[index]
    guard entry.state != .removed, incarnation > 0 else { return }
    let claim = MembershipUpdate(
      node: entry.node, incarnation: incarnation, claim: .suspect(by: accuser))
    if incarnation == entry.incarnation, var suspicion = entry.suspicion {
      guard suspicion.accusers.count <= limits.confirmationsMax,
        !suspicion.accusers.contains(accuser)
      else { return }
      suspicion.accusers.append(accuser)
      entries[index].suspicion = suspicion
      enqueue(claim, at: now)
      return
    }
    guard claim.isNewer(than: entry) else {
      counters.stale += 1
      return
    }
    counters.suspicions += 1
    entries[index].incarnation = incarnation
    entries[index].suspicion = Suspicion(start: now, accusers: [accuser])
    setState(.suspect, at: index, now, into: &effects)
    enqueue(claim, at: now)
    let size = UInt64(order.count + 1)
    if accuser != node, random.chance(Ratio(min(limits.checkers, size), in: size)) {
      hurry(entry.node)
    }
  }

  /// Takes the word of a member's host that its process is gone.
  mutating func hint(_ peer: NodeID, at now: Instant, into effects: inout MembershipEffects) {
    guard let index = index(of: peer), entries[index].state.isPresent, isSpeaking else { return }
    suspect(index, entries[index].incarnation, by: node, at: now, into: &effects)
    if entries[index].suspicion?.isHinted == false {
      entries[index].suspicion?.isHinted = true
      entries[index].suspicion?.start = now
    }
  }

  /// Checks suspicions in their first third, and ends those that ran out.
  mutating func reviewSuspicions(at now: Instant, into effects: inout MembershipEffects) {
    guard entries.contains(where: { $0.suspicion != nil }) else { return }
    let times = suspicionTimes
    for index in entries.indices {
      guard var suspicion = entries[index].suspicion, times.deadline(of: suspicion) <= now
      else { continue }
      if times.end(of: suspicion) > now {
        entries[index].suspicion?.isChecked = true
        send(.ping(entries[index], 0), to: index, over: .reliable, into: &effects)
      } else if let heard = entries[index].lastHeard, heard > suspicion.start {
        counters.suspicionsHeld += 1
        suspicion.start = now
        suspicion.isChecked = false
        suspicion.isContradicted = false
        suspicion.isHinted = false
        entries[index].suspicion = suspicion
      } else {
        counters.downs += 1
        setDown(index, entries[index].incarnation, at: now, into: &effects)
      }
    }
  }

  /// Believes that a member is down.
  mutating func setDown(
    _ index: Int, _ incarnation: UInt64, at now: Instant, into effects: inout MembershipEffects
  ) {
    entries[index].incarnation = incarnation
    setState(.down, at: index, now, into: &effects)
    enqueue(
      MembershipUpdate(node: entries[index].node, incarnation: incarnation, claim: .down), at: now)
  }

  /// Speaks to members that are down, ever more rarely and for ever: whoever is there objects.
  mutating func announceToDown(at now: Instant, into effects: inout MembershipEffects) {
    let down = entries.count(where: \.isAnnouncedTo)
    guard down > 0 else { return }
    let longest = min(max(limits.announceRest, .seconds(UInt64(down))), limits.announceMax)
    for index in entries.indices
    where entries[index].isAnnouncedTo && entries[index].announceDue <= now {
      send(.ping(entries[index], 0), to: index, over: .reliable, into: &effects)
      // Between three quarters and the whole pause, so that nodes do not speak in chorus.
      let pause = entries[index].announcePause
      let part = random.next(in: 768...1_024)
      entries[index].announceDue = now + pause.scaled(by: part, over: 1_024)
      entries[index].announcePause = min(pause * 2, longest)
    }
  }

  /// Forgives everybody when this step comes late: it is this node that did not run, and answers
  /// may lie unread.
  mutating func forgiveStall(at now: Instant) {
    guard let due, now > due + limits.stallMin else { return }
    let late = now.since(due)
    counters.stalls += 1
    adjustHealth(by: 1)
    for index in entries.indices {
      guard let suspicion = entries[index].suspicion else { continue }
      entries[index].suspicion?.start = min(suspicion.start + late, now)
    }
    lastHeardAnybody = min(lastHeardAnybody + late, now)
    lateQuestions.removeAll()
    relays.removeAll()
    if probe != nil {
      probe = nil
      nextProbe = now
    }
  }
}
