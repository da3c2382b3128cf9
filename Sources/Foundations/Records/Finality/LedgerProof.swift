package import Merkle
package import Primitives

/// What a verifier knows before it sees a proof: nothing but the genesis.
package struct LedgerTrust: Hashable, Sendable {
  /// The number of the first epoch.
  package static let firstEpoch: UInt64 = 1

  /// The chain.
  package let chain: ChainID
  /// The validators of the first epoch.
  package let validators: ValidatorSet

  /// Trusts a chain that begins with some validators.
  package init(chain: ChainID, validators: ValidatorSet) {
    self.chain = chain
    self.validators = validators
  }
}

/// How the validators of one epoch handed over to those of the next.
package struct EpochHandover: Hashable, Sendable {
  /// The hash of the block that ended the epoch.
  package var boundary: Digest
  /// The validators that follow.
  package var validators: ValidatorSet
  /// The signatures of a quorum of those before.
  package var certificate: Certificate

  /// Joins the parts.
  package init(boundary: Digest, validators: ValidatorSet, certificate: Certificate) {
    self.boundary = boundary
    self.validators = validators
    self.certificate = certificate
  }
}

/// What a proof shows under an execution root.
package enum LedgerProofSubject: Hashable, Sendable {
  /// An operation is below the cut.
  case operation(OperationPath)
  /// A table has, under a key, a row or none.
  case row(FinalRowPath)
}

/// A row, or the absence of one, and the way to the root over rows.
package struct FinalRowPath: Hashable, Sendable {
  /// The table's number.
  package var table: UInt16
  /// The key columns.
  package var key: [ColumnValue]
  /// Every column, the key's included; `nil` when the table has no row with this key.
  package var values: [ColumnValue]?
  /// The way through the tree over rows.
  package var path: TrieProof

  /// Joins the parts.
  package init(table: UInt16, key: [ColumnValue], values: [ColumnValue]?, path: TrieProof) {
    self.table = table
    self.key = key
    self.values = values
    self.path = path
  }

  /// Checks the way to a root over rows.
  package func check(under rowsRoot: Digest) throws(LedgerProofFault) {
    guard !key.isEmpty, !key.contains(.null) else { throw .row("its key is no key") }
    let digest: Digest?
    if let values {
      guard values.count >= key.count, Array(values.prefix(key.count)) == key else {
        throw .row("its values do not begin with its key")
      }
      digest = Row.digest(table: table, values)
    } else {
      digest = nil
    }
    guard path.shows(digest, of: Row.trieKey(table: table, key), under: rowsRoot) else {
      throw .row(
        values == nil
          ? "the root over rows does not show its absence" : "it is not under the root over rows")
    }
  }
}

/// Everything that shows offline, to whom knows the genesis alone, that an operation is final or
/// what a row of the final state holds.
///
/// ```
/// genesis validators ─ handovers ─▶ validators of the last header's epoch
/// certificate by a quorum of them ─▶ last header ─ parent hashes ─▶ first header
/// first header ─ executedHeight, executedRoot ─▶ height, rowsRoot, lanesRoot ─▶ subject
/// ```
package struct LedgerProof: Hashable, Sendable {
  /// Headers of one proof.
  package static let headersMax = 1_024
  /// Changes of epoch of one proof.
  package static let handoversMax = 16_384

  /// The chain.
  package var chain: ChainID
  /// The height whose outcome the first header vouches for.
  package var height: UInt64
  /// The root over the rows at that height.
  package var rowsRoot: Digest
  /// The root over the lanes at that height.
  package var lanesRoot: Digest
  /// Headers that follow each other: the first vouches for the height, the last is certified.
  package var headers: [BlockHeader]
  /// A quorum's `finalize` for the last header; `nil` when the last header ends its epoch and the
  /// last handover names it.
  package var certificate: Certificate?
  /// From the first epoch on, one handover for each change of epoch.
  package var handovers: [EpochHandover]
  /// What is shown.
  package var subject: LedgerProofSubject

  /// Joins the parts.
  package init(
    chain: ChainID, height: UInt64, rowsRoot: Digest, lanesRoot: Digest, headers: [BlockHeader],
    certificate: Certificate?, handovers: [EpochHandover], subject: LedgerProofSubject
  ) {
    self.chain = chain
    self.height = height
    self.rowsRoot = rowsRoot
    self.lanesRoot = lanesRoot
    self.headers = headers
    self.certificate = certificate
    self.handovers = handovers
    self.subject = subject
  }
}

/// The first thing that is wrong with a proof, a receipt or an export.
package enum LedgerProofFault: Error, Hashable, Sendable {
  /// The text is no such file, or not of this version.
  case format(String)
  /// It belongs to another chain than the verifier's genesis.
  case otherChain
  /// An epoch did not follow from the one before.
  case handover(epoch: UInt64, String)
  /// A header or the links between headers.
  case header(height: UInt64, String)
  /// The certificate of a header.
  case certificate(height: UInt64, String)
  /// Height and roots are not what the first header vouches for.
  case executionRoot(height: UInt64)
  /// The operation.
  case operation(String)
  /// The row.
  case row(String)
  /// The receipt.
  case receipt(String)
}

extension LedgerProofFault: CustomStringConvertible {
  /// What is wrong, in words.
  package var description: String {
    switch self {
    case .format(let text): text
    case .otherChain: "it belongs to another chain than this genesis"
    case .handover(let epoch, let text): "epoch \(epoch): \(text)"
    case .header(let height, let text): "block \(height): \(text)"
    case .certificate(let height, let text): "certificate of block \(height): \(text)"
    case .executionRoot(let height):
      "height \(height) with its roots is not what the first header vouches for"
    case .operation(let text): "operation: \(text)"
    case .row(let text): "row: \(text)"
    case .receipt(let text): "receipt: \(text)"
    }
  }
}
