package import Crypto
internal import Primitives
package import Wire

/// A statement and the validator that signed it.
package struct Vote: Hashable, Sendable {
  /// What is said.
  package let statement: Statement
  /// The validator's place in its epoch's set.
  package let signer: UInt16
  /// The signature over the statement's preimage.
  package let signature: Signature

  /// Joins the parts; only `Verified` tells whether the signature is the validator's.
  package init(statement: Statement, signer: UInt16, signature: Signature) {
    self.statement = statement
    self.signer = signer
    self.signature = signature
  }

  /// Signs a statement as the validator at a place.
  package init(signing statement: Statement, as signer: UInt16, with key: SigningKey) {
    self.init(
      statement: statement, signer: signer, signature: key.signRaw(statement.preimage))
  }
}

extension Vote: ListedSignedValue {
  package func signedParts(in validators: ValidatorSet) -> [SignedPart]? {
    guard Int(signer) < validators.count else { return nil }
    return [
      SignedPart(
        signer: validators.members[Int(signer)].key, message: statement.preimage,
        signature: signature)
    ]
  }
}

extension Verified where Value == Vote {
  /// Vouches for a vote that this process signed a moment ago with `key`.
  package init(ownVote vote: Vote, in validators: ValidatorSet, signedWith key: SigningKey) {
    precondition(
      Int(vote.signer) < validators.count
        && validators.members[Int(vote.signer)].key == key.publicKey,
      "validator \(vote.signer) is not the own key")
    var memo = SignatureMemo()
    guard let verified = Verified(checking: vote, in: validators, memo: &memo) else {
      preconditionFailure("an own vote of view \(vote.statement.view) does not verify")
    }
    self = verified
  }
}

/// A quorum's signatures under one statement, ordered by validator.
package struct Certificate: Hashable, Sendable {
  /// What the quorum says.
  package let statement: Statement
  /// The signers' places in ascending order.
  package let signers: [UInt16]
  /// Their signatures in the same order.
  package let signatures: [Signature]

  /// Joins the parts; only `Verified` tells whether they are a quorum's.
  package init(statement: Statement, signers: [UInt16], signatures: [Signature]) {
    precondition(
      signers.count == signatures.count,
      "\(signers.count) signers with \(signatures.count) signatures")
    self.statement = statement
    self.signers = signers
    self.signatures = signatures
  }
}

extension Certificate: ListedSignedValue {
  package func signedParts(in validators: ValidatorSet) -> [SignedPart]? {
    guard signers.count == validators.quorum, let last = signers.last,
      Int(last) < validators.count,
      zip(signers, signers.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    let message = statement.preimage
    return zip(signers, signatures).map { signer, signature in
      SignedPart(
        signer: validators.members[Int(signer)].key, message: message, signature: signature)
    }
  }
}

extension Statement: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(kind.rawValue)
    writer.write(chain.digest)
    writer.write(epoch)
    writer.write(view)
    writer.write(hash)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    guard let kind = StatementKind(rawValue: tag) else { throw .unknownTag(tag) }
    let chain = ChainID(digest: try cursor.readDigest(span))
    let epoch = try cursor.readUInt64(span)
    let view = try cursor.readUInt64(span)
    let hash = try cursor.readDigest(span)
    guard kind != .nullify || hash == .zero else { throw .notCanonical }
    guard epoch < 1 << 48, view < 1 << 48 else { throw .overLimit }
    self.init(kind: kind, chain: chain, epoch: epoch, view: view, hash: hash)
  }
}

extension Vote: WireCodable {
  package func encode(into writer: inout WireWriter) {
    statement.encode(into: &writer)
    writer.write(signer)
    writer.writeRaw(signature.bytes)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    statement = try Statement(from: span, at: &cursor)
    signer = try cursor.readUInt16(span)
    signature = try cursor.readSignature(span)
  }
}

extension Certificate: WireCodable {
  package func encode(into writer: inout WireWriter) {
    statement.encode(into: &writer)
    writer.writeVariable(UInt64(signers.count))
    for (signer, signature) in zip(signers, signatures) {
      writer.write(signer)
      writer.writeRaw(signature.bytes)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    statement = try Statement(from: span, at: &cursor)
    let count = try cursor.readCount(span, limit: ValidatorSet.countMax, bytesEach: 66)
    var signers: [UInt16] = []
    var signatures: [Signature] = []
    for _ in 0..<count {
      let signer = try cursor.readUInt16(span)
      if let last = signers.last, signer <= last { throw .notCanonical }
      signers.append(signer)
      signatures.append(try cursor.readSignature(span))
    }
    self.signers = signers
    self.signatures = signatures
  }
}

extension WireCursor {
  /// Reads the 64 bytes of a signature.
  package mutating func readSignature(_ span: borrowing RawSpan) throws(WireError) -> Signature {
    guard let signature = Signature(try readRaw(span, count: Signature.byteCount)) else {
      throw .truncated
    }
    return signature
  }
}
