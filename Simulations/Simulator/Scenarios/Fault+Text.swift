internal import Primitives

extension Fault {
  /// What happens, in the words of scenario files.
  var label: String {
    switch self {
    case .partition(let groups): "partition " + groups.map(Fault.list).joined(separator: " | ")
    case .isolate(let node): "isolate \(node + 1)"
    case .isolateLeader: "isolate leader"
    case .isolateFollower: "isolate follower"
    case .crashLeader(let span): "crash leader for \(Fault.text(span))"
    case .pauseLeader(let span): "pause leader for \(Fault.text(span))"
    case .wipeLeader(let span): "wipe leader for \(Fault.text(span))"
    case .cutLeader(let isFromIt): "cut \(Fault.way(isFromIt))"
    case .clogLeader(let isFromIt, let span):
      "clog \(Fault.way(isFromIt)) for \(Fault.text(span))"
    case .wipe(let node, let span): "wipe \(node + 1) for \(Fault.text(span))"
    case .damage(let node): "damage \(node + 1)"
    case .failSync(let node, let span): "fail sync \(node + 1) for \(Fault.text(span))"
    case .setRole(let node, let role): "role \(node + 1) \(role)"
    case .remove(let node): "remove \(node + 1)"
    case .transfer: "transfer"
    case .cut(let from, let to): "cut \(from + 1) -> \(to + 1)"
    case .clog(let from, let to, let span):
      "clog \(from + 1) -> \(to + 1) for \(Fault.text(span))"
    case .heal: "heal"
    case .crash(let node): "crash \(node + 1)"
    case .crashFor(let node, let span): "crash \(node + 1) for \(Fault.text(span))"
    case .start(let node): "start \(node + 1)"
    case .pause(let node, let span): "pause \(node + 1) for \(Fault.text(span))"
    case .slowDisk(let node, let latency, let span):
      "slow disk \(node + 1) \(Fault.text(latency)) for \(Fault.text(span))"
    case .clockJump(let node, let milliseconds): "clock \(node + 1) jump \(milliseconds)ms"
    case .equivocate(let node, let only):
      "equivocate \(node + 1)" + (only.map { " to \($0 + 1)" } ?? "")
    case .forge(let node): "forge \(node + 1)"
    }
  }

  private static func list(_ nodes: [Int]) -> String {
    nodes.map { "\($0 + 1)" }.joined(separator: ",")
  }

  private static func way(_ isFromLeader: Bool) -> String {
    isFromLeader ? "leader -> others" : "others -> leader"
  }

  private static func text(_ span: TimeSpan) -> String { "\(span.nanoseconds / 1_000_000)ms" }
}
