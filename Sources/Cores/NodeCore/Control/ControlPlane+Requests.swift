internal import ControlCore
internal import CoreKit
internal import Primitives
internal import RaftCore
internal import Records
internal import Wire

/// A command of this node that is not yet applied.
struct PendingCommand: Sendable {
  /// Who waits for it; `nil` for the node's own commands.
  let request: ControlRequestID?
  let command: ControlCommand
  let bytes: [UInt8]
  let deadline: Instant
  /// How often it was handed to a log that may hold it.
  var sends = 0
  /// When it is to be sent again; `nil` while it waits for a leader.
  var resendAt: Instant?
  /// Who was sent it last; `nil` when that was this node's own log, or nobody.
  var forwardedTo: PeerIndex?
}

/// What a ticket of the control log stands for: the kind is in its two lowest bits.
enum Ticket: Sendable {
  /// A command of this node, by its number in the session.
  case command(UInt64)
  /// A command that another node forwarded, by a number of this node's.
  case foreign(UInt64)
  /// A read of this node.
  case read(UInt64)
  /// A change of the log's members.
  case reconfiguration

  /// Takes a ticket apart.
  init(_ value: UInt64) {
    switch value & 3 {
    case 0: self = .command(value >> 2)
    case 1: self = .foreign(value >> 2)
    case 2: self = .read(value >> 2)
    // open set: two bits have one more value
    default: self = .reconfiguration
    }
  }

  /// The ticket as the log knows it.
  var value: UInt64 {
    switch self {
    case .command(let number): number << 2
    case .foreign(let number): number << 2 | 1
    case .read(let number): number << 2 | 2
    case .reconfiguration: 3
    }
  }
}

extension ControlPlane {
  mutating func submit(
    _ request: ControlRequestID?, _ operation: ControlOperation,
    name: Identifier<ControlIdempotency>?, deadline: Instant, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    let sequence = nextSequence
    let oldest = pending.entries.first?.key ?? sequence
    // The state keeps every result from the oldest pending command on, so the span counts.
    guard sequence - oldest < UInt64(configuration.commandsMax) else {
      counters.overloaded += 1
      if let request { effects.replies.append((request, .overloaded)) }
      return
    }
    counters.submitted += 1
    nextSequence += 1
    let command = ControlCommand(
      session: session, sequence: sequence,
      acknowledgedBelow: oldest, idempotency: name,
      operation: operation)
    pending[sequence] = PendingCommand(
      request: request, command: command, bytes: command.encoded, deadline: deadline)
    noteCommand(due: deadline)
    place(sequence, at: now, into: &effects)
  }

  private mutating func noteCommand(due: Instant) {
    commandsDue = min(commandsDue ?? due, due)
  }

  /// Hands a command to the log, here or at the leader.
  private mutating func place(
    _ sequence: UInt64, at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    guard let command = pending[sequence] else { return }
    if raft.role == .leader {
      noteSent(sequence, to: nil, at: now)
      raft.handle(
        .propose(command.bytes, ticket: Ticket.command(sequence).value), at: now,
        into: &raftEffects)
    } else if let leader = raft.leader, let peer = peers.place(of: leader) {
      let remaining = command.deadline.since(now.instant).nanoseconds / 1_000_000
      guard remaining > 0 else { return }
      noteSent(sequence, to: peer, at: now)
      let forward = ForwardedCommand(
        command: command.bytes, remainingMilliseconds: UInt32(min(remaining, 1 << 31)))
      effects.sends.append(.init(peer: peer, message: .forward(forward), isDatagram: false))
    }
  }

  private mutating func noteSent(_ sequence: UInt64, to peer: PeerIndex?, at now: Moment) {
    let resendAt = now.instant + configuration.resendSpan
    guard let command = pending[sequence] else { return }
    if command.sends > 0 { counters.resent += 1 }
    pending[sequence]?.sends = command.sends + 1
    pending[sequence]?.resendAt = resendAt
    pending[sequence]?.forwardedTo = peer
    noteCommand(due: resendAt)
  }

  /// Sends what is pending to a leader that has not seen it: a new one, or one that is in reach
  /// again.
  mutating func placeAll(at now: Moment, into effects: inout ControlPlaneEffects) {
    for entry in pending.entries { place(entry.key, at: now, into: &effects) }
  }

  /// Follows the office: what is pending goes to whoever holds it.
  mutating func followLeader(at now: Moment, into effects: inout ControlPlaneEffects) {
    guard let leader = raft.leader else {
      sentTo = nil
      return
    }
    let isReached = leader == member.id ? raft.role == .leader : peers.place(of: leader) != nil
    guard isReached else {
      sentTo = nil
      return
    }
    if let sentTo, sentTo.leader == leader, sentTo.term == raft.term { return }
    sentTo = (leader, raft.term)
    placeAll(at: now, into: &effects)
    retryReads(at: now)
  }

  // MARK: What becomes of commands

  /// A command of a session of this node was applied.
  mutating func settle(
    _ command: ControlCommand, _ result: ControlResult, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    guard command.session == session, let waiting = pending[command.sequence] else { return }
    if case .refused(.sessionExpired) = result.outcome {
      reopenSession(at: now, into: &effects)
      return
    }
    // An answer to an earlier copy is the answer; `stale` never comes while it is pending.
    pending[command.sequence] = nil
    guard let request = waiting.request else { return }
    // Every member knows this session: one that lies can take its next number for another command.
    guard command.operation == waiting.command.operation, result.fits(command.operation) else {
      counters.unknown += 1
      effects.replies.append((request, .unknown))
      return
    }
    effects.replies.append((request, .result(result)))
  }

