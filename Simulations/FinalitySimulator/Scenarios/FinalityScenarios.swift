internal import BFTCore
package import Primitives

/// A named situation, drawn anew from each seed.
package struct FinalityScenario: Sendable {
  /// The name.
  package let name: String
  /// The numbers of validators that it is run with.
  package let sizes: [Int]
  /// What a run is made of.
  package let make: @Sendable (_ validators: Int, _ random: inout Xoshiro256) -> FinalitySetup

  init(
    _ name: String, sizes: [Int] = [4, 7],
    make: @escaping @Sendable (_ validators: Int, _ random: inout Xoshiro256) -> FinalitySetup
  ) {
    self.name = name
    self.sizes = sizes
    self.make = make
  }

  /// The setup of a seed.
  package func setup(validators: Int, seed: UInt64) -> FinalitySetup {
    var random = Xoshiro256(seed: seed, purpose: name)
    return make(validators, &random)
  }

  /// Every scenario by name, in the order of the table.
  package static let all = network + liars + crashes + chain

  /// Scenarios that take much longer than the others.
  package static let long = [
    FinalityScenario("day-long-outage") { validators, _ in
      outage(validators, of: .seconds(24 * 3_600))
    }
  ]

  /// The scenario of a name.
  package static func named(_ name: String) -> FinalityScenario? {
    (all + long).first { $0.name == name }
  }

  /// Everybody is connected, and too many lack what the others propose: views are nullified one
  /// after another.
  static func outage(_ validators: Int, of duration: TimeSpan) -> FinalitySetup {
    var setup = FinalitySetup(validators: validators)
    setup.network.calm = after(milliseconds: 0) + duration
    setup.lateLearners = Array(0...(validators - 1) / 3)
    setup.bundleInterval = .seconds(300)
    setup.goal = 1
    return setup
  }

  /// Virtual time counted from the start of a run.
  static func after(milliseconds: UInt64) -> Instant {
    Instant.origin + .seconds(1) + .milliseconds(milliseconds)
  }

  /// A network that keeps no promise until an instant.
  static func storm(until milliseconds: UInt64) -> FinalityNetwork {
    var network = FinalityNetwork()
    network.calm = after(milliseconds: milliseconds)
    network.turmoil = .milliseconds(200)
    network.loss = Ratio(1, in: 10)
    network.duplicates = Ratio(1, in: 10)
    return network
  }
}
