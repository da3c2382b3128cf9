internal import BFTCore
internal import Primitives

extension FinalityScenario {
  static let network: [FinalityScenario] = [
    FinalityScenario("happy-path", sizes: [4, 5, 7, 10]) { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.goal = 20
      return setup
    },
    FinalityScenario("outage") { validators, _ in outage(validators, of: .seconds(900)) },
    FinalityScenario("late-bundles") { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.bundleDelayMax = .milliseconds(150)
      return setup
    },
    FinalityScenario("half-partition") { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.network.calm = after(milliseconds: 3_000)
      let sides = (0..<validators).map { $0 % 2 }
      setup.network.cuts = [
        FinalityNetwork.Cut(
          from: after(milliseconds: 100), until: after(milliseconds: 3_000), sides: sides)
      ]
      return setup
    },
    FinalityScenario("minority-catches-up") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network.calm = after(milliseconds: 2_000)
      let alone = random.next(below: validators)
      setup.network.cuts = [
        FinalityNetwork.Cut(
          from: after(milliseconds: 100), until: after(milliseconds: 2_000),
          sides: (0..<validators).map { $0 == alone ? 1 : 0 })
      ]
      return setup
    },
    FinalityScenario("rotating-partitions") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network.calm = after(milliseconds: 3_000)
      for round in 0..<UInt64(15) {
        setup.network.cuts.append(
          FinalityNetwork.Cut(
            from: after(milliseconds: round * 200), until: after(milliseconds: round * 200 + 200),
            sides: (0..<validators).map { _ in random.next(below: 2) }))
      }
      return setup
    },
    FinalityScenario("one-way-links") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network.calm = after(milliseconds: 3_000)
      for round in 0..<UInt64(10) {
        setup.network.cuts.append(
          FinalityNetwork.Cut(
            from: after(milliseconds: round * 300), until: after(milliseconds: round * 300 + 300),
            unreachable: (0..<validators).map { _ in random.next() & random.next() }))
      }
      return setup
    },
    FinalityScenario("late-calm") { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.network = storm(until: 20_000)
      setup.network.turmoil = .seconds(5)
      setup.bundleInterval = .milliseconds(200)
      return setup
    },
    FinalityScenario("lossy-links") { validators, _ in
      var setup = FinalitySetup(validators: validators)
      setup.network = storm(until: 4_000)
      setup.network.loss = Ratio(3, in: 10)
      setup.network.duplicates = Ratio(3, in: 10)
      return setup
    },
    FinalityScenario("slow-node") { validators, random in
      var setup = FinalitySetup(validators: validators)
      let slow = random.next(below: validators)
      setup.network.slowness = (0..<validators).map { $0 == slow ? 10 : 1 }
      setup.patience = .seconds(120)
      return setup
    },
    FinalityScenario("clock-skew") { validators, random in
      var setup = FinalitySetup(validators: validators)
      let wrong = random.next(below: validators)
      let error: Int64 = random.chance(Ratio(1, in: 2)) ? 3_600_000 : -3_600_000
      setup.clockErrors = (0..<validators).map { $0 == wrong ? error : 0 }
      setup.patience = .seconds(120)
      return setup
    },
    FinalityScenario("hidden-notarization") { validators, random in
      var setup = FinalitySetup(validators: validators)
      setup.network.calm = after(milliseconds: 2_500)
      let holder = random.next(below: validators)
      let start = 20 + random.next(below: UInt64(60))
      let links = (0..<validators).map { sender -> UInt64 in
        sender == holder
          ? UInt64.max : random.chance(Ratio(1, in: 2)) ? UInt64.max ^ (1 << UInt64(holder)) : 0
      }
      setup.network.cuts = [
        FinalityNetwork.Cut(
          from: after(milliseconds: start), until: after(milliseconds: start + 30),
          unreachable: links),
        FinalityNetwork.Cut(
          from: after(milliseconds: start + 30), until: after(milliseconds: 2_500),
          sides: (0..<validators).map { $0 == holder ? 1 : 0 }),
      ]
      return setup
    },
  ]
}
