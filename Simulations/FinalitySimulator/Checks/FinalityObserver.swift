internal import Crypto
package import Primitives
package import Records

/// Sees every message, journal and final block of a run, and judges them by its own arithmetic.
///
/// It counts votes itself: a quorum that nobody made a certificate of counts as one.
package struct FinalityObserver: Sendable {
  /// Broken rules that are kept; a run that breaks one breaks it often.
  package static let violationsMax = 16

  struct ViewKey: Hashable, Sendable {
    let epoch: UInt64
    let view: UInt64
  }

  struct SignerKey: Hashable, Sendable {
    let signer: NodeID
    let place: ViewKey
  }

  struct Signed: Sendable {
    var notarized: Digest?
    var finalized: Digest?
    var isNullified = false
  }

  struct Certified: Sendable {
    var notarized: Digest?
    var finalized: Digest?
    var isNullified = false
  }

  struct Tip: Sendable {
    var height: UInt64 = 0
    var hash: Digest
    var epoch: UInt64 = 1
    var view: UInt64 = 0
  }

  let chain: ChainID
  let honest: [NodeID]
  private var sets = SortedMap<UInt64, ValidatorSet>()
  private var memo = SignatureMemo()
  var signed: [SignerKey: Signed] = [:]
  var tallies: [Statement: UInt64] = [:]
  var certified: [ViewKey: Certified] = [:]
  var headers: [Digest: BlockHeader] = [:]
  var finals = SortedMap<UInt64, Digest>()
  var roots = SortedMap<UInt64, Digest>()
  var turns = SortedMap<UInt64, UInt64>()
  var tips: [Tip]
  var floors: [UInt64]
  /// The rules that were broken, in order.
  package private(set) var violations: [FinalityViolation] = []
  /// Pieces of evidence that honest nodes reported.
  package private(set) var evidenceCount = 0
  /// Whether some dishonest key signed a contradiction.
  package private(set) var sawContradiction = false
  /// Whether nobody in the run forges, so that no signature needs a second look after the door's.
  package var trustsSignatures = false
  /// The virtual time.
  package var now = Instant.origin

  /// Watches `hosts` nodes; `honest` are the keys that must keep to the rules.
  package init(chain: ChainID, genesis: ValidatorSet, honest: [NodeID], hosts: Int) {
    self.chain = chain
    self.honest = honest
    sets[1] = genesis
    tips = Array(repeating: Tip(hash: chain.digest), count: hosts)
    floors = Array(repeating: 0, count: hosts)
  }

  /// Takes note of a broken rule.
  package mutating func report(_ rule: FinalityRule, _ detail: String) {
    guard violations.count < FinalityObserver.violationsMax else { return }
    violations.append(FinalityViolation(rule: rule, instant: now, detail: detail))
  }

  /// Takes note of an epoch's validators; every node must name the same.
  package mutating func began(epoch: UInt64, with set: ValidatorSet) {
    if let known = sets[epoch], known != set {
      report(.agreement, "epoch \(epoch) begins with different validators")
    }
    sets[epoch] = set
  }

  /// Looks at a vote that somebody let go of.
  package mutating func saw(_ vote: Vote) {
    let statement = vote.statement
    guard statement.chain == chain, let set = sets[statement.epoch],
      Int(vote.signer) < set.count, isGenuine(vote, in: set)
    else { return }
    record(statement, by: set.members[Int(vote.signer)])
    let mask = tallies[statement, default: 0] | (1 << UInt64(vote.signer))
    guard mask != tallies[statement] else { return }
    tallies[statement] = mask
    if mask.nonzeroBitCount >= FinalityObserver.quorum(of: set.count) { certify(statement) }
  }

  /// Looks at a certificate that an honest node let go of or rests on.
  package mutating func saw(_ certificate: Certificate, isHonest: Bool) {
    let statement = certificate.statement
    guard statement.chain == chain, let set = sets[statement.epoch] else { return }
    var mask: UInt64 = 0
    for (signer, signature) in zip(certificate.signers, certificate.signatures)
    where Int(signer) < set.count {
      let vote = Vote(statement: statement, signer: signer, signature: signature)
      if isGenuine(vote, in: set) { mask |= 1 << UInt64(signer) }
    }
    if mask.nonzeroBitCount >= FinalityObserver.quorum(of: set.count) {
      certify(statement)
    } else if isHonest {
      report(
        .certificateValidity,
        "\(statement.kind) of view \(statement.view) with \(mask.nonzeroBitCount) signers")
    }
  }

  /// Takes note of a block that somebody proposed.
  package mutating func saw(_ block: Block) {
    headers[block.hash] = block.header
  }

  /// Looks at evidence that an honest node found.
  package mutating func found(_ evidence: VoteEvidence) {
    evidenceCount += 1
    let vote = evidence.first
    guard let set = sets[vote.statement.epoch], Int(vote.signer) < set.count else { return }
    guard isGenuine(vote, in: set), isGenuine(evidence.second, in: set) else {
      return report(.evidenceIsTrue, "evidence against validator \(vote.signer) is forged")
    }
    if honest.contains(set.members[Int(vote.signer)]) {
      report(.evidenceIsTrue, "evidence names the honest validator \(vote.signer)")
    }
  }

  func validators(ofEpoch epoch: UInt64) -> ValidatorSet? { sets[epoch] }

  func validatorCount(ofEpoch epoch: UInt64) -> Int? { sets[epoch]?.count }

  /// The votes that any two of which share an honest validator: n - f with f = (n - 1) / 3.
  static func quorum(of count: Int) -> Int { count - (count - 1) / 3 }

  private mutating func isGenuine(_ vote: Vote, in set: ValidatorSet) -> Bool {
    trustsSignatures
      || memo.isValid(
        SignedPart(
          signer: set.members[Int(vote.signer)].key, message: vote.statement.preimage,
          signature: vote.signature))
  }

  private mutating func record(_ statement: Statement, by signer: NodeID) {
    let place = ViewKey(epoch: statement.epoch, view: statement.view)
    let key = SignerKey(signer: signer, place: place)
    var before = signed[key] ?? Signed()
    var clash: String?
    switch statement.kind {
    case .notarize:
      if let other = before.notarized, other != statement.hash { clash = "notarizes two blocks" }
      before.notarized = statement.hash
    case .finalize:
      if let other = before.finalized, other != statement.hash { clash = "finalizes two blocks" }
      if before.isNullified { clash = "finalizes what it nullified" }
      before.finalized = statement.hash
    case .nullify:
      if before.finalized != nil { clash = "nullifies what it finalized" }
      before.isNullified = true
    case .handover, .reconfigure: return
    }
    signed[key] = before
    if statement.kind == .notarize, honest.contains(signer), let header = headers[statement.hash] {
      checkLeadership(of: header)
    }
    guard let clash else { return }
    if honest.contains(signer) {
      report(.voteExclusivity, "\(signer.key.short) \(clash) in view \(statement.view)")
    } else {
      sawContradiction = true
    }
  }
}
