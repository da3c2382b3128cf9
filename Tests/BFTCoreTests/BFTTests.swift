import BFTCore
import CoreKit
import Crypto
import Primitives
import Records
import Testing

@Suite struct BFTTests {
  @Test func `four engines with work agree on one chain`() throws {
    var four = try Four()
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 300)
    let chains = four.finalized.map { $0.map(\.block.hash) }
    let least = try #require(chains.map(\.count).min())
    #expect(least >= 5)
    for chain in chains { #expect(chain.prefix(least) == chains[0].prefix(least)) }
    for engine in four.engines { #expect(engine.brokenInvariant == nil) }
  }

  @Test func `without work nothing but a status is said`() throws {
    var four = try Four()
    four.run(milliseconds: 500)
    four.queue = []
    four.now.instant = four.now.instant + .seconds(2)
    for index in 0..<4 { four.step(index, .deadline) }
    #expect(!four.queue.isEmpty)
    for entry in four.queue {
      guard case .status = entry.message else {
        Issue.record("an idle engine says \(entry.message)")
        return
      }
    }
  }

  @Test func `no vote leaves before its record is durable`() throws {
    var four = try Four()
    four.confirms = false
    for index in 0..<4 { four.step(index, .work(true)) }
    four.deliver()
    #expect(four.unconfirmed.contains { $0 != nil })
    for entry in four.queue {
      switch entry.message {
      case .vote, .proposal: Issue.record("\(entry.message) left before it was durable")
      default: break
      }
    }
    let leader = try #require(four.unconfirmed.firstIndex { $0 != nil })
    four.confirm(leader)
    #expect(
      four.queue.contains {
        if case .proposal = $0.message { return true }
        return false
      })
  }

  @Test(arguments: 0..<4) func `three go on without the fourth`(down: Int) throws {
    var four = try Four()
    four.down = [down]
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 3_000)
    for index in 0..<4 where index != down { #expect(four.finalized[index].count >= 4) }
  }

  @Test func `two of four decide nothing, and go on when a third is back`() throws {
    var four = try Four()
    four.down = [0, 1]
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 2_000)
    let isStill = four.finalized.allSatisfy { $0.isEmpty }
    #expect(isStill)
    four.down = [0]
    four.run(milliseconds: 20_000)
    #expect(four.finalized[3].count >= 1)
  }

  @Test func `after a crash of all, own votes are counted again`() throws {
    var four = try Four()
    four.down = [0, 1, 2, 3]
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 10)
    for index in 0..<4 {
      four.now.instant = four.now.instant + .seconds(1)
      four.down = []
      four.step(index, .deadline)
      four.down = [0, 1, 2, 3]
    }
    let haveVoted = four.journals.allSatisfy { !$0.isEmpty }
    #expect(haveVoted)
    for index in 0..<4 { try four.restart(index) }
    four.down = []
    four.queue = []
    four.connect()
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 5_000)
    for index in 0..<4 { #expect(four.finalized[index].count >= 1) }
  }

  @Test func `a leader that signs two blocks is reported`() throws {
    var four = try Four()
    let configuration = Four.configuration(0)
    let leader = Int(four.engines[0].leader(of: 1))
    for hash in [Digest(words: 1, 1, 1, 1), Digest(words: 2, 2, 2, 2)] {
      let vote = Vote(
        signing: Statement(
          kind: .notarize, chain: Four.chain, epoch: 1, view: 1, hash: hash),
        as: UInt16(leader), with: Four.keys[leader])
      let other = (leader + 1) % 4
      let checked = four.door.check(.vote(vote))
      let verified = try #require(checked)
      four.step(other, .received(verified, from: PeerIndex(UInt16(leader))))
    }
    let found = four.notices.compactMap { notice -> VoteEvidence? in
      if case .evidence(let evidence) = notice { return evidence }
      return nil
    }
    #expect(found.count == 1 && found.first?.first.signer == UInt16(leader))
    #expect(configuration.genesis.quorum == 3)
  }

  @Test func `an epoch ends at its last height and the next one goes on`() throws {
    var four = try Four(epochLength: 3)
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 3_000)
    for index in 0..<4 {
      #expect(four.engines[index].epoch >= 2)
      let heights = four.finalized[index].map(\.block.header.height)
      #expect(heights == Array(1...UInt64(heights.count)))
    }
    #expect(
      four.notices.contains {
        if case .handover = $0 { return true }
        return false
      })
  }

  @Test func `whoever lost its journal is silent until a quorum has answered`() throws {
    var four = try Four()
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 100)
    var recovery = BFTRecovery()
    recovery.isAmnesiac = true
    four.engines[2] = try BFT(Four.configuration(2), recovery: recovery, at: four.now)
    four.queue.removeAll { $0.from == 2 || $0.to == 2 }
    four.finalized[2] = []
    four.notices = []
    four.connect(2)
    #expect(
      !four.queue.contains {
        if case .vote = $0.message { return $0.from == 2 }
        return false
      })
    four.run(milliseconds: 2_000)
    #expect(
      four.notices.contains {
        if case .amnesiaOver = $0 { return true }
        return false
      })
    #expect(four.finalized[2].count > 5)
  }
}
