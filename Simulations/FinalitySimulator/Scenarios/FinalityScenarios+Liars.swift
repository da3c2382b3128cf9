internal import BFTCore
internal import Primitives

extension FinalityScenario {
  /// Liars of one kind, as many as the validators tolerate.
  static func lying(
    _ kind: Adversary, _ validators: Int, _ random: inout Xoshiro256, storm isStormy: Bool = true
  ) -> FinalitySetup {
    var setup = FinalitySetup(validators: validators)
    if isStormy { setup.network = storm(until: 1_500) }
    var places = Array(0..<validators)
    random.shuffle(&places)
    setup.liars = places.prefix((validators - 1) / 3).map { ($0, kind) }
    return setup
  }

  /// A validator of which two copies run, on two sides of a partition.
  static func twin(_ validators: Int, _ random: inout Xoshiro256) -> FinalitySetup {
    var setup = FinalitySetup(validators: validators)
    setup.network.calm = after(milliseconds: 1_600)
    setup.twins = [random.next(below: validators)]
    for round in 0..<UInt64(4) {
      var sides = (0..<validators + 1).map { _ in random.next(below: 2) }
      sides[validators] = 1 - sides[setup.twins[0]]
      setup.network.cuts.append(
        FinalityNetwork.Cut(
          from: after(milliseconds: round * 400), until: after(milliseconds: round * 400 + 400),
          sides: sides))
    }
    return setup
  }

  static let liars: [FinalityScenario] = [
    FinalityScenario("silent-leader") { lying(.silent, $0, &$1, storm: false) },
    FinalityScenario("equivocating-leader") { lying(.equivocator, $0, &$1) },
    FinalityScenario("selective-leader") { lying(.selective, $0, &$1, storm: false) },
    FinalityScenario("withheld-votes") { lying(.withholder, $0, &$1) },
    FinalityScenario("conflicter") { validators, random in
      var setup = lying(.conflicter, validators, &random, storm: false)
      setup.expectsEvidence = true
      return setup
    },
    FinalityScenario("nuller") { validators, random in
      var setup = lying(.nuller, validators, &random, storm: false)
      setup.expectsEvidence = true
      return setup
    },
    FinalityScenario("impersonator") { lying(.impersonator, $0, &$1) },
    FinalityScenario("usurper") { lying(.usurper, $0, &$1, storm: false) },
    FinalityScenario("skipper") { lying(.skipper, $0, &$1, storm: false) },
    FinalityScenario("outdated") { lying(.outdated, $0, &$1) },
    FinalityScenario("replayer") { lying(.replayer, $0, &$1) },
    FinalityScenario("chaos") { lying(.chaos, $0, &$1) },
    FinalityScenario("twins") { twin($0, &$1) },
    FinalityScenario("flood") { validators, random in
      var setup = lying(.silent, validators, &random, storm: false)
      for liar in setup.liars {
        setup.actions.append(
          (after(milliseconds: 50), .flood(from: liar.index, count: 200)))
      }
      return setup
    },
  ]
}
