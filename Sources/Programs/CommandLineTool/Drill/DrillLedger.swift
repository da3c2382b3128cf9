internal import Synchronization

/// What the clients of a drill have seen so far; shared by all of their threads.
final class DrillLedger: Sendable {
  /// One level of writes.
  struct Tier: Sendable {
    /// Writes that were confirmed.
    var acknowledged = 0
    /// Requests that were repeated: at another node, or after an outcome that was not known.
    var retried = 0
    /// Answers 504 and connections lost on the way: the client could not know what became of it.
    var unknown = 0
    /// Writes that were given up without a confirmation.
    var undecided = 0
    /// The longest time between two confirmations, in milliseconds.
    var longestGapMilliseconds = 0
    /// When the last confirmation came.
    var lastMilliseconds = 0
  }

  /// Everything the clients know.
  struct State: Sendable {
    var quorum = Tier()
    var local = Tier()
    /// By number of the answer, whether it was confirmed.
    var answers: [Bool]
    /// The questions that were confirmed with `local`.
    var localQuestions: [String] = []
    /// Clients that still have answers to give.
    var busyClients: Int
    /// Whether the drill is given up.
    var isCancelled = false
    /// Answers of nodes that nothing explains; any of them fails the drill.
    var surprises: [String] = []
    /// How many there were.
    var surpriseCount = 0

    /// Notes something that no kill explains.
    mutating func note(_ surprise: String) {
      surpriseCount += 1
      if surprises.count < 5 { surprises.append(surprise) }
    }
  }

  private let state: Mutex<State>

  /// Starts the books of a load.
  init(answers: Int, clients: Int) {
    state = Mutex(State(answers: Array(repeating: false, count: answers), busyClients: clients))
  }

  /// What is known now.
  var snapshot: State { state.withLock { $0 } }

  /// Whether the drill is given up.
  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// Whether some client still has answers to give.
  var isBusy: Bool { state.withLock { $0.busyClients > 0 } }

  /// Changes the books.
  func update(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

  /// Starts measuring gaps.
  func begin(atMilliseconds now: Int) {
    update { state in
      state.quorum.lastMilliseconds = now
      state.local.lastMilliseconds = now
    }
  }
}

extension DrillLedger.Tier {
  /// Notes a confirmation.
  mutating func confirm(atMilliseconds now: Int) {
    acknowledged += 1
    longestGapMilliseconds = max(longestGapMilliseconds, now - lastMilliseconds)
    lastMilliseconds = now
  }
}
