import Reactor

/// A peer that the transport keeps connected until it is forgotten.
struct DialTarget {
  var address: SocketAddress
  /// From when on the peer may be dialled without delay again, when it has said that it is back.
  var mayDialAtOnceFrom: UInt64 = 0
  /// Attempts since the last connection that lasted.
  var attempts = 0
  /// Fires when the next attempt is due.
  var timer: TimerToken?
  /// The attempt under way.
  var dialling: PeerConnectionID?
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough randomness to spread reconnects.
struct Jitter {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number in `0..<bound`.
  mutating func next(below bound: UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return mixed.multipliedFullWidth(by: bound).high
  }
}
