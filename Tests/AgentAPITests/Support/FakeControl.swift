import AgentAPI
import ControlCore
import NodeCore
import Primitives
import Records

/// A control plane without others: commands are applied to a control state at once, in the order in
/// which they come, unless a test chooses another fate.
final class FakeControl {
  /// What becomes of a request.
  enum Fate {
    case apply
    /// Applied, and nobody hears of it.
    case lose
    case reply(ControlReply)
  }

  var fate = Fate.apply
  /// The fate of commands of one kind, before `fate`.
  var fateOf: ((ControlOperation) -> Fate?)?
  var bounds = ControlBounds()
  var isLeader = true
  var leader: NodeID? = NodeID(key: Digest(words: 5, 6, 7, 8))
  var staleMilliseconds: UInt64? = 12
  fileprivate(set) var state = ControlState()
  fileprivate(set) var index: UInt64 = 0
  fileprivate(set) var deadlines: [Instant] = []
  fileprivate(set) var names: [Identifier<ControlIdempotency>?] = []
  fileprivate(set) var levels: [ControlReadLevel] = []
  fileprivate(set) var transfers: [NodeID?] = []
  private var next: UInt64 = 1

  fileprivate func takeID() -> ControlRequestID {
    defer { next += 1 }
    return ControlRequestID(next)
  }
}

extension FakeNode {
  func request(
    _ make: (ControlRequestID) -> ControlPlaneEvent,
    completion: @escaping (ControlReply) -> Void
  ) {
    switch make(control.takeID()) {
    case .submit(_, let operation, let name, let deadline):
      control.deadlines.append(deadline)
      control.names.append(name)
      submit(operation, name, completion)
    case .read(_, let query, let level, let deadline):
      control.deadlines.append(deadline)
      control.levels.append(level)
      later { [control] in
        if case .reply(let reply) = control.fate, level != .local { return completion(reply) }
        let stale = level == .linearizable ? 0 : control.staleMilliseconds
        completion(
          .answer(
            control.state.answer(query),
            ControlFreshness(
              staleMilliseconds: stale, index: control.index, leader: control.leader)))
      }
    case .received, .refused, .persisted, .snapshotEncoded, .transferLeadership, .leaving:
      preconditionFailure("no request")
    }
  }

  private func submit(
    _ operation: ControlOperation, _ name: Identifier<ControlIdempotency>?,
    _ completion: @escaping (ControlReply) -> Void
  ) {
    switch control.fateOf?(operation) ?? control.fate {
    case .apply:
      // As on a node: replies come before notices.
      let (result, notices) = applied(operation, name)
      later { [unowned self] in
        completion(.result(result))
        tell(notices)
      }
    case .lose:
      let (_, notices) = applied(operation, name)
      later { [unowned self] in
        completion(.unknown)
        tell(notices)
      }
    case .reply(let reply): later { completion(reply) }
    }
  }

  /// Applies a command of another node.
  @discardableResult
  func apply(_ operation: ControlOperation) -> ControlResult {
    let (result, notices) = applied(operation, nil)
    tell(notices)
    return result
  }

  private func applied(
    _ operation: ControlOperation, _ name: Identifier<ControlIdempotency>?
  ) -> (ControlResult, [ControlNotice]) {
    control.index += 1
    var notices: [ControlNotice] = []
    let command = ControlCommand(idempotency: name, operation: operation)
    let result = control.state.apply(command, index: control.index, into: &notices)
    return (result, notices)
  }

  private func tell(_ notices: [ControlNotice]) {
    for notice in notices {
      switch notice {
      case .eventsAdded: controlWatch?.eventsAdded()
      case .lockGranted(let name, let lease, let token):
        controlWatch?.lockWaitEnded(name, lease, token: token)
      case .waitEnded(let name, let lease): controlWatch?.lockWaitEnded(name, lease, token: nil)
      case .leaseArmed, .leaseGone, .memberChanged, .settingChanged, .sessionForgotten: break
      }
    }
  }

  /// Replaces the state by what a snapshot of it holds, which has no history.
  func restoreControl() throws {
    control.state = try ControlState(
      snapshot: control.state.snapshotBytes, through: control.index)
    controlWatch?.restored()
  }

  /// Lets time pass, waking the watch whenever it asked to be.
  func pass(milliseconds: UInt64) {
    let end = now + .milliseconds(milliseconds)
    while let due = wakeAt, due <= end {
      now = max(now, due)
      wakeAt = nil
      controlWatch?.timeReached()
      while hasPending { runNext() }
    }
    now = end
  }

  func wakeControlWatch(at instant: Instant) { wakeAt = instant }

  func events(
    after revision: UInt64, _ filter: ControlFilter, limit: Int
  ) -> ControlWatchAnswer {
    control.state.events(after: revision, matching: filter, limit: limit)
  }

  var controlRevision: UInt64 { control.state.revision }

  func transferLeadership(to node: NodeID?) { control.transfers.append(node) }

  var controlStatus: ControlStatus {
    ControlStatus(
      role: control.isLeader ? "leader" : "follower", term: 3, leader: control.leader,
      commit: control.index, applied: control.index, lastIndex: control.index + 1,
      revision: control.state.revision, staleMilliseconds: control.staleMilliseconds,
      members: [
        .init(node: node, life: 0, isVoter: true, match: control.index),
        .init(
          node: NodeID(key: Digest(words: 4, 4, 4, 4)), life: .max, isVoter: false, match: nil),
      ], isChanging: false, coordination: "led", coordinator: node, dissemination: "direct",
      view: [
        .init(
          node: node, state: "alive", role: "voter", incarnation: 2, region: "", zone: "", load: 0,
          sinceMilliseconds: 5)
      ])
  }
}
