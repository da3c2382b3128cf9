internal import Histories
internal import Synchronization

/// What the clients of a scenario saw so far; shared by their threads.
final class ScenarioBooks: Sendable {
  /// A write to a lane that was acknowledged.
  struct LaneWrite: Sendable {
    let tier: WriteTier
    /// The operations that the node named.
    let operations: [String]
  }

  /// Everything that is known.
  struct State: Sendable {
    /// What was asked of the control state.
    var history = History()
    /// Writes to lanes, of every outcome.
    var attempts: [WriteAttempt] = []
    /// Those that were acknowledged.
    var acknowledged: [LaneWrite] = []
    /// Answers that nothing explains; any of them fails the drill.
    var surprises: [String] = []
    /// How many there were.
    var surpriseCount = 0
    /// Whether clients begin nothing more.
    var isOver = false
  }

  private let state = Mutex(State())

  /// What is known now.
  var snapshot: State { state.withLock { $0 } }

  /// Whether clients begin nothing more.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Lets clients finish what they do, and begin nothing more.
  func end() { state.withLock { $0.isOver = true } }

  /// Notes a call; `nil` when nothing more may be sent.
  func begin(
    client: Int, key: String, _ operation: HistoryOperation, at call: UInt64
  ) -> History.Ticket? {
    state.withLock { state in
      guard !state.isOver else { return nil }
      return state.history.begin(
        client: UInt64(client), key: key, operation: operation, at: call)
    }
  }

  /// Notes the answer to a call. A call that is never answered stays unknown.
  func answer(_ ticket: History.Ticket, _ result: HistoryResult, at instant: UInt64) {
    state.withLock { $0.history.answer(ticket, result, at: instant) }
  }

  /// Takes a history that was added to when nobody else did any more.
  func replace(history: History) { state.withLock { $0.history = history } }

  /// Notes how a write to a lane ended, with its operations when it was acknowledged.
  func note(_ attempt: WriteAttempt, operations: [String]) {
    state.withLock { state in
      state.attempts.append(attempt)
      guard attempt.outcome == .acknowledged else { return }
      state.acknowledged.append(LaneWrite(tier: attempt.tier, operations: operations))
    }
  }

  /// Notes something that no fault explains.
  func note(surprise: String) {
    state.withLock { state in
      state.surpriseCount += 1
      if state.surprises.count < 10 { state.surprises.append(surprise) }
    }
  }
}
