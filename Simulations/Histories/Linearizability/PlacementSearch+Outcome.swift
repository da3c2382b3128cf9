extension PlacementSearch {
  enum Outcome {
    case placed
    case stuck(DeadEnd)
    case exhausted
  }

  /// The configuration in which the most operations were placed.
  struct DeadEnd {
    var placedCount = -1
    /// Records of the operations placed last, in order.
    var last: [Int] = []
    var register = Register()
    var placedWrites = 0
    /// Definite operations of which one would have to come next, by index.
    var candidates: [Int32] = []
  }
}
