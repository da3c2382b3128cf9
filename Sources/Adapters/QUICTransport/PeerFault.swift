/// A disturbance of the UDP packets between this node and one peer, for drills.
///
/// It acts below QUIC, as a bad network would: what it takes away is lost without a word.
package struct PeerFault: Hashable, Sendable {
  /// The peer whose packets are disturbed.
  package var key: PeerKey
  /// Nothing of the peer's arrives.
  package var blocksIn = false
  /// Nothing reaches the peer.
  package var blocksOut = false
  /// How much later each packet leaves.
  package var delayNanoseconds: UInt64 = 0
  /// The most that chance adds to the delay of a packet; packets may overtake each other.
  package var jitterNanoseconds: UInt64 = 0
  /// How many of a million packets are lost, each way.
  package var lossMillionths: UInt32 = 0

  /// Makes a fault that does nothing yet.
  package init(key: PeerKey) { self.key = key }

  /// A fault that cuts a peer off both ways.
  package static func block(_ key: PeerKey) -> PeerFault {
    var fault = PeerFault(key: key)
    fault.blocksIn = true
    fault.blocksOut = true
    return fault
  }

  /// Whether packets are lost for certain, one way at least.
  var blocks: Bool { blocksIn || blocksOut }
}
