internal import BFTCore
internal import Primitives

extension FinalityScenario {
  static let crashes: [FinalityScenario] = [
    FinalityScenario("crash-points") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.crashes = [
        FinalitySetup.PlannedCrash(
          host: random.next(below: validators),
          point: CrashPoint.allCases[random.next(below: CrashPoint.allCases.count)],
          step: 1 + random.next(below: 8), downFor: .milliseconds(50))
      ]
      setup.network.calm = after(milliseconds: 600)
      return setup
    },
    // A vote leaves only when the disk has it: of the steps that one node writes every other is
    // lost with the node, and the leader whose block it had voted for comes with another one.
    FinalityScenario("turncoat-leader") { validators, random in
      var setup = lying(.turncoat, validators, &random, storm: false)
      let honest = (0..<validators).filter { host in
        !setup.liars.contains { $0.index == host }
      }
      let victim = honest[random.next(below: honest.count)]
      setup.victim = victim
      setup.crashes = (1...48).filter { _ in random.chance(Ratio(1, in: 2)) }.map {
        FinalitySetup.PlannedCrash(
          host: victim, point: .beforeJournal, step: $0, downFor: .milliseconds(1))
      }
      setup.network.calm = after(milliseconds: 3_000)
      return setup
    },
    FinalityScenario("all-crash") { validators, random in
      var setup = FinalitySetup(validators: validators)
      let down = random.next(below: validators)
      setup.network.calm = after(milliseconds: 2_000)
      setup.actions.append((after(milliseconds: 1), .crash(down)))
      let at = 10 + random.next(below: UInt64(800))
      for host in 0..<validators where host != down {
        setup.actions.append((after(milliseconds: at), .crash(host)))
        setup.actions.append((after(milliseconds: at + 100), .restart(host)))
      }
      setup.actions.append((after(milliseconds: 2_000), .restart(down)))
      return setup
    },
    FinalityScenario("all-crash-after-nullify") { validators, random in
      var setup = lying(.silent, validators, &random, storm: false)
      setup.network.calm = after(milliseconds: 2_000)
      setup.bundleInterval = .milliseconds(400)
      for host in 0..<validators where !setup.liars.contains(where: { $0.index == host }) {
        for step in 1...3 {
          setup.crashes.append(
            FinalitySetup.PlannedCrash(
              host: host, point: .afterJournal, step: step * 2, downFor: .milliseconds(100)))
        }
      }
      return setup
    },
    FinalityScenario("hailstorm") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network = storm(until: 4_000)
      setup.randomCrashes = 10 * ((validators - 1) / 3 + 1)
      return setup
    },
    FinalityScenario("crashes-and-chaos") { validators, random in
      var setup = lying(.chaos, validators, &random)
      setup.network = storm(until: 3_000)
      setup.randomCrashes = 8
      return setup
    },
    // The journal forgets what is final: what was signed in epochs that ended must not be signed
    // otherwise when the chain is made again.
    FinalityScenario("lost-ledger") { validators, random in
      var setup = losing(
        validators, &random, from: 300, every: 500, within: 300, times: 4
      ) { .loseLedger($0) }
      setup.checkpointRecords = 16
      return setup
    },
    FinalityScenario("lost-journal-in-short-epochs") { validators, random in
      losing(validators, &random, from: 200, every: 600, within: 400, times: 3) { .wipe($0) }
    },
    FinalityScenario("lost-journal") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network.calm = after(milliseconds: 2_500)
      let wiped = random.next(below: validators)
      let at = 50 + random.next(below: UInt64(500))
      setup.actions.append((after(milliseconds: at), .wipe(wiped)))
      setup.actions.append((after(milliseconds: at + 5), .restart(wiped)))
      return setup
    },
    FinalityScenario("lost-journal-and-twins") { validators, random in
      var setup = twin(validators, &random)
      setup.goal = 0
      let wiped = (setup.twins[0] + 1) % validators
      for round in 0..<UInt64(4) {
        let at = round * 400 + random.next(below: UInt64(300))
        setup.actions.append((after(milliseconds: at), .wipe(wiped)))
        setup.actions.append((after(milliseconds: at + 1), .restart(wiped)))
      }
      return setup
    },
  ]

  /// A storm over epochs that end soon, in which one validator loses something again and again, all
  /// in milliseconds.
  private static func losing(
    _ validators: Int, _ random: inout Xoshiro256, from start: UInt64, every period: UInt64,
    within spread: UInt64, times: UInt64, _ loss: (Int) -> FinalitySetup.Action
  ) -> FinalitySetup {
    var setup = FinalitySetup(validators: validators)
    setup.epochLength = 5
    setup.network = storm(until: 2_500)
    let losing = random.next(below: validators)
    for round in 0..<times {
      let at = start + round * period + random.next(below: spread)
      setup.actions.append((after(milliseconds: at), loss(losing)))
      setup.actions.append((after(milliseconds: at + 5), .restart(losing)))
    }
    return setup
  }
}
