internal import Primitives

/// The sessions and the results that they have not acknowledged: what makes a repeated command
/// harmless (Lee, Park, Kejriwal, Matsushita and Ousterhout, "Implementing Linearizability at Large
/// Scale and Low Latency", SOSP 2015; Ongaro 2014, section 6.3).
///
/// A session that was not used for long is forgotten. So that none of its commands is then taken
/// for a new one, the table keeps the greatest index at which a forgotten session was used:
/// whoever was opened before that index and is not here may have been forgotten.
struct SessionTable: Sendable {
  /// What is known of one session.
  struct Session: Sendable {
    /// The index of its latest command.
    var lastUsed: UInt64
    /// Its commands below this number are done with.
    var acknowledgedBelow: UInt64
    /// The results of its commands from there on.
    var results = ChunkedMap<UInt64, ControlResult>()
  }

  /// What a command is to its session.
  enum Admission {
    /// One that was not applied yet, or one without a session.
    case fresh
    /// One that was applied, with this result.
    case known(ControlResult)
    /// One that cannot be told apart from applied ones, or that has no room.
    case refused(ControlRefusal)
  }

  /// The sessions by number.
  private(set) var sessions = ChunkedMap<UInt64, Session>()
  /// The results of all sessions.
  private(set) var resultCount = 0
  /// The greatest index at which a forgotten session was used.
  private(set) var forgottenThrough: UInt64 = 0

  /// Makes an empty table, or one whose sessions follow.
  init(forgottenThrough: UInt64 = 0) {
    self.forgottenThrough = forgottenThrough
  }

  /// Looks a command up that is applied at `index`, and notes that its session was used.
  mutating func admit(
    _ command: ControlCommand, index: UInt64, _ bounds: ControlBounds,
    into notices: inout [ControlNotice]
  ) -> Admission {
    if command.session.number == 0 { return .fresh }
    let position = sessions.search(command.session.number)
    guard position.isFound else {
      if command.session.openedAt < forgottenThrough { return .refused(.sessionExpired) }
      sessions.insert(
        command.session.number,
        Session(lastUsed: index, acknowledgedBelow: command.acknowledgedBelow), at: position)
      if sessions.count > bounds.sessions {
        forgetOldest(but: command.session.number, into: &notices)
      }
      return .fresh
    }
    sessions[position].lastUsed = index
    if command.acknowledgedBelow > sessions[position].acknowledgedBelow {
      sessions[position].acknowledgedBelow = command.acknowledgedBelow
      resultCount -= sessions[position].results.removeAll(below: command.acknowledgedBelow)
    }
    if command.sequence < sessions[position].acknowledgedBelow { return .refused(.stale) }
    if let result = sessions[position].results[command.sequence] { return .known(result) }
    if sessions[position].results.count >= bounds.resultsPerSession {
      return .refused(.tooManyUnacknowledged)
    }
    return .fresh
  }

  /// Keeps the result of a command that was admitted as fresh.
  mutating func remember(
    _ result: ControlResult, of command: ControlCommand, _ bounds: ControlBounds,
    into notices: inout [ControlNotice]
  ) {
    if command.session.number == 0 { return }
    let position = sessions.search(command.session.number)
    let place = sessions[position].results.search(command.sequence)
    sessions[position].results.insert(command.sequence, result, at: place)
    resultCount += 1
    while resultCount > bounds.results {
      forgetOldest(but: command.session.number, into: &notices)
    }
  }

  /// Adds a session as a snapshot states it, behind all others.
  mutating func append(_ number: UInt64, _ session: Session) {
    sessions.append(number, session)
    resultCount += session.results.count
  }

  /// Forgets the session that was not used for longest.
  private mutating func forgetOldest(but kept: UInt64, into notices: inout [ControlNotice]) {
    var oldest: (number: UInt64, lastUsed: UInt64)?
    for (number, session) in sessions where number != kept {
      if session.lastUsed < oldest?.lastUsed ?? .max { oldest = (number, session.lastUsed) }
    }
    guard let oldest, let session = sessions.removeValue(forKey: oldest.number) else {
      preconditionFailure("no session but \(kept) to forget, with \(resultCount) results")
    }
    resultCount -= session.results.count
    forgottenThrough = max(forgottenThrough, session.lastUsed)
    notices.append(.sessionForgotten(number: oldest.number))
  }
}
