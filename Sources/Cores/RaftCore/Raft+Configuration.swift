internal import Primitives
internal import Records
internal import Wire

extension Raft {
  /// Begins a change of members, or says why not.
  mutating func begin(
    _ change: RaftChange, _ ticket: UInt64, at now: Instant, into effects: inout RaftEffects
  ) {
    guard role == .leader else {
      effects.answers.append(.init(ticket: ticket, outcome: .refused(leader: leader)))
      return
    }
    let current = configuration
    // One change at a time, and none before this leader's term has committed something: otherwise
    // two leaders could each count on a quorum that the other does not know of.
    guard commit >= termStart, configurationIndex <= commit, !current.isJoint, transfer == nil,
      change.target != current, log.lastIndex < RaftLimits.numberMax
    else {
      effects.answers.append(.init(ticket: ticket, outcome: .busy))
      return
    }
    let target = change.target
    let next: RaftConfiguration
    if target.voters == current.voters {
      next = target
    } else {
      let leaving = current.voters.filter { target.member($0) == nil }
      let members = target.members + leaving.compactMap { current.member($0) }
      guard members.count <= RaftConfiguration.membersMax else {
        effects.answers.append(.init(ticket: ticket, outcome: .dropped))
        return
      }
      next = RaftConfiguration(
        members: members, voters: target.voters, outgoing: current.voters,
        learners: target.learners)
    }
    append(next, at: now, into: &effects)
    effects.answers.append(
      .init(ticket: ticket, outcome: .placed(term: term, index: log.lastIndex)))
  }

  /// Ends a joint configuration that is committed.
  mutating func leaveJoint(at now: Instant, into effects: inout RaftEffects) {
    let current = configuration
    guard current.isJoint, commit >= configurationIndex, commit >= termStart,
      log.lastIndex < RaftLimits.numberMax
    else { return }
    let staying = current.members.filter {
      current.voters.contains($0.id) || current.isLearner($0.id)
    }
    let next = RaftConfiguration(
      members: staying, voters: current.voters, learners: current.learners)
    append(next, at: now, into: &effects)
  }

  private mutating func append(
    _ configuration: RaftConfiguration, at now: Instant, into effects: inout RaftEffects
  ) {
    appendOwn(.configuration, configuration.encoded, at: now, into: &effects)
    adopt(configuration, log.lastIndex, into: &effects)
    followConfiguration(at: now)
  }

  /// Puts a configuration in force, whose entry was just appended.
  mutating func adopt(
    _ configuration: RaftConfiguration, _ index: UInt64, into effects: inout RaftEffects
  ) {
    configurations.append(configuration, at: index)
    effects.notices.append(.configuration(index: index))
  }

  /// The configurations that entries name, with their places; `nil` when one names none.
  func configurationsNamed(
    in entries: ArraySlice<RaftEntry>
  ) -> [(UInt64, RaftConfiguration)]? {
    var named: [(UInt64, RaftConfiguration)] = []
    for entry in entries where entry.kind == .configuration {
      // Why it does not decode does not matter: a leader has decoded what it appends.
      guard let configuration = try? RaftConfiguration(decoding: entry.payload),
        !configuration.voters.isEmpty
      else { return nil }
      named.append((entry.index, configuration))
    }
    return named
  }

  /// Keeps progress of everybody in the configuration in force; who left stays until it is told.
  mutating func followConfiguration(at now: Instant) {
    let current = configuration
    for place in progress.indices {
      progress[place].isLeaving = current.member(progress[place].id) == nil
    }
    for member in current.members where member.id != id && place(of: member.id) == nil {
      let place = progress.firstIndex { $0.id > member.id } ?? progress.count
      progress.insert(
        RaftProgress(id: member.id, next: log.lastIndex + 1, at: now), at: place)
    }
  }

  /// Ends what a committed change has ended: sending to who left, and leading when it is this node
  /// that no longer votes. The commit was told just before.
  mutating func retire(at now: Instant, into effects: inout RaftEffects) {
    guard configurationIndex <= commit else { return }
    progress.removeAll(where: \.isLeaving)
    guard !configuration.isVoter(id) else { return }
    if let successor = bestSuccessor(at: now) {
      send(.timeoutNow, to: successor, into: &effects)
    }
    becomeFollower(inTerm: term, of: nil, at: now, into: &effects)
  }
}
