import Histories
import JSONText
import Testing

@Suite struct ControlVerdictTests {
  private func verdict() -> ControlVerdict {
    ControlVerdict(scenario: "name", command: "swarmoracle drill name", seed: 7)
  }

  @Test func `every broken promise fails the run`() {
    var verdict = verdict()
    #expect(verdict.outcome == .pass)
    verdict.hadFaults = true
    #expect(verdict.outcome == .fail)
    verdict.healNanoseconds = 5
    #expect(verdict.outcome == .pass)
    var lost = verdict
    lost.addLost("write 1")
    #expect(lost.outcome == .fail)
    var missed = verdict
    missed.expectations = [ControlVerdict.Expectation("fast", found: "slow", isMet: false)]
    #expect(missed.outcome == .fail)
    var conflicted = verdict
    conflicted.addConflict(ControlVerdict.Conflict(key: "k", policy: "p", detail: "d"))
    #expect(conflicted.outcome == .pass && conflicted.conflictCount == 1)
  }

  @Test func `a history is judged by every check`() {
    func put(_ key: String, _ version: UInt64, _ call: UInt64) -> HistoryRecord {
      HistoryRecord(
        client: 1, key: key, operation: .put(value: "v"), result: .written(version: version),
        call: call, answered: call + 1)
    }
    var broken = verdict()
    broken.judge(.of([put("a", 2, 1), put("b", 1, 5)]))
    #expect(broken.linearizability?.outcome == .linearizable)
    #expect(broken.faults.count == 1 && broken.outcome == .fail)
    var violated = verdict()
    violated.judge(.of([put("a", 2, 1), put("a", 1, 5)]))
    #expect(violated.linearizability?.outcome == .violated && violated.outcome == .fail)
    #expect(violated.text.contains("not linearizable (1 keys; 2 operations on 1 keys)  ✗"))
    var limits = Linearizability.Limits()
    limits.stepsMax = 0
    var undecided = verdict()
    undecided.judge(.of([put("a", 1, 1)]), limits: limits)
    #expect(undecided.outcome == .undecided)
  }

  @Test func `the JSON form is one object that reads back`() throws {
    var verdict = try #require(SampleRun.crashes().verdict)
    for number in 0..<150 { verdict.addLost("write \(number)") }
    let value = try JSONValue.parse(verdict.json)
    #expect(value["outcome"]?.string == "FAIL" && value["seed"]?.integer == 5)
    #expect(value["lost"]?.integer == 151 && value["lostWrites"]?.array?.count == 100)
    let tiers = try #require(value["tiers"]?.array)
    #expect(tiers.map { $0["tier"]?.string } == ["local", "ordered"])
    #expect(tiers[1]["outageList"]?.array?.count == 20)
    #expect(tiers[1]["outageMaxNanoseconds"]?.integer == Int64(verdict.tiers[1].outageMax))
    #expect(value["linearizability"]?["outcome"]?.string == "linearizable")
    #expect(value["conflictList"]?.array?.first?["key"]?.string == "note/<b>&\"7\"")
  }

  @Test func `the text form is a table`() {
    var verdict = verdict()
    verdict.nanoseconds = 1_240_000_000
    verdict.tiers = WriteGaps.ofAllTiers(
      in: [
        WriteAttempt(tier: .local, call: 0, answered: 82_000_000, outcome: .acknowledged),
        WriteAttempt(tier: .local, call: 0, answered: nil, outcome: .unknown),
      ], faults: [82_000_000], from: 0, to: 1_240_000_000)
    let expected = """
      PASS  name  seed 7

        duration                   1.24 s
        acknowledged writes        1
        lost                       0
        leader changes             0
        revisions, locks, watches  no faults
        conflicts                  0

        tier   acknowledged  unknown  refused  longest pause  outage median  outage max
        local             1        1        0         1.16 s           0 ms        0 ms


      again: swarmoracle drill name
      """
    #expect(verdict.text == expected)
  }
}
