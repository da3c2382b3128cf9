package import Primitives

/// The bounds and periods of snapshots. Those that are `let` are part of the protocol.
package struct SnapshotLimits: Hashable, Sendable {
  /// What a part is to have at most, in bytes; one row alone may exceed it.
  package static let partBytesTarget = 262_144
  /// Bytes of a part that is accepted.
  package static let partBytesMax = 1_048_576
  /// Bits by which rows are spread over parts, at most.
  package static let depthMax = 16
  /// Bytes of a manifest that is accepted: some thousand epochs of many validators, or 16,384 of
  /// four.
  package static let manifestBytesMax = 16 << 20
  /// Headers between the state and the one that vouches for it.
  package static let linksMax = 64
  /// Epochs that a manifest may lead through.
  package static let epochsMax = 16_384

  /// Requests under way at one peer.
  package var perPeerMax = 2
  /// Requests under way in all.
  package var requestsMax = 16
  /// Parts that are checked and not yet stored.
  package var unstoredMax = 32
  /// How long a request may take.
  package var requestTimeout = TimeSpan.seconds(10)
  /// How long offers are waited for after the first one.
  package var offerWait = TimeSpan.milliseconds(500)
  /// How long a peer that failed is left alone; doubled each time it fails again.
  package var pauseMin = TimeSpan.milliseconds(200)
  /// The longest such pause.
  package var pauseMax = TimeSpan.seconds(30)
  /// How long a manifest is kept by which nothing comes, while somebody could be asked for another.
  package var stallTimeout = TimeSpan.seconds(30)
  /// How often peers that serve nothing useful are asked again what they have.
  package var offerPeriod = TimeSpan.seconds(5)

  /// The defaults.
  package init() {}
}
