import Histories
import Primitives

/// Made-up runs of five nodes with everything a picture can show.
enum SampleRun {
  private static let second: UInt64 = 1_000_000_000
  private static let millisecond: UInt64 = 1_000_000

  /// A partition that heals, a pause, a slow disk and a crash of the leader, in 60 seconds.
  static func partition() -> Timeline {
    var random = Xoshiro256(seed: 5)
    var timeline = Timeline(title: "split 2|3 with a crash", start: second, end: 61 * second)
    for node in 1...5 { _ = timeline.addNode("node \(node)") }
    timeline.add(.leader(term: 3), node: 0, from: second, to: 10 * second + 180 * millisecond)
    timeline.add(.leader(term: 4), node: 3, from: 10 * second + 390 * millisecond, to: 48 * second)
    timeline.add(.leader(term: 5), node: 2, from: 48 * second + 96 * millisecond, to: 61 * second)
    timeline.add(.down, node: 3, from: 48 * second, to: 52 * second)
    timeline.add(.paused, node: 1, from: 44 * second, to: 46 * second)
    timeline.add(.slow, node: 4, from: 53 * second, to: 57 * second)
    timeline.addPartition([[0, 1], [2, 3, 4]], from: 10 * second, to: 40 * second)
    let faults: [(String, UInt64, Int?)] = [
      ("partition 1,2 | 3,4,5", 10, nil), ("heal", 40, nil), ("pause 2 for 2s", 44, 1),
      ("kill -9 the leader", 48, 3), ("start 4", 52, 3), ("slow disk 5", 53, 4),
    ]
    for (label, at, node) in faults { timeline.addFault(label, at: at * second, node: node) }
    var attempts: [WriteAttempt] = []
    for tier in WriteTier.allCases {
      var call = second
      while call < 60_980 * millisecond {
        call += (4 + random.next(in: 0...12)) * millisecond
        let isCut = (10 * second..<40 * second).contains(call) && random.next(below: 5) < 2
        let blocked = [
          (10 * second, 10 * second + 400 * millisecond),
          (48 * second, 48 * second + 96 * millisecond),
        ]
        .contains { call >= $0.0 && call < $0.1 }
        let isFailed = tier != .local && (isCut || blocked)
        attempts.append(
          WriteAttempt(
            tier: tier, call: call, answered: call + 3 * millisecond,
            outcome: isFailed ? .unknown : .acknowledged))
      }
    }
    timeline.addWrites(attempts)
    timeline.setConvergence(at: 43 * second + 120 * millisecond)
    var verdict = verdict(attempts, faults: [10 * second, 48 * second])
    verdict.healNanoseconds = 3_120 * millisecond
    timeline.verdict = verdict
    return timeline
  }

  private static func verdict(_ attempts: [WriteAttempt], faults: [UInt64]) -> ControlVerdict {
    var verdict = ControlVerdict(
      scenario: "split-heals", command: "swarmoracle drill Simulations/Scenarios/split-heals.txt",
      seed: 5)
    verdict.nanoseconds = 60 * second
    verdict.hadFaults = true
    verdict.leaderChanges = 2
    verdict.tiers = WriteGaps.ofAllTiers(
      in: attempts, faults: faults, from: second, to: 61 * second)
    var run = RegisterRun()
    run.operations = 4_000
    run.keys = 40
    verdict.judge(run.history(seed: 2))
    verdict.addConflict(
      ControlVerdict.Conflict(
        key: "note/<b>&\"7\"", policy: "last writer wins",
        detail: "node 4's write replaced node 1's"))
    verdict.expectations.append(
      ControlVerdict.Expectation("one view within 5 s", found: "3.12 s", isMet: true))
    return verdict
  }

  /// Twenty crashes of the leader in 40 seconds.
  static func crashes() -> Timeline {
    var random = Xoshiro256(seed: 9)
    var timeline = Timeline(title: "leader-crash", start: 0, end: 40 * second)
    for node in 1...5 { _ = timeline.addNode("node \(node)") }
    var attempts: [WriteAttempt] = []
    var leader = 0
    var since: UInt64 = 0
    var faults: [UInt64] = []
    var outages: [ClosedRange<UInt64>] = []
    for number in 1...20 {
      let at = UInt64(number) * 1_900 * millisecond
      let outage = (30 + random.next(in: 0...90)) * millisecond
      timeline.add(.leader(term: UInt64(number)), node: leader, from: since, to: at)
      timeline.add(.down, node: leader, from: at, to: at + 900 * millisecond)
      timeline.addFault("kill -9 the leader", at: at, node: leader)
      leader = (leader + 1 + random.next(below: 4)) % 5
      since = at + outage
      faults.append(at)
      outages.append(at...since)
    }
    timeline.add(.leader(term: 21), node: leader, from: since, to: 40 * second)
    for tier in [WriteTier.local, .ordered] {
      var call: UInt64 = 0
      while call < 39_990 * millisecond {
        call += (2 + random.next(in: 0...6)) * millisecond
        let isFailed = tier == .ordered && outages.contains { $0.contains(call) }
        attempts.append(
          WriteAttempt(
            tier: tier, call: call, answered: isFailed ? nil : call + 2 * millisecond,
            outcome: isFailed ? .unknown : .acknowledged))
      }
    }
    timeline.addWrites(attempts)
    var verdict = verdict(attempts, faults: faults)
    verdict.addLost("ordered write 17 of client 3")
    verdict.healNanoseconds = 800 * millisecond
    timeline.verdict = verdict
    return timeline
  }
}
