import CoreKit
import Primitives
import RaftCore
import Records

/// One member, told by hand what the others say and when its disk has synced.
struct Rig {
  let number: Int
  var raft: Raft
  var disk: Disk
  private(set) var now = Instant.origin + .seconds(1)
  private var lastWrite: UInt64 = 0

  init(
    _ number: Int = 0, voters: [Int] = [0, 1, 2], recovery: ControlRecovery? = nil,
    isFounder: Bool = true, settings change: (inout RaftSettings) -> Void = { _ in }
  ) throws {
    self.number = number
    var settings = RaftSettings(seed: 7)
    change(&settings)
    disk = Disk(recovery ?? ControlRecovery(life: 0))
    raft = try Raft(
      node: Name.node(number), settings: settings, recovery: disk.recovery,
      bootstrap: isFounder ? Name.configuration(voters: voters) : nil)
    step(.turnEnded)
  }

  /// A member that leads term `term` of an empty log, its first entry not yet synced.
  static func leader(
    voters: [Int] = [0, 1, 2], settings change: (inout RaftSettings) -> Void = { _ in }
  ) throws -> Rig {
    var rig = try Rig(voters: voters, settings: change)
    rig.elect(by: Array(voters.dropFirst()))
    return rig
  }

  /// A leader whose first entry everybody has.
  static func establishedLeader(
    voters: [Int] = [0, 1, 2], settings change: (inout RaftSettings) -> Void = { _ in }
  ) throws -> Rig {
    var rig = try leader(voters: voters, settings: change)
    rig.sync()
    for other in voters where other != rig.number {
      rig.receive(.appendAccepted(index: rig.raft.lastIndex, entryTerm: rig.raft.term), from: other)
    }
    return rig
  }

  /// A follower of member 1 in term 1, whose log is empty.
  static func follower(
    voters: [Int] = [0, 1, 2], settings change: (inout RaftSettings) -> Void = { _ in }
  ) throws -> Rig {
    var rig = try Rig(voters: voters, settings: change)
    rig.beat(term: 1)
    rig.sync()
    return rig
  }

  /// Lets time pass, and does on time what is due; returns all that was asked for meanwhile.
  @discardableResult mutating func pass(_ milliseconds: UInt64) -> RaftEffects {
    let end = now + .milliseconds(milliseconds)
    var all = RaftEffects()
    while let due = raft.nextDeadline, due <= end {
      now = max(now, due)
      let effects = step(.deadline)
      all.sends += effects.sends
      all.answers += effects.answers
      all.notices += effects.notices
    }
    now = end
    return all
  }

  /// Lets time pass in which it is not scheduled, and wakes it.
  @discardableResult mutating func oversleep(_ milliseconds: UInt64) -> RaftEffects {
    now = now + .milliseconds(milliseconds)
    return step(.deadline)
  }

  /// Waits until it campaigns; returns what it asks for then.
  @discardableResult mutating func campaign() -> RaftEffects {
    for _ in 0..<200 where raft.role == .follower {
      guard let due = raft.nextDeadline else { break }
      now = max(now, due)
      let effects = step(.deadline)
      if raft.role != .follower { return effects }
    }
    return RaftEffects()
  }

  /// Waits until it campaigns, and has the others vote for it.
  mutating func elect(by others: [Int]) {
    campaign()
    for other in others {
      receive(.preVoteResponse(isGranted: true), from: other, term: raft.term + 1)
    }
    for other in others { receive(.voteResponse(isGranted: true), from: other) }
    sync()
  }

  /// Takes one step and ends the turn; returns what both asked for.
  @discardableResult mutating func step(_ event: RaftEvent) -> RaftEffects {
    var effects = RaftEffects()
    let moment = Name.moment(instant: now)
    raft.handle(event, at: moment, into: &effects)
    raft.handle(.turnEnded, at: moment, into: &effects)
    if let write = effects.write {
      precondition(write.sequence == lastWrite + 1, "write \(write.sequence) after \(lastWrite)")
      lastWrite = write.sequence
      disk.begin(write)
    }
    if let broken = raft.brokenInvariant { preconditionFailure(broken) }
    return effects
  }

  /// Takes a message of another member, in this member's term unless another is given.
  @discardableResult mutating func receive(
    _ body: RaftMessage.Body, from other: Int, term: UInt64? = nil
  ) -> RaftEffects {
    step(
      .received(
        RaftMessage(
          from: Name.id(other), to: raft.id, term: term ?? raft.term, body: body)))
  }

  /// Hears a leader.
  @discardableResult mutating func beat(
    from leader: Int = 1, term: UInt64? = nil, commit: UInt64 = 0, round: UInt64 = 1,
    ranks: [Int] = [0, 2]
  ) -> RaftEffects {
    let heartbeat = RaftMessage.Heartbeat(
      commit: commit, lag: 0, round: round, intervalMilliseconds: 50,
      ranks: ranks.map { Name.id($0) })
    return receive(.heartbeat(heartbeat), from: leader, term: term)
  }

  /// Takes entries behind one of term `previousTerm`.
  @discardableResult mutating func append(
    _ entries: [RaftEntry], after previous: UInt64, term previousTerm: UInt64, commit: UInt64 = 0,
    from leader: Int = 1, inTerm term: UInt64? = nil
  ) -> RaftEffects {
    receive(
      .append(
        .init(
          previousIndex: previous, previousTerm: previousTerm, commit: commit, entries: entries)),
      from: leader, term: term)
  }

  /// Everything that was to be written is.
  @discardableResult mutating func sync(through sequence: UInt64? = nil) -> RaftEffects {
    let last = sequence ?? lastWrite
    disk.sync(through: last)
    return step(.persisted(through: last))
  }
}

extension RaftEffects {
  /// What was sent to a member.
  func bodies(to other: Int) -> [RaftMessage.Body] {
    sends.filter { $0.to == Name.id(other) }.map(\.body)
  }

  /// The appends to a member.
  func appends(to other: Int) -> [RaftMessage.Append] {
    bodies(to: other).compactMap { body in
      if case .append(let append) = body { return append }
      return nil
    }
  }

  /// What became of tickets.
  var outcomes: [RaftOutcome] { answers.map(\.outcome) }

  /// Whether something that only a leader sends was sent.
  var hasLeaderTraffic: Bool { sends.contains(where: \.isLeaderTraffic) }
}

extension RaftMessage {
  /// Whether only a leader sends it.
  var isLeaderTraffic: Bool {
    switch body {
    case .append, .heartbeat, .snapshotOffer, .snapshotChunk, .readIndexResponse, .timeoutNow:
      true
    case .preVote, .preVoteResponse, .vote, .voteResponse, .appendAccepted, .appendRejected,
      .heartbeatResponse, .probe, .readIndex, .snapshotPull:
      false
    }
  }
}
