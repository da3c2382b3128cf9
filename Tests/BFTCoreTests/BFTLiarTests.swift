import BFTCore
import CoreKit
import Crypto
import Primitives
import Records
import Testing
import Wire

@Suite struct BFTLiarTests {
  /// The leader of view 1 vouches for a root that nobody found.
  static func falseProposal(by leader: Int) -> Proposal {
    let body = BlockBody()
    let header = BlockHeader(
      chain: Four.chain, epoch: 1, height: 1, view: 1, parentView: 0,
      parentHash: Four.chain.digest, proposer: UInt16(leader), timestamp: 1_000_001,
      bodyRoot: body.root, bodyByteCount: UInt32(body.encoded.count), entryCount: 0,
      executedHeight: 0, executedRoot: Digest(words: 6, 6, 6, 6),
      validatorSetHash: Four.configuration(0).genesis.hash)
    let block = Block(header: header, body: body)
    let vote = Vote(
      signing: Statement(
        kind: .notarize, chain: Four.chain, epoch: 1, view: 1, hash: block.hash),
      as: UInt16(leader), with: Four.keys[leader])
    return Proposal(
      block: block, leaderSignature: vote.signature, parentCertificate: nil, nullifications: [])
  }

  @Test func `a leader's false root costs its view and nothing else`() throws {
    var four = try Four()
    let leader = Int(four.engines[0].leader(of: 1))
    four.down = [leader]
    let checked = four.door.check(.proposal(BFTLiarTests.falseProposal(by: leader)))
    let proposal = try #require(checked)
    for index in 0..<4 where index != leader {
      four.step(index, .received(proposal, from: PeerIndex(UInt16(leader))))
      four.step(index, .work(true))
    }
    four.run(milliseconds: 3_000)
    for index in 0..<4 where index != leader {
      #expect(four.finalized[index].count >= 3)
      #expect(four.engines[index].standstill == nil)
    }
  }

  @Test func `a block that nobody asked for is not kept`() throws {
    var four = try Four()
    let block = BFTLiarTests.falseProposal(by: 0).block
    let checked = four.door.check(.block(block))
    let message = try #require(checked)
    four.step(1, .received(message, from: PeerIndex(0)))
    four.queue = []
    let asked = four.door.check(.blockRequest(hash: block.hash))
    let request = try #require(asked)
    four.step(1, .received(request, from: PeerIndex(0)))
    #expect(four.queue.isEmpty)
  }

  @Test func `of another epoch nobody tells a memory`() throws {
    var four = try Four()
    four.queue = []
    for epoch in [0, 2] as [UInt64] {
      let checked = four.door.check(.memoryQuery(nonce: 5, epoch: epoch))
      let query = try #require(checked)
      four.step(1, .received(query, from: PeerIndex(0)))
    }
    #expect(four.queue.isEmpty)
  }

  @Test func `whoever abstains asks for no deadline that has passed`() throws {
    var four = try Four()
    var recovery = BFTRecovery()
    recovery.isAmnesiac = true
    four.engines[2] = try BFT(Four.configuration(2), recovery: recovery, at: four.now)
    four.connect(2)
    for index in 0..<4 { four.step(index, .work(true)) }
    for _ in 0..<300 {
      four.run(milliseconds: 10)
      for _ in 0..<3 {
        guard let due = four.engines[2].nextDeadline, due <= four.now.instant else { break }
        four.step(2, .deadline)
      }
      if let due = four.engines[2].nextDeadline { #expect(due > four.now.instant) }
    }
  }

  @Test func `one that is alone finalizes again after a restart what it had signed`() throws {
    let key = Four.keys[0]
    let genesis = try #require(ValidatorSet([NodeID(key: key.publicKey)]))
    let configuration = BFTConfiguration(chain: Four.chain, genesis: genesis, key: key)
    let now = Moment(instant: .origin + .seconds(1), wallMilliseconds: 1_000_000)
    var engine = try BFT(configuration, recovery: BFTRecovery(), at: now)
    var recovery = BFTRecovery()
    for _ in 0..<4 {
      var effects = BFTEffects()
      engine.handle(.work(true), at: now, into: &effects)
      for wanted in effects.bodyWanted {
        engine.handle(
          .body(BlockBody(), parent: wanted.parent.hash, view: wanted.view), at: now,
          into: &effects)
      }
      engine.handle(.turnEnded, at: now, into: &effects)
      guard let step = effects.journal else { continue }
      recovery.journal += step.records
      if recovery.journal.count > 2 { break }
      engine.handle(.journalled(through: step.sequence), at: now, into: &effects)
      engine.handle(.turnEnded, at: now, into: &effects)
      if let more = effects.journal, more != step { recovery.journal += more.records }
    }
    var again = try BFT(configuration, recovery: recovery, at: now)
    var effects = BFTEffects()
    again.handle(.work(true), at: now, into: &effects)
    let heights = effects.finalized.map(\.block.header.height)
    #expect(heights == Array(again.finalized.height > 0 ? 1...again.finalized.height : 1...1))
  }

  @Test func `a validator's new consent takes the place of its old one`() throws {
    var four = try Four()
    let stranger = NodeID(key: Digest(words: 1, 1, 1, 1))
    let other = NodeID(key: Digest(words: 2, 2, 2, 2))
    for index in 0..<4 { four.step(index, .work(true)) }
    for index in 0..<3 { four.step(index, .proposeChange(added: [stranger], removed: [])) }
    four.step(2, .proposeChange(added: [other], removed: []))
    four.run(milliseconds: 500)
    let changes = four.finalized[0].flatMap(\.block.body.transactions)
    #expect(changes.isEmpty)
  }

  @Test func `a change that a quorum consents to ends the epoch eight heights later`() throws {
    var four = try Four()
    let stranger = NodeID(key: Digest(words: 1, 1, 1, 1))
    for index in 0..<4 { four.step(index, .work(true)) }
    for index in 0..<3 { four.step(index, .proposeChange(added: [stranger], removed: [])) }
    four.run(milliseconds: 2_000)
    let place = try #require(
      four.finalized[0].first { !$0.block.body.transactions.isEmpty }?.block.header)
    let first = try #require(four.finalized[0].first { $0.block.header.epoch == 2 }?.block.header)
    #expect(first.height == place.height + BFTConfiguration.reconfigurationDelay + 1)
  }
}
