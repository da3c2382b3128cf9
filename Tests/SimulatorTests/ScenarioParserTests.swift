import Primitives
import Simulator
import Testing

@Suite struct `Scenario files` {
  /// Every statement there is.
  private static let everything = """
    # comment
    nodes 7
    duration 20s
    network delay 500us..10ms loss 1% duplicate 0.25%  # behind a statement
    clients 8 rate 50/s quorum 75%
    clock skew 200ms drift 100
    disk latency 1ms..5ms
    relays
    disk crash-points 2%
    commands 6 rate 150/s keys 5 lockers 2 watchers 1
    chaos crashes 3 partitions 2 cuts 1 pauses 1 slow-disks 4
    chaos leader-crashes 2 leader-isolations 1 leader-pauses 1 transfers 1
    chaos wipes 1 damages 1 sync-failures 1 roles 1
    at 8s heal
    at 2s partition 1,2 | 3,4,5
    at 3s isolate 3
    at 3s cut 1 -> 2
    at 3s clog 2 -> 1 for 1s
    at 3s crash 2
    at 5s start 2
    at 3s pause 1 for 2s
    at 4s slow disk 3 200ms for 2s
    at 4s clock 2 jump 3s
    at 4s clock 2 jump back 3s
    at 5s equivocate 4
    at 5s forge 7
    at 6s isolate leader
    at 6s isolate follower
    at 6s crash leader for 700ms
    at 6s pause leader for 20s
    at 6s wipe leader for 1s
    at 6s wipe 2 for 1s
    at 6s damage 2
    at 6s fail sync 3 for 1s
    at 6s role 4 learner
    at 6s remove 4
    at 6s transfer
    at 6s cut leader -> others
    at 6s clog others -> leader for 1s
    expect converged within 5s
    expect commands within 5s
    expect detection within 3s
    expect at most 2 leaders
    expect no false downs
    """

  @Test func `every statement is understood`() throws {
    let scenario = try Scenario(name: "all", parsing: Self.everything)
    #expect(scenario.crashPointMillionths == 20_000)
    #expect(scenario.commands.lockers == 2 && scenario.commands.watchers == 1)
    #expect(scenario.chaos.leaderCrashes == 2 && scenario.chaos.roles == 1)
    #expect(scenario.orderedGap == .seconds(5) && scenario.detection == .seconds(3))
    #expect(scenario.leadersMax == 2 && scenario.forbidsFalseDown)
    #expect(scenario.steps.contains { $0.fault == .clogLeader(isFromIt: false, .seconds(1)) })
    #expect(scenario.nodeCount == 7)
    #expect(scenario.network.lossMillionths == 10_000)
    #expect(scenario.network.duplicateMillionths == 2_500)
    #expect(scenario.clients.quorumMillionths == 750_000)
    #expect(scenario.chaos.slowDisks == 4)
    #expect(scenario.usesRelays)
    #expect(scenario.steps.count == 26)
    #expect(scenario.steps.first?.fault == .partition([[0, 1], [2, 3, 4]]))
    #expect(scenario.steps.last?.fault == .heal)
    #expect(scenario.convergence == .seconds(5))
  }

  @Test func `a repeated fault comes as often as it is said`() throws {
    let scenario = try Scenario(
      name: "x",
      parsing: """
        duration 10s
        at 3s heal
        from 2s every 1500ms repeat 4 crash leader for 700ms
        """)
    #expect(
      scenario.steps.map { $0.at.nanoseconds / 1_000_000 } == [2_000, 3_000, 3_500, 5_000, 6_500])
    #expect(scenario.steps.count { $0.fault == .crashLeader(.milliseconds(700)) } == 4)
  }

  @Test(arguments: [
    ("from 1s every 0s repeat 3 heal", 1, "nothing"),
    ("from 1s every 1s repeat 0 heal", 1, "1 to 1000"),
    ("from 1s every 1s 3 heal", 1, "'repeat'"), ("from 1s repeat 3 heal", 1, "'every'"),
    ("from 1s every 1s repeat 1000 heal\nduration 5s", 0, "after the duration"),
    ("from 3600s every 1s repeat 2 heal", 1, "an hour"),
    ("nodes", 1, "missing"), ("nodes 0", 1, "1 to 32"), ("nodes x", 1, "'x'"),
    ("\n\nfrobnicate 3", 3, "'frobnicate' is no statement"),
    ("duration 5", 1, "must end in us, ms or s"), ("duration 0s", 1, "more than nothing"),
    ("network delay 5ms", 1, "a range"), ("network delay 5ms..1ms", 1, "ends before"),
    ("network loss 101%", 1, "share"), ("network loss 1", 1, "share"),
    ("network speed 3", 1, "'speed'"), ("clients 4 rate 50", 1, "rate"),
    ("at 1s crash 6", 1, "1 to 5"), ("at 1s crash", 1, "missing"),
    ("at 1s cut 1 2", 1, "'->'"), ("at 1s cut 1 -> 1", 1, "itself"),
    ("at 1s partition 1,2", 1, "two groups"), ("at 1s partition 1,2 | 2,3", 1, "twice"),
    ("at 1s explode 3", 1, "no fault"), ("at 1s heal now", 1, "too many"),
    ("at 1s heal\nnodes 7", 2, "before every 'at'"), ("chaos earthquakes 1", 1, "earthquakes"),
    ("expect nothing", 1, "'converged within'"),
    ("duration 5s\nat 6s heal", 0, "after the duration"),
    ("at 1s partition 1,,2 | 3", 1, "a node"), ("disk latency 99999999999s..1s", 1, "a time"),
  ]) func `a mistake is named with its line`(text: String, line: Int, words: String) {
    let error = #expect(throws: ScenarioError.self) { try Scenario(name: "bad", parsing: text) }
    #expect(error?.line == line)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }
}
