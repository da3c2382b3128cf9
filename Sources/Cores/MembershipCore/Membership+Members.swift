internal import Primitives
internal import Records

/// Who may be a member, who is connected, and what this node says of itself.
extension Membership {
  /// Takes the owner's list. Who is new is down until heard of; who is missing is forgotten.
  mutating func setMembers(_ members: [KnownMember], at now: Instant) {
    if exchangeDue == nil {
      exchangeDue =
        now
        + TimeSpan(
          nanoseconds: random.next(below: max(1, limits.exchangePeriod.nanoseconds)))
    }
    var listed = members.filter { $0.node != node }.sorted { $0.node < $1.node }
    if listed.count > MembershipLimits.membersMax {
      counters.overflows += 1
      listed.removeSubrange(MembershipLimits.membersMax...)
    }
    var kept: [MemberEntry] = []
    kept.reserveCapacity(listed.count)
    var old = entries[...]
    for member in listed where kept.last?.node != member.node {
      while let entry = old.first, entry.node < member.node {
        old.removeFirst()
        forget(entry, keepingIn: &kept, at: now)
      }
      if let entry = old.first, entry.node == member.node {
        old.removeFirst()
        kept.append(entry)
        if entry.attributesIncarnation == 0 && entry.state != .removed {
          kept[kept.count - 1].attributes = member.attributes
        }
      } else {
        kept.append(
          MemberEntry(
            member, isConnected: isConnected(member.node), at: now, pause: limits.announceMin))
      }
    }
    for entry in old { forget(entry, keepingIn: &kept, at: now) }
    entries = kept
    queue = queue.filter { $0.update.node == node || index(of: $0.update.node) != nil }
  }

  /// Drops an entry that is not listed any more, unless it says that the node was removed.
  private mutating func forget(
    _ entry: MemberEntry, keepingIn kept: inout [MemberEntry], at now: Instant
  ) {
    if entry.state == .removed {
      kept.append(entry)
    } else if entry.state.isPresent {
      leaveRound(entry.node)
      noteViewChanged(at: now)
    }
  }

  /// Marks a node as removed for good, whether it was listed or not.
  mutating func remove(
    _ removed: NodeID, at now: Instant, into effects: inout MembershipEffects
  ) {
    guard removed != node else { return }
    var place = position(of: removed)
    if place == entries.count || entries[place].node != removed {
      guard let nothing = MemberAttributes.empty else { return }
      entries.insert(
        MemberEntry(
          KnownMember(node: removed, attributes: nothing), isConnected: isConnected(removed),
          at: now, pause: limits.announceMin), at: place)
    }
    if entries[place].state != .removed { setState(.removed, at: place, now, into: &effects) }
    queue.removeAll { $0.update.node == removed }
    relays.removeAll { $0.target == removed || $0.requester == removed }
    while entries.count(where: { $0.state == .removed }) > MembershipLimits.removedMax {
      place =
        entries.indices.filter { entries[$0].state == .removed }
        .min { entries[$0].since < entries[$1].since } ?? place
      entries.remove(at: place)
      counters.overflows += 1
    }
  }

  /// Takes a removal back: nothing is believed of the node but that it is down until heard of.
  mutating func restore(
    _ restored: NodeID, at now: Instant, into effects: inout MembershipEffects
  ) {
    guard let index = index(of: restored), entries[index].state == .removed else { return }
    entries[index] = MemberEntry(
      KnownMember(node: restored, attributes: entries[index].attributes),
      isConnected: isConnected(restored), at: now, pause: limits.announceMin)
    effects.changes.append(
      MembershipEffects.Change(node: restored, old: .removed, new: .down, incarnation: 0))
  }

  /// Whether there is a connection to a node, listed or not.
  func isConnected(_ peer: NodeID) -> Bool { connections.contains(peer) }

  /// Takes note of a connection and pushes the whole state; the other side does the same.
  mutating func connect(
    _ peer: NodeID, at now: Instant, into effects: inout MembershipEffects
  ) {
    guard peer != node, !connections.contains(peer) else { return }
    guard connections.count < limits.connectionsMax else {
      counters.overflows += 1
      return
    }
    connections.append(peer)
    guard let index = index(of: peer) else { return }
    entries[index].isConnected = true
    entries[index].announcePause = limits.announceMin
    entries[index].announceDue = now + limits.announceMin
    exchange(with: index, wantsReply: false, into: &effects)
  }

  /// Takes note that a connection is gone: the member is asked next, by others.
  mutating func disconnect(_ peer: NodeID, at now: Instant) {
    connections.removeAll { $0 == peer }
    guard let index = index(of: peer) else { return }
    entries[index].isConnected = false
    if entries[index].state == .alive { hurry(peer) }
  }

  /// Says good-bye over every connection, and nothing after that.
  mutating func leave(at now: Instant, into effects: inout MembershipEffects) {
    guard !hasLeft else { return }
    if incarnation > 0 {
      let farewell = MembershipUpdate(node: node, incarnation: incarnation, claim: .left)
      for index in entries.indices where entries[index].isConnected {
        guard entries[index].state != .removed else { continue }
        emit(.news, [farewell], to: index, over: .reliable, into: &effects)
      }
    }
    hasLeft = true
    since = now
    probe = nil
    relays.removeAll()
    queue.removeAll()
  }

  // MARK: The own incarnation

  /// Wants an incarnation that outvotes `rival`; it is announced as soon as it is durable.
  mutating func raise(above rival: UInt64, at now: Instant) {
    guard !hasLeft else { return }
    guard rival < MembershipUpdate.incarnationMax / 4 else {
      counters.overflows += 1
      return
    }
    wantedIncarnation = max(wantedIncarnation, rival + 1)
    takeIncarnation(at: now)
  }

  /// Announces the wanted incarnation if it is durable.
  private mutating func takeIncarnation(at now: Instant) {
    guard wantedIncarnation > incarnation, wantedIncarnation <= durableIncarnation else { return }
    incarnation = wantedIncarnation
    attributes = wantedAttributes
    enqueue(ownRecord, at: now)
  }

  /// Takes note of a reservation; with the first one the node begins to speak.
  mutating func announceIncarnation(at now: Instant, into effects: inout MembershipEffects) {
    let isFirst = incarnation == 0
    takeIncarnation(at: now)
    guard isFirst, isSpeaking else { return }
    since = now
    lastHeardAnybody = now
    // Nodes that start together do not probe together.
    let phase = TimeSpan(nanoseconds: random.next(below: max(1, period.nanoseconds)))
    nextProbe = order.isEmpty ? nil : now + phase
    for index in entries.indices where entries[index].isConnected {
      exchange(with: index, wantsReply: false, into: &effects)
    }
  }

  /// Asks for incarnations to be reserved before they are needed.
  mutating func reserveIncarnations(into effects: inout MembershipEffects) {
    let isLow = requestedIncarnation < wantedIncarnation + limits.incarnationReserve / 2
    guard isLow, !hasLeft else { return }
    requestedIncarnation = wantedIncarnation + limits.incarnationReserve
    effects.persistIncarnation = requestedIncarnation
  }

  /// What this node says of itself.
  var ownRecord: MembershipUpdate {
    MembershipUpdate(node: node, incarnation: incarnation, claim: .alive(attributes))
  }
}
