internal import BFTCore
internal import FinalityStorage
internal import NodeCore
internal import Records
internal import Wire

/// Final blocks as the ledger holds them, in the form in which peers are given them.
enum StoredSegments {
  /// The named value of what finalizes an epoch's last block when a descendant does.
  static func boundaryName(_ height: UInt64) -> String { "boundary.\(height)" }

  /// Final blocks for a peer, all of one epoch, up to one that has a certificate.
  static func range(
    _ wanted: BlocksWanted, in reads: LedgerReads
  ) throws(LedgerError) -> BlockRange {
    let first = wanted.first
    let range = try segment(first: first, count: wanted.count, reads)
    guard let header = range.blocks.first?.header, header.epoch > 1,
      let epoch = try reads.epoch(header.epoch), epoch.parent.height + 1 == first
    else { return range }
    return BlockRange(
      first: first, blocks: range.blocks, certificate: range.certificate, ending: epoch.handover)
  }

  private static func segment(
    first: UInt64, count: Int, _ reads: LedgerReads
  ) throws(LedgerError) -> BlockRange {
    var found: [FinalBlock] = []
    var byteCount = 0
    search: while found.count < FinalityMessage.segmentBlocksMax {
      let page = try reads.blocks(
        from: first + UInt64(found.count), count: LedgerReads.blocksMax)
      for final in page {
        if let epoch = found.first?.block.header.epoch, final.block.header.epoch != epoch {
          break search
        }
        // Below the snapshot that this ledger was made from nothing is held.
        guard final.height == first + UInt64(found.count) else { break search }
        // A segment is one message.
        byteCount += final.block.body.encoded.count + 256
        if byteCount > FinalityMessage.bytesMax - 65_536, !found.isEmpty { break search }
        found.append(final)
        if found.count >= count, final.certificate != nil { break search }
      }
      if page.count < LedgerReads.blocksMax { break }
    }
    if let last = found.last, last.certificate == nil,
      let bytes = try reads.value(boundaryName(last.height)),
      case .segment(let descendants, let certificate)? = try? FinalityMessage(decoding: bytes)
    {
      return BlockRange(
        first: first, blocks: found.map(\.block) + descendants, certificate: certificate)
    }
    while let last = found.last, last.certificate == nil { found.removeLast() }
    return BlockRange(
      first: first, blocks: found.map(\.block), certificate: found.last?.certificate)
  }
}
