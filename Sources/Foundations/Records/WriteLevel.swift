/// What a write is to survive before its writer hears of success.
package enum WriteLevel: String, CaseIterable, Comparable, Sendable {
  /// Durable on the node that took it: survives a crash of the process.
  case local
  /// Durable on a majority of voters: survives the loss of any minority, power included.
  case quorum

  package static func < (left: WriteLevel, right: WriteLevel) -> Bool {
    switch (left, right) {
    case (.local, .quorum): true
    case (.local, .local), (.quorum, .local), (.quorum, .quorum): false
    }
  }
}
