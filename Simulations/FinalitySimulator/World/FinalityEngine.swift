package import BFTCore
package import CoreKit

/// What the simulator drives: the engine of a chain.
///
/// Being a protocol lets the tests put engines into the world that break a rule on purpose.
package protocol FinalityEngine: ProtocolCore where Event == BFTEvent, Effects == BFTEffects {
  /// Starts from what is durable.
  init(_ configuration: BFTConfiguration, recovery: BFTRecovery, at now: Moment) throws
  /// The view.
  var view: UInt64 { get }
  /// The invariant that does not hold, if any.
  var brokenInvariant: String? { get }
}

extension BFT: FinalityEngine {}
