import Crypto
import ExecutionCore
import Primitives
import Records
import Testing

@Suite struct ReconfigurationTests {
  static let newcomer = NodeID(key: SigningKey(seed: Digest(words: 6, 6, 6, 6)).publicKey)

  /// A change with the signatures of the first `count` validators.
  private func change(
    added: [NodeID] = [], removed: [NodeID] = [], consents count: Int = 3, epoch: UInt64 = 0
  ) -> ValidatorTransaction {
    let statement = Statement(
      kind: .reconfigure, chain: History.chain, epoch: epoch, view: 0,
      hash: Reconfiguration.hash(added: added, removed: removed))
    let votes = History.validators.members.prefix(count).enumerated().compactMap { place, node in
      History.keys.first { $0.publicKey == node.key }.map {
        Vote(signing: statement, as: UInt16(place), with: $0)
      }
    }
    return .reconfigure(
      Reconfiguration(
        added: added, removed: removed,
        consent: Certificate(
          statement: statement, signers: votes.map(\.signer), signatures: votes.map(\.signature))))
  }

  @Test func `with a quorum's consent one comes and one leaves when the epoch ends`() throws {
    var history = try History()
    let leaver = History.validators.members[1]
    let first = try history.run(
      history.block(
        at: 2_000,
        transactions: [change(added: [ReconfigurationTests.newcomer], removed: [leaver])]))
    #expect(first.transactionResults == [.accepted] && first.nextValidators == nil)
    #expect(history.ledger.validator(ReconfigurationTests.newcomer)?.status == .joining)
    #expect(history.ledger.validator(leaver)?.status == .leaving)
    #expect(history.ledger.brokenInvariant == nil)
    let last = try history.run(history.block(at: 3_000, endsEpoch: true))
    let next = try #require(last.nextValidators)
    #expect(next.count == 4)
    #expect(next.members.contains(ReconfigurationTests.newcomer))
    #expect(!next.members.contains(leaver))
    #expect(history.ledger.validator(ReconfigurationTests.newcomer)?.status == .active)
    let left = try #require(history.ledger.validator(leaver))
    #expect(left.status == .left && left.bond == 0)
    #expect(history.ledger.treasury == ExecutionLimits.bondMillionths)
    #expect(history.ledger.brokenInvariant == nil)
    #expect(try history.restored().root == history.ledger.root)
  }

  @Test func `a change without a quorum, of another epoch or twice is refused`() throws {
    var history = try History()
    let added = [ReconfigurationTests.newcomer]
    let result = try history.run(
      history.block(
        at: 2_000,
        transactions: [
          change(added: added, consents: 2), change(added: added, epoch: 1),
          change(added: added), change(added: added),
          change(removed: added), change(added: [History.validators.members[0]]),
        ]))
    #expect(
      result.transactionResults == [
        .invalid, .invalid, .accepted, .exists, .notAllowed, .exists,
      ])
    #expect(history.ledger.brokenInvariant == nil)
  }

  @Test func `nobody leaves when too few would stay`() throws {
    var history = try History()
    let leaver = History.validators.members[0]
    let result = try history.run(
      history.block(at: 2_000, transactions: [change(removed: [leaver])], endsEpoch: true))
    #expect(result.transactionResults == [.accepted])
    #expect(result.nextValidators == History.validators)
    #expect(history.ledger.brokenInvariant == nil)
  }
}
