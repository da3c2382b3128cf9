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

  /// The scenario of a name.
  package static func named(_ name: String) -> FinalityScenario? {
    all.first { $0.name == name }
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
