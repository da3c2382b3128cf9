internal import Primitives

/// Which node a client turns to: any, but for a while none that has just let it down.
struct NodeChoice {
  /// For how long a node is left alone that cannot be reached.
  static let unreachableNanoseconds: UInt64 = 100_000_000
  /// For how long a node is left alone that had no majority, or did not answer in time.
  static let uselessNanoseconds: UInt64 = 1_000_000_000

  private var avoidedUntil: [UInt64]

  init(count: Int) {
    precondition(count > 0, "a choice among no nodes")
    avoidedUntil = Array(repeating: 0, count: count)
  }

  /// Takes a node; when every one has let the client down, the one that did so first.
  func pick(at now: UInt64, _ random: inout Xoshiro256) -> Int {
    let open = avoidedUntil.indices.filter { avoidedUntil[$0] <= now }
    if !open.isEmpty { return open[random.next(below: open.count)] }
    return avoidedUntil.indices.min { avoidedUntil[$0] < avoidedUntil[$1] } ?? 0
  }

  /// Leaves a node alone for a while.
  mutating func avoid(_ node: Int, from now: UInt64, for nanoseconds: UInt64) {
    avoidedUntil[node] = now + nanoseconds
  }
}
