internal import Primitives

extension Scenario {
  mutating func readStep(_ reader: inout WordReader) throws(ScenarioError) {
    let at = Instant.origin + (try reader.span("a time since the start"))
    steps.append(Step(at: at, fault: try readFault(&reader)))
  }

  /// Reads a fault that comes again and again, and adds each time as a step of its own.
  mutating func readRepeatedStep(_ reader: inout WordReader) throws(ScenarioError) {
    let first = Instant.origin + (try reader.span("a time since the start"))
    try reader.expect("every")
    let period = try reader.span("the time from one to the next")
    guard period > .zero else { throw reader.error("the time from one to the next is nothing") }
    try reader.expect("repeat")
    let count = try reader.number("how often", 1...1_000)
    let fault = try readFault(&reader)
    var at = first
    for _ in 0..<count {
      guard at.since(.origin) <= Scenario.durationMax else {
        throw reader.error("the last one comes later than the longest duration, an hour")
      }
      steps.append(Step(at: at, fault: fault))
      at = at + period
    }
  }

  private func readFault(_ reader: inout WordReader) throws(ScenarioError) -> Fault {
    let word = try reader.next("a fault")
    let fault: Fault
    switch word {
    case "partition": fault = try readPartition(&reader)
    case "isolate":
      if reader.take("leader") {
        fault = .isolateLeader
      } else if reader.take("follower") {
        fault = .isolateFollower
      } else {
        fault = .isolate(try reader.node(of: nodeCount))
      }
    case "cut": fault = try readCut(&reader)
    case "clog": fault = try readClog(&reader)
    case "heal": fault = .heal
    case "crash":
      fault =
        reader.take("leader")
        ? .crashLeader(try readFor(&reader)) : .crash(try reader.node(of: nodeCount))
    case "start": fault = .start(try reader.node(of: nodeCount))
    case "pause":
      if reader.take("leader") {
        fault = .pauseLeader(try readFor(&reader))
      } else {
        let node = try reader.node(of: nodeCount)
        fault = .pause(node, try readFor(&reader))
      }
    case "wipe":
      if reader.take("leader") {
        fault = .wipeLeader(try readFor(&reader))
      } else {
        let node = try reader.node(of: nodeCount)
        fault = .wipe(node, try readFor(&reader))
      }
    case "slow":
      try reader.expect("disk")
      let node = try reader.node(of: nodeCount)
      let latency = try reader.span("how slow")
      try reader.expect("for")
      fault = .slowDisk(node, latency: latency, try reader.span("how long"))
    case "clock": fault = try readJump(&reader)
    case "equivocate":
      let node = try reader.node(of: nodeCount)
      fault = .equivocate(node, only: reader.take("to") ? try reader.node(of: nodeCount) : nil)
    case "forge": fault = .forge(try reader.node(of: nodeCount))
    default: fault = try readControlFault(word, &reader)
    }
    return fault
  }

  private func readControlFault(
    _ word: Substring, _ reader: inout WordReader
  ) throws(ScenarioError) -> Fault {
    switch word {
    case "damage": return .damage(try reader.node(of: nodeCount))
    case "fail":
      try reader.expect("sync")
      let node = try reader.node(of: nodeCount)
      return .failSync(node, try readFor(&reader))
    case "role":
      let node = try reader.node(of: nodeCount)
      let role = String(try reader.next("a role"))
      guard ["voter", "learner", "edge"].contains(role) else {
        throw reader.error("a role is voter, learner or edge, not '\(role)'")
      }
      return .setRole(node, role)
    case "remove": return .remove(try reader.node(of: nodeCount))
    case "transfer": return .transfer
    default:
      throw reader.error(
        "'\(word)' is no fault; there are partition, isolate, cut, clog, heal, crash, start, "
          + "pause, wipe, damage, fail sync, slow disk, clock, role, remove, transfer, "
          + "equivocate and forge")
    }
  }

  private func readCut(_ reader: inout WordReader) throws(ScenarioError) -> Fault {
    if let isFromIt = try readLeaderWay(&reader) { return .cutLeader(isFromIt: isFromIt) }
    let (from, to) = try readWay(&reader)
    return .cut(from: from, to: to)
  }

  private func readClog(_ reader: inout WordReader) throws(ScenarioError) -> Fault {
    if let isFromIt = try readLeaderWay(&reader) {
      return .clogLeader(isFromIt: isFromIt, try readFor(&reader))
    }
    let (from, to) = try readWay(&reader)
    return .clog(from: from, to: to, try readFor(&reader))
  }

  /// Reads `leader -> others`, true, or `others -> leader`; `nil` when nodes are named.
  private func readLeaderWay(_ reader: inout WordReader) throws(ScenarioError) -> Bool? {
    let isFromIt = reader.take("leader")
    guard isFromIt || reader.take("others") else { return nil }
    try reader.expect("->")
    try reader.expect(isFromIt ? "others" : "leader")
    return isFromIt
  }

  private func readFor(_ reader: inout WordReader) throws(ScenarioError) -> TimeSpan {
    try reader.expect("for")
    return try reader.span("how long")
  }

  private func readPartition(_ reader: inout WordReader) throws(ScenarioError) -> Fault {
    var groups = [try reader.nodes(of: nodeCount)]
    while reader.take("|") { groups.append(try reader.nodes(of: nodeCount)) }
    guard groups.count > 1 else { throw reader.error("a partition has two groups or more") }
    let all = groups.flatMap(\.self).sorted()
    for (left, right) in zip(all, all.dropFirst()) where left == right {
      throw reader.error("node \(left + 1) stands in the partition twice")
    }
    return .partition(groups)
  }

  private func readWay(_ reader: inout WordReader) throws(ScenarioError) -> (from: Int, to: Int) {
    let from = try reader.node(of: nodeCount)
    try reader.expect("->")
    let to = try reader.node(of: nodeCount)
    guard from != to else { throw reader.error("a node always reaches itself") }
    return (from, to)
  }

  private func readJump(_ reader: inout WordReader) throws(ScenarioError) -> Fault {
    let node = try reader.node(of: nodeCount)
    try reader.expect("jump")
    let isBack = reader.take("back")
    let span = try reader.span("how far")
    let milliseconds = Int64(span.nanoseconds / 1_000_000)
    return .clockJump(node, milliseconds: isBack ? -milliseconds : milliseconds)
  }
}