  /// The state may have forgotten this session: another one takes what no log can hold yet, and
  /// nobody can tell what became of the rest.
  private mutating func reopenSession(
    at now: Moment, into effects: inout ControlPlaneEffects
  ) {
    counters.sessionsReopened += 1
    let waiting = pending.entries.map(\.value)
    pending.removeAll()
    session = ControlSession(number: max(1, sessionRandom.next()), openedAt: raft.applied)
    // Numbers go on: a refusal that was meant for the old session must not meet a new command.
    for command in waiting {
      if command.sends > 1 {
        counters.unknown += 1
        if let request = command.request { effects.replies.append((request, .unknown)) }
      } else {
        submit(
          command.request, command.command.operation, name: command.command.idempotency,
          deadline: command.deadline, at: now, into: &effects)
      }
    }
  }

  /// The log's answer to a ticket of a command.
  mutating func take(
    _ outcome: RaftOutcome, ofCommand sequence: UInt64, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    switch outcome {
    case .placed: break
    case .dropped: turnDown(sequence, isOverload: true, at: now, into: &effects)
    case .refused, .busy: turnDown(sequence, isOverload: false, at: now, into: &effects)
    case .readable, .readFailed: preconditionFailure("a command was answered as a read")
    }
  }

  /// A log did not take a command: it is in none by this sending.
  private mutating func turnDown(
    _ sequence: UInt64, isOverload: Bool, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    guard let command = pending[sequence], command.sends > 0 else { return }
    let sends = command.sends - 1
    if isOverload && sends == 0 {
      pending[sequence] = nil
      counters.overloaded += 1
      if let request = command.request { effects.replies.append((request, .overloaded)) }
      return
    }
    let again = now.instant + .milliseconds(20)
    pending[sequence]?.sends = sends
    pending[sequence]?.resendAt = again
    noteCommand(due: again)
  }

  /// Ends commands whose time is over, and sends again what waited too long.
  mutating func expireCommands(at now: Moment, into effects: inout ControlPlaneEffects) {
    guard let due = commandsDue, due <= now.instant else { return }
    commandsDue = nil
    for entry in pending.entries {
      let command = entry.value
      if command.deadline <= now.instant {
        pending[entry.key] = nil
        let isInNoLog = command.sends == 0
        if isInNoLog { counters.unavailable += 1 } else { counters.unknown += 1 }
        guard let request = command.request else { continue }
        effects.replies.append(
          (request, isInNoLog ? .unavailable(leader: leaderNode) : .unknown))
        continue
      }
      if let resendAt = command.resendAt {
        if resendAt <= now.instant {
          pending[entry.key]?.resendAt = nil
          place(entry.key, at: now, into: &effects)
        } else {
          noteCommand(due: resendAt)
        }
      }
      noteCommand(due: command.deadline)
    }
  }

  // MARK: Commands of others

  /// Takes a command that another node forwarded.
  mutating func take(
    _ forward: ForwardedCommand, from peer: PeerIndex, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    counters.forwarded += 1
    let command: ControlCommand
    do throws(WireError) {
      command = try ControlCommand(decoding: forward.command)
    } catch {
      effects.disconnects.append((peer, "forwarded what is no command"))
      return
    }
    guard raft.role == .leader else {
      refuse(command.sequence, .notLeader, to: peer, into: &effects)
      return
    }
    let number = nextTicket
    nextTicket += 1
    foreign[number] = (peer, command.sequence)
    raft.handle(
      .propose(forward.command, ticket: Ticket.foreign(number).value), at: now,
      into: &raftEffects)
  }

  mutating func answerForeign(
    _ ticket: UInt64, _ outcome: RaftOutcome, into effects: inout ControlPlaneEffects
  ) {
    guard let (peer, sequence) = foreign[ticket] else { return }
    foreign[ticket] = nil
    switch outcome {
    case .placed, .readable, .readFailed: break
    case .dropped: refuse(sequence, .overloaded, to: peer, into: &effects)
    case .refused, .busy: refuse(sequence, .notLeader, to: peer, into: &effects)
    }
  }

  private mutating func refuse(
    _ sequence: UInt64, _ reason: ForwardRefusal.Reason, to peer: PeerIndex,
    into effects: inout ControlPlaneEffects
  ) {
    counters.forwardsRefused += 1
    let refusal = ForwardRefusal(sequence: sequence, reason: reason)
    effects.sends.append(.init(peer: peer, message: .forwardRefused(refusal), isDatagram: false))
  }

  /// A peer did not propose a command of this node.
  mutating func take(
    _ refusal: ForwardRefusal, from peer: PeerIndex, at now: Moment,
    into effects: inout ControlPlaneEffects
  ) {
    // Only who was sent a command can say that it is in no log.
    guard pending[refusal.sequence]?.forwardedTo == peer else { return }
    turnDown(
      refusal.sequence, isOverload: refusal.reason == .overloaded, at: now, into: &effects)
  }
}
