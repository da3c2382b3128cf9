internal import Configuration
internal import Synchronization

/// A thread that asks every node again and again how it sees the control plane.
final class DrillMonitor {
  /// A time in which a node said that it leads.
  struct Reign: Sendable {
    let node: Int
    let term: Int64
    let start: UInt64
    var end: UInt64
  }

  private struct State: Sendable {
    var resting: Set<Int> = []
    var reigns: [Reign] = []
    var agreedAt: UInt64?
    var isOver = false
  }

  /// The time between two rounds, in milliseconds.
  private static let periodMilliseconds = 25

  private let shared: Shared
  private var thread: WorkerThread?

  private final class Shared: Sendable {
    let state = Mutex(State())
  }

  /// Starts asking; ids and addresses are those of the nodes in order.
  init(ids: [String], addresses: [PlainAddress]) {
    let shared = Shared()
    self.shared = shared
    thread = WorkerThread {
      let nodes = addresses.map { PlainConnection($0) }
      while !shared.state.withLock({ $0.isOver }) {
        DrillMonitor.look(at: nodes, ids, shared)
        DrillClient.pause(milliseconds: DrillMonitor.periodMilliseconds)
      }
    }
  }

  private static func look(at nodes: [PlainConnection], _ ids: [String], _ shared: Shared) {
    let resting = shared.state.withLock { $0.resting }
    let views = nodes.enumerated().map { index, node in
      (
        id: ids[index],
        view: resting.contains(index) ? nil : ControlView.ask(node, timeoutMilliseconds: 100)
      )
    }
    let now = BenchClock.nanoseconds
    shared.state.withLock { state in
      for (index, entry) in views.enumerated() {
        guard let view = entry.view, view.role == "leader" else { continue }
        if let last = state.reigns.lastIndex(where: { $0.node == index && $0.term == view.term }) {
          state.reigns[last].end = now
        } else {
          state.reigns.append(Reign(node: index, term: view.term, start: now, end: now))
        }
      }
      if ControlView.agree(views) { state.agreedAt = state.agreedAt ?? now }
    }
  }

  /// Leaves nodes alone that cannot answer: waiting for them would slow the look at the others.
  func rest(_ nodes: Set<Int>) { shared.state.withLock { $0.resting = nodes } }

  /// Forgets that the nodes agreed: what counts is when they do so again.
  func forgetAgreement() { shared.state.withLock { $0.agreedAt = nil } }

  /// When all nodes had one view, first since that was last forgotten.
  var agreedAt: UInt64? { shared.state.withLock { $0.agreedAt } }

  /// Who led when, in the order in which it was seen.
  var reigns: [Reign] { shared.state.withLock { $0.reigns } }

  /// Ends the thread.
  func stop() {
    shared.state.withLock { $0.isOver = true }
    thread?.join()
    thread = nil
  }
}
