internal import Primitives
package import Simulator

/// What a scenario file asks of real processes, or why it asks too much.
package enum ScenarioPlan {
  /// What real processes cannot be made to do, as the scenario's language calls it; empty when the
  /// scenario can be carried out.
  package static func refusals(of scenario: Scenario) -> [String] {
    var refused: [String] = []
    if scenario.clockSkew > .zero || scenario.clockDriftMillionths > 0 { refused.append("clock") }
    if scenario.usesRelays { refused.append("relays") }
    if scenario.network.duplicateMillionths > 0 { refused.append("network duplicate") }
    if scenario.network.datagramLossMillionths > 0 { refused.append("network datagram-loss") }
    if scenario.detection != nil { refused.append("expect detection") }
    if scenario.forbidsFalseDown { refused.append("expect no false downs") }
    let chaos = scenario.chaos
    if chaos.crashes + chaos.partitions + chaos.cuts + chaos.pauses + chaos.slowDisks > 0 {
      refused.append("chaos")
    }
    for step in scenario.steps {
      guard let name = refusal(of: step.fault), !refused.contains(name) else { continue }
      refused.append(name)
    }
    return refused
  }

  private static func refusal(of fault: Fault) -> String? {
    switch fault {
    case .damage: "damage"
    case .failSync: "fail sync"
    case .slowDisk: "slow disk"
    case .clockJump: "clock jump"
    case .equivocate: "equivocate"
    case .forge: "forge"
    case .partition, .isolate, .isolateLeader, .isolateFollower, .crashLeader, .pauseLeader,
      .wipeLeader, .cutLeader, .clogLeader, .wipe, .setRole, .remove, .transfer, .cut, .clog,
      .heal, .crash, .crashFor, .start, .pause:
      nil
    }
  }

  /// A fault in the words of a picture's mark.
  static func label(of fault: Fault, at node: Int?) -> String {
    let place = node.map { " \($0 + 1)" } ?? ""
    switch fault {
    case .partition(let groups):
      return "partition "
        + groups.map { $0.map { "\($0 + 1)" }.joined(separator: ",") }.joined(separator: " | ")
    case .isolate, .isolateLeader, .isolateFollower: return "isolate\(place)"
    case .crashLeader: return "kill -9 of leader\(place)"
    case .crash, .crashFor: return "kill -9 of\(place)"
    case .pauseLeader, .pause: return "pause\(place)"
    case .wipe, .wipeLeader: return "wipe\(place)"
    case .cutLeader(let isFromIt): return "cut \(isFromIt ? "from" : "to") leader\(place)"
    case .clogLeader(let isFromIt, _): return "clog \(isFromIt ? "from" : "to") leader\(place)"
    case .damage: return "damage\(place)"
    case .failSync: return "fail sync\(place)"
    case .setRole(_, let role): return "role\(place) \(role)"
    case .remove: return "remove\(place)"
    case .transfer: return "transfer"
    case .cut(let from, let to): return "cut \(from + 1) -> \(to + 1)"
    case .clog(let from, let to, _): return "clog \(from + 1) -> \(to + 1)"
    case .heal: return "heal"
    case .start: return "start\(place)"
    case .slowDisk: return "slow disk\(place)"
    case .clockJump: return "clock jump\(place)"
    case .equivocate: return "equivocate\(place)"
    case .forge: return "forge\(place)"
    }
  }
}
