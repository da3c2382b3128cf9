internal import Crypto
internal import Primitives
package import Records

extension Genesis {
  /// The name of the swarm that every node hosts.
  package static let swarmName = "main"

  /// What a verifier of proofs and ledgers trusts: the chain, and the founders as the validators of
  /// the first epoch. `nil` when they are no set of validators.
  package var ledgerTrust: LedgerTrust? {
    guard let validators = ValidatorSet(voters.map(\.node)) else { return nil }
    let swarm = SwarmID(named: Genesis.swarmName, in: cluster)
    return LedgerTrust(
      chain: ChainID(cluster: cluster, swarm: swarm), validators: validators)
  }
}
