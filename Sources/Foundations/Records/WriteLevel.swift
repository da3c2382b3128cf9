/// What a write is to survive before its writer hears of success.
package enum WriteLevel: String, CaseIterable, Comparable, Sendable {
  /// Durable on the node that took it: survives a crash of the process.
  case local
  /// Durable on a majority of voters: survives the loss of any minority, power included.
  case quorum
  /// Executed below a cut that a quorum of validators finalized: survives validators that lie, as
  /// long as fewer than a third do.
  case final

  /// The level's number in signed bytes, and its place in their order.
  package var number: UInt8 {
    switch self {
    case .local: 1
    case .quorum: 2
    case .final: 3
    }
  }

  package static func < (left: WriteLevel, right: WriteLevel) -> Bool {
    left.number < right.number
  }
}
