package import Primitives

/// The bounds and periods of gossip: every one of them can be changed by who makes the core.
package struct GossipLimits: Hashable, Sendable {
  /// How often a node tells others which lanes moved.
  package var digestPeriod = TimeSpan.milliseconds(50)
  /// How many peers hear each such digest.
  package var digestFanout = 3
  /// How often a node sends its whole frontier to one peer, so that lost digests do no harm.
  package var fullPeriod = TimeSpan.seconds(1)
  /// How long a lane may lag behind what a peer announced before it is pulled: pushes come first.
  package var pullDelay = TimeSpan.milliseconds(40)
  /// How long a pull may take before another peer is asked.
  package var pullTimeout = TimeSpan.seconds(10)
  /// The first pause after a pull that brought nothing; doubles up to `pullBackoffMax`.
  package var pullBackoffMin = TimeSpan.milliseconds(100)
  /// The longest pause after pulls that brought nothing.
  package var pullBackoffMax = TimeSpan.seconds(5)
  /// Pulls under way at one peer.
  package var pullsPerPeerMax = 4
  /// Bundles asked for in one pull.
  package var pullBundlesMax: UInt64 = 1_024
  /// Bytes asked for in one pull.
  package var pullBytesMax = 1 << 20
  /// Bundles parked per lane: received, but not yet due.
  package var parkedPerLaneMax = 256
  /// Bytes of bundles parked in all lanes.
  package var parkedBytesMax = 16 << 20
  /// Bytes of bundles of forked lanes that are kept until they lead to an agreed end, apart from
  /// what others may have parked: more than one block lacks.
  package var agreedBytesMax = 64 << 20
  /// Lanes known in all.
  package var lanesMax = 512
  /// How far ahead of this node's wall clock a bundle may be stamped before it is delayed.
  package var futureMillisecondsMax: UInt64 = 500
  /// Recent signed headers kept per lane: the other half of an equivocation proof.
  package var recentHeadersMax = 64

  /// The defaults.
  package init() {}
}
