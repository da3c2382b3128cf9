internal import Synchronization

/// Runs a body for every number below a count, in any order, at the same time or one after another,
/// and returns when all are done. Whoever calls brings the threads.
package typealias Spread = (_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Void

/// What came of work that was spread, in the order of the work.
enum SpreadWork {
  /// One after another.
  static func inOrder(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    for index in 0..<count { body(index) }
  }

  /// The outcome for every number below a count.
  static func map<Outcome: Sendable>(
    _ count: Int, _ spread: Spread, _ work: @escaping @Sendable (Int) -> Outcome
  ) -> [Outcome] {
    let outcomes = Mutex([Outcome?](repeating: nil, count: count))
    spread(count) { index in
      let outcome = work(index)
      outcomes.withLock { $0[index] = outcome }
    }
    let done = outcomes.withLock { $0.compactMap(\.self) }
    precondition(done.count == count, "\(done.count) of \(count) pieces of work were done")
    return done
  }
}
