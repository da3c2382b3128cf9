package import Primitives

/// What a validator may sign for a chain.
package enum StatementKind: UInt8, CaseIterable, Sendable {
  /// "Valid, and the first that I accept in this view." The leader's is its proposal's signature.
  case notarize = 1
  /// "This view timed out for me."
  case nullify = 2
  /// "I saw its notarization and never nullified this view."
  case finalize = 3
  /// "This block ends the epoch, and these validators follow."
  case handover = 4
  /// "This change of validators has my consent."
  case reconfigure = 5

  /// The sixteen bytes, padded with zeros, that keep one kind apart from every other.
  package var domain: String {
    switch self {
    case .notarize: "cons/notarize/1"
    case .nullify: "cons/nullify/1"
    case .finalize: "cons/finalize/1"
    case .handover: "cons/handover/1"
    case .reconfigure: "cons/reconfig/1"
    }
  }
}

/// The one thing that a validator's key signs for a chain: 96 bytes of fixed layout.
///
/// ```
/// domain 16 | chain 32 | epoch u64be | view u64be | hash 32
/// ```
package struct Statement: Hashable, Sendable {
  /// Bytes of the signed form.
  package static let byteCount = 96

  /// What is said.
  package let kind: StatementKind
  /// The chain it is said of.
  package let chain: ChainID
  /// The epoch.
  package let epoch: UInt64
  /// The view; 0 for the kinds that concern no view.
  package let view: UInt64
  /// The block's hash, or what the kind says; zero for `nullify`.
  package let hash: Digest

  /// Makes a statement; `nullify` names no block.
  package init(kind: StatementKind, chain: ChainID, epoch: UInt64, view: UInt64, hash: Digest) {
    precondition(kind != .nullify || hash == .zero, "nullify of view \(view) names a block")
    self.kind = kind
    self.chain = chain
    self.epoch = epoch
    self.view = view
    self.hash = hash
  }

  /// The bytes that are signed.
  package var preimage: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Statement.byteCount)
    bytes.append(contentsOf: kind.domain.utf8)
    bytes.append(contentsOf: repeatElement(0, count: 16 - bytes.count))
    chain.digest.append(to: &bytes)
    for word in [epoch, view] {
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    hash.append(to: &bytes)
    return bytes
  }
}
