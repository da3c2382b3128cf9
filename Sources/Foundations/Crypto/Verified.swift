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
package struct Verified<Value: SignedValue>: Sendable {
  /// The checked value.
  package let value: Value

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
