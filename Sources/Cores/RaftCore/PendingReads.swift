internal import Primitives
internal import Records

/// Reads that wait: for the end of the turn, for a leader's answer, for a round, for an index.
struct PendingReads: Sendable {
  /// A reader at another member, or a ticket of this one.
  private enum Reader: Sendable {
    case own(ticket: UInt64)
    case other(RaftID, context: UInt64)
  }

  private struct Round: Sendable {
    let number: UInt64
    let index: UInt64
    let readers: [Reader]
  }

  private struct Asked: Sendable {
    let context: UInt64
    let tickets: [UInt64]
    let deadline: Instant
  }

  private struct Known: Sendable {
    let index: UInt64
    let tickets: [UInt64]
    let deadline: Instant
  }

  /// Forwarded reads of one member that may wait at a leader.
  private static let perMemberMax = 64

  private var gathered: [Reader] = []
  private var rounds: [Round] = []
  private var asked: [Asked] = []
  private var known: [Known] = []
  /// Never used twice, not even by an earlier life of the process: hence it begins anywhere.
  private var nextContext: UInt64
  /// Own tickets that wait, wherever.
  private(set) var count = 0

  init(firstContext: UInt64) {
    nextContext = firstContext
  }

  /// When the first of them has waited too long.
  var deadline: Instant? { earlier(asked.first?.deadline, known.first?.deadline) }

  /// Whether something waits for the end of the turn.
  var isGathering: Bool { !gathered.isEmpty }

  /// Takes an own read.
  mutating func gather(_ ticket: UInt64) {
    gathered.append(.own(ticket: ticket))
    count += 1
  }

  /// Takes a read of another member; one that has too many waiting must ask again.
  mutating func gather(_ context: UInt64, from reader: RaftID, _ settings: RaftSettings) {
    var waiting = 0
    for other in gathered {
      if case .other(reader, _) = other { waiting += 1 }
    }
    for round in rounds {
      for other in round.readers {
        if case .other(reader, _) = other { waiting += 1 }
      }
    }
    guard waiting < PendingReads.perMemberMax else { return }
    gathered.append(.other(reader, context: context))
  }

  /// Ties what was gathered to a round that begins now.
  mutating func begin(round: UInt64, index: UInt64) {
    if let last = rounds.last {
      precondition(round > last.number, "R9: round \(round) after \(last.number)")
    }
    rounds.append(Round(number: round, index: index, readers: gathered))
    gathered = []
  }

  /// Ties what was gathered to a question for the leader; `nil` when there is none to put.
  mutating func ask(until deadline: Instant) -> UInt64? {
    var tickets: [UInt64] = []
    for reader in gathered {
      if case .own(let ticket) = reader { tickets.append(ticket) }
    }
    gathered = []
    guard !tickets.isEmpty else { return nil }
    let context = nextContext
    nextContext += 1
    asked.append(Asked(context: context, tickets: tickets, deadline: deadline))
    return context
  }

  /// Takes the leader's answer.
  mutating func confirm(context: UInt64, index: UInt64) {
    guard let place = asked.firstIndex(where: { $0.context == context }) else { return }
    let answer = asked.remove(at: place)
    known.append(Known(index: index, tickets: answer.tickets, deadline: answer.deadline))
  }

  /// Releases what a quorum has confirmed: own tickets wait on for the index, others are told.
  mutating func confirm(
    rounds confirmed: UInt64, until deadline: Instant,
    tell: (_ reader: RaftID, _ context: UInt64, _ index: UInt64) -> Void
  ) {
    var done = 0
    for round in rounds {
      guard round.number <= confirmed else { break }
      done += 1
      var tickets: [UInt64] = []
      for reader in round.readers {
        switch reader {
        case .own(let ticket): tickets.append(ticket)
        case .other(let id, let context): tell(id, context, round.index)
        }
      }
      if !tickets.isEmpty {
        known.append(Known(index: round.index, tickets: tickets, deadline: deadline))
      }
    }
    rounds.removeFirst(done)
  }

  /// Answers what is applied.
  mutating func release(through applied: UInt64, into effects: inout RaftEffects) {
    guard !known.isEmpty else { return }
    for entry in known where entry.index <= applied {
      count -= entry.tickets.count
      for ticket in entry.tickets {
        effects.answers.append(.init(ticket: ticket, outcome: .readable(index: entry.index)))
      }
    }
    known.removeAll { $0.index <= applied }
  }

  /// Fails what has waited too long.
  mutating func expire(at now: Instant, leader: RaftID?, into effects: inout RaftEffects) {
    while let first = asked.first, first.deadline <= now {
      fail(asked.removeFirst().tickets, leader, into: &effects)
    }
    while let first = known.first, first.deadline <= now {
      fail(known.removeFirst().tickets, leader, into: &effects)
    }
  }

  /// Fails what only a leader that is gone would have answered.
  mutating func loseLeader(newLeader: RaftID?, into effects: inout RaftEffects) {
    for question in asked { fail(question.tickets, newLeader, into: &effects) }
    asked.removeAll()
  }

  /// Fails what this member was to confirm as a leader; others notice by themselves.
  mutating func loseOffice(leader: RaftID?, into effects: inout RaftEffects) {
    for reader in rounds.flatMap(\.readers) + gathered {
      if case .own(let ticket) = reader { fail([ticket], leader, into: &effects) }
    }
    rounds.removeAll()
    gathered.removeAll()
  }

  private mutating func fail(
    _ tickets: [UInt64], _ leader: RaftID?, into effects: inout RaftEffects
  ) {
    count -= tickets.count
    for ticket in tickets {
      effects.answers.append(.init(ticket: ticket, outcome: .readFailed(leader: leader)))
    }
  }

  /// The tickets that wait, counted one by one: what `count` must be.
  var recount: Int {
    var total = asked.reduce(0) { $0 + $1.tickets.count }
    total += known.reduce(0) { $0 + $1.tickets.count }
    for reader in gathered {
      if case .own = reader { total += 1 }
    }
    for reader in rounds.lazy.flatMap(\.readers) {
      if case .own = reader { total += 1 }
    }
    return total
  }
}

extension Raft {
  /// Takes a read; every member can, with a leader's help.
  mutating func read(_ ticket: UInt64, at now: Instant, into effects: inout RaftEffects) {
    guard leader != nil else {
      effects.answers.append(.init(ticket: ticket, outcome: .readFailed(leader: nil)))
      return
    }
    guard reads.count < settings.pendingReadsMax else {
      effects.answers.append(.init(ticket: ticket, outcome: .dropped))
      return
    }
    reads.gather(ticket)
  }

  /// Begins a round for the turn's reads, or asks the leader; answers what can be answered.
  mutating func settleReads(at now: Instant, into effects: inout RaftEffects) {
    let deadline = now + settings.readTimeout
    if role == .leader {
      if reads.isGathering, commit >= termStart {
        // The round's number is the next one: it goes out at the end of this very turn.
        isRoundDue = true
        reads.begin(round: round + 1, index: commit)
      }
      let confirmed = quorumValue(own: .max) { $0.round }
      let (id, term) = (id, term)
      reads.confirm(rounds: confirmed, until: deadline) { reader, context, index in
        effects.sends.append(
          RaftMessage(
            from: id, to: reader, term: term,
            body: .readIndexResponse(context: context, index: index)))
      }
    } else if reads.isGathering {
      if let leader {
        if let context = reads.ask(until: deadline) {
          send(.readIndex(context: context), to: leader, into: &effects)
        }
      } else {
        reads.loseOffice(leader: nil, into: &effects)
      }
    }
    reads.release(through: applied, into: &effects)
  }
}
