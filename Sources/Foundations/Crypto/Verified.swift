package import Primitives

/// A value that says who signed it and what was signed.
package protocol SignedValue: Sendable {
  /// What the signature is for.
  static var signatureDomain: SignatureDomain { get }
  /// The key that must have signed.
  var signer: Digest { get }
  /// The digest of everything the signature covers.
  var signedDigest: Digest { get }
  /// The signature.
  var signature: Signature { get }
  /// Whether the parts agree with what is signed: content against digest, counts, lengths.
  var isConsistent: Bool { get }
}

/// A signed value whose signature and content were checked.
///
/// This file is the only place that can make one: cores take `Verified` values and nothing else
/// from a peer, so a forged message cannot reach a rule.
package struct Verified<Value: Sendable>: Sendable {
  /// The checked value.
  package let value: Value
}

extension Verified where Value: SignedValue {
  /// Checks `value`; `nil` when its signature is not its signer's or its parts disagree.
  package init?(checking value: Value) {
    guard value.isConsistent,
      SigningKey.isValid(
        value.signature, of: value.signedDigest, as: Value.signatureDomain, by: value.signer)
    else { return nil }
    self.value = value
  }

  /// Vouches for a value that this process signed a moment ago with `key`.
  package init(own value: Value, signedWith key: SigningKey) {
    precondition(value.signer == key.publicKey, "value names \(value.signer), not the own key")
    self.value = value
  }
}

extension Verified: Equatable where Value: Equatable {}

/// One signature that a value rests on.
package struct SignedPart: Sendable {
  /// The key that must have signed.
  package let signer: Digest
  /// The bytes that it must have signed, domain included.
  package let message: [UInt8]
  /// The signature.
  package let signature: Signature

  /// Names a signature, its signer and what it covers.
  package init(signer: Digest, message: [UInt8], signature: Signature) {
    self.signer = signer
    self.message = message
    self.signature = signature
  }
}

/// A value that names its signers by their places in a list, so that it can be checked only beside
/// that list.
package protocol ListedSignedValue: Sendable {
  /// What the value is checked beside: the validators, and what else decides whether it is whole.
  associatedtype Signers

  /// Every signature the value rests on; `nil` when its parts disagree or name nobody.
  func signedParts(in signers: Signers) -> [SignedPart]?
}

extension Verified where Value: ListedSignedValue {
  /// Checks every signature of `value`; `nil` when one is not its signer's or the parts disagree.
  package init?(checking value: Value, in signers: Value.Signers, memo: inout SignatureMemo) {
    guard let parts = value.signedParts(in: signers) else { return nil }
    for part in parts where !memo.isValid(part) { return nil }
    self.value = value
  }
}

/// Remembers signatures that were checked, so that a certificate made of votes that came before
/// costs nothing. A memory of what was true cannot become false.
package struct SignatureMemo: Sendable {
  /// Signatures remembered; beyond it the older half is forgotten.
  package static let entriesMax = 16_384

  private var recent: Set<Digest> = []
  private var older: Set<Digest> = []
  /// Signatures checked by the curve.
  package private(set) var checks: UInt64 = 0
  /// Signatures known from before.
  package private(set) var hits: UInt64 = 0

  /// Makes an empty memory.
  package init() {}

  /// Whether the part's signature is its signer's.
  package mutating func isValid(_ part: SignedPart) -> Bool {
    let name = SignatureMemo.name(part)
    if recent.contains(name) || older.contains(name) {
      hits += 1
      return true
    }
    checks += 1
    guard SigningKey.isValidRaw(part.signature, of: part.message, by: part.signer) else {
      return false
    }
    if recent.count >= SignatureMemo.entriesMax / 2 {
      older = recent
      recent.removeAll(keepingCapacity: true)
    }
    recent.insert(name)
    return true
  }

  private static func name(_ part: SignedPart) -> Digest {
    var hash = Blake2b(.checkedSignature)
    hash.update(part.signer)
    hash.update(part.signature.bytes)
    hash.update(part.message)
    return hash.finalize()
  }
}
