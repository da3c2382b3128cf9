internal import Primitives
package import Records
internal import SQLiteStorage

/// A block that a quorum vouches for, and what shows it to whom knows the first validators.
package struct BlockSeal: Hashable, Sendable {
  /// The block's header.
  package let header: BlockHeader
  /// A quorum's `finalize` for the block; `nil` when it ended its epoch and the last handover names
  /// it.
  package let certificate: Certificate?
  /// One handover for each change of epoch, from the first on.
  package let handovers: [EpochHandover]
}

/// Who vouches for blocks.
extension LedgerReads {
  /// The epochs' handovers from the first on, up to the first that no certificate shows.
  package func handovers() throws(LedgerError) -> [EpochHandover] {
    var handovers: [EpochHandover] = []
    for epoch in try epochs().dropFirst() {
      guard let certificate = epoch.handover else { break }
      handovers.append(
        EpochHandover(
          boundary: epoch.parent.hash, validators: epoch.validators, certificate: certificate))
    }
    return handovers
  }

  /// The last block that a quorum vouches for: by a certificate of its own, or, when it ended its
  /// epoch, by the handover; `nil` while there is none. The handovers are those of `handovers()`,
  /// which a caller may have at hand.
  package func newestSeal(_ handovers: [EpochHandover]) throws(LedgerError) -> BlockSeal? {
    let epoch = LedgerTrust.firstEpoch + UInt64(handovers.count)
    let certified = try blocks(
      "WHERE certificate IS NOT NULL AND epoch BETWEEN ? AND ? ORDER BY height DESC LIMIT 1",
      [.integer(Int64(LedgerTrust.firstEpoch)), .integer(Int64(clamping: epoch))]
    ).first
    if let last = handovers.last, let boundary = try block(named: last.boundary),
      boundary.height > certified?.height ?? 0
    {
      return BlockSeal(header: boundary.block.header, certificate: nil, handovers: handovers)
    }
    guard let certified else { return nil }
    let header = certified.block.header
    return BlockSeal(
      header: header, certificate: certified.certificate,
      handovers: Array(handovers.prefix(Int(header.epoch - LedgerTrust.firstEpoch))))
  }
}
