internal import Crypto
internal import Primitives
package import Records

/// Validators: bonds, evidence against them and their changes.
extension Ledger {
  mutating func bond(_ node: NodeID, as status: ValidatorStatus) {
    minted += ExecutionLimits.bondMillionths
    set(node, ValidatorEntry(status: status, bond: ExecutionLimits.bondMillionths))
  }

  mutating func set(_ node: NodeID, _ entry: ValidatorEntry) {
    validators[node] = entry
    put(Ledger.row(of: entry, node))
  }

  mutating func install(_ set: ValidatorSet, epoch: UInt64) {
    sets[epoch] = set
    put(Ledger.row(of: set, epoch: epoch))
  }

  /// What a node is to the chain and the millionths it has put up.
  package func validator(_ node: NodeID) -> (status: ValidatorStatus, bond: Int64)? {
    validators[node].map { ($0.status, $0.bond) }
  }

  mutating func execute(_ transaction: ValidatorTransaction, epoch: UInt64) -> ResultCode {
    var memo = SignatureMemo()
    switch transaction {
    case .evidence(let evidence, let of):
      guard of <= epoch, epoch - of <= 2, let set = sets[of],
        evidence.first.statement.chain == chain, evidence.first.statement.epoch == of,
        Verified(checking: evidence, in: set, memo: &memo) != nil
      else { return .invalid }
      let node = set.members[Int(evidence.first.signer)]
      guard var entry = validators[node], entry.bond > 0, entry.status != .jailed else {
        return .exists
      }
      treasury += entry.bond
      entry.bond = 0
      if entry.status != .left { entry.status = .jailed }
      self.set(node, entry)
      return .accepted
    case .reconfigure(let change): return execute(change, epoch: epoch)
    }
  }

  private mutating func execute(_ change: Reconfiguration, epoch: UInt64) -> ResultCode {
    var memo = SignatureMemo()
    let statement = change.consent.statement
    guard let set = sets[epoch], statement.kind == .reconfigure, statement.chain == chain,
      statement.epoch == epoch,
      statement.hash == Reconfiguration.hash(added: change.added, removed: change.removed),
      Verified(checking: change.consent, in: set, memo: &memo) != nil
    else { return .invalid }
    for node in change.added where (validators[node]?.status ?? .left) != .left { return .exists }
    for node in change.removed where validators[node]?.status != .active { return .notAllowed }
    for node in change.added { bond(node, as: .joining) }
    for node in change.removed {
      guard var entry = validators[node] else { continue }
      entry.status = .leaving
      self.set(node, entry)
    }
    return .accepted
  }

  /// The validators of the next epoch: at most f leave, the jailed first, and at most f come.
  mutating func endEpoch(_ epoch: UInt64) -> ValidatorSet? {
    guard let set = sets[epoch] else { return nil }
    var members = set.members
    let jailed = members.filter { validators[$0]?.status == .jailed }
    let leaving = members.filter { validators[$0]?.status == .leaving }
    let joining = validators.entries.filter { $0.value.status == .joining }.map(\.key)
    for node in joining.prefix(set.faultsTolerated)
    where members.count < ValidatorSet.countMax {
      guard var entry = validators[node] else { continue }
      entry.status = .active
      self.set(node, entry)
      members.append(node)
    }
    for node in (jailed + leaving).prefix(set.faultsTolerated)
    where members.count > ExecutionLimits.validatorsMin {
      members.removeAll { $0 == node }
      treasury += validators[node]?.bond ?? 0
      self.set(node, ValidatorEntry(status: .left, bond: 0))
    }
    guard let next = ValidatorSet(members) else { return nil }
    install(next, epoch: epoch + 1)
    if sets.count > 3, let oldest = sets.entries.first?.key { sets[oldest] = nil }
    return next
  }
}
