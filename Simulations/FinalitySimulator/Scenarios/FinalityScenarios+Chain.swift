internal import BFTCore
internal import Primitives

extension FinalityScenario {
  static let chain: [FinalityScenario] = [
    FinalityScenario("slow-execution") { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.executionDelay = .milliseconds(300)
      return setup
    },
    FinalityScenario("divergent-execution") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.divergent = [random.next(below: validators)]
      setup.actions.append((after(milliseconds: 100), .corrupt(setup.divergent[0])))
      return setup
    },
    FinalityScenario("idle") { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.bundlesUntil = after(milliseconds: 300)
      setup.quietFrom = after(milliseconds: 2_000)
      setup.goal = 2
      return setup
    },
    FinalityScenario("epochs") { validators, random in
      var setup = lying(.silent, validators, &random, storm: false)
      setup.epochLength = 5
      setup.goal = 12
      return setup
    },
    FinalityScenario("epochs-with-storm") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network = storm(until: 2_000)
      setup.randomCrashes = 6
      setup.epochLength = 4
      setup.goal = 10
      return setup
    },
    FinalityScenario("removed-validator", sizes: [5, 8]) { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.epochLength = 6
      let removed = random.next(below: validators)
      setup.epochs = [
        Array(0..<validators), (0..<validators).filter { $0 != removed },
      ]
      setup.liars = [(removed, .outdated)]
      setup.goal = 14
      return setup
    },
  ]
}
