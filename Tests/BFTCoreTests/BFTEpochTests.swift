import BFTCore
import CoreKit
import Crypto
import Primitives
import Records
import Testing

@Suite struct BFTEpochTests {
  static let newcomer = NodeID(key: SigningKey(seed: Digest(words: 9, 9, 9, 9)).publicKey)

  private func isWord(_ message: FinalityMessage) -> Bool {
    switch message {
    case .consent, .handover: return true
    default: return false
    }
  }

  @Test func `consent leaves only when it is durable, and counts again after a restart`() throws {
    var four = try Four()
    four.queue = []
    four.confirms = false
    four.step(0, .proposeChange(added: [BFTEpochTests.newcomer], removed: []))
    #expect(!four.queue.contains { isWord($0.message) })
    four.confirm(0)
    #expect(four.queue.filter { isWord($0.message) }.count == 3)
    try four.restart(0)
    four.connect(0)
    #expect(four.queue.filter { $0.from == 0 && isWord($0.message) }.count == 3)
    four.queue = []
    four.step(0, .proposeChange(added: [BFTEpochTests.newcomer], removed: []))
    #expect(four.unconfirmed[0] == nil, "the same consent is signed once")
  }

  @Test func `the end of an epoch is told only when that is durable`() throws {
    var four = try Four(epochLength: 1)
    for index in 0..<4 { four.step(index, .work(true)) }
    four.confirms = false
    // Until each has the epoch's last block, with every vote confirmed one by one.
    for _ in 0..<200 where !four.engines.contains(where: { $0.epoch == 2 }) {
      four.now.instant = four.now.instant + .milliseconds(10)
      four.now.wallMilliseconds += 10
      for index in 0..<4 where four.engines[index].epoch == 1 { four.confirm(index) }
      four.deliver(1)
    }
    let first = try #require(four.engines.firstIndex { $0.epoch == 2 })
    #expect(!four.queue.contains { $0.from == first && isWord($0.message) })
    #expect(four.unconfirmed[first] != nil)
    four.confirm(first)
    #expect(four.queue.contains { $0.from == first && isWord($0.message) })
  }

  @Test func `a change of validators that is final is remembered over a restart`() throws {
    var four = try Four()
    for index in 0..<4 {
      four.step(index, .work(true))
      four.step(index, .proposeChange(added: [BFTEpochTests.newcomer], removed: []))
    }
    func changeHeight(_ index: Int) -> UInt64? {
      four.finalized[index].first {
        $0.block.body.transactions.contains {
          if case .reconfigure = $0 { return true }
          return false
        }
      }?.block.header.height
    }
    for _ in 0..<100 where (0..<4).contains(where: { changeHeight($0) == nil }) {
      four.run(milliseconds: 10)
    }
    let change = try #require(changeHeight(0))
    for index in 0..<4 { #expect(four.engines[index].epoch == 1) }
    for index in 0..<4 { try four.restartWithBlocks(index) }
    four.queue = []
    four.connect()
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 2_000)
    for index in 0..<4 {
      let last = four.finalized[index].last { $0.block.header.epoch == 1 }
      #expect(last?.block.header.height == change + BFTConfiguration.reconfigurationDelay)
      #expect(four.engines[index].epoch >= 2)
    }
  }

  @Test func `an epoch ends through a block above it, and a latecomer learns of that`() throws {
    var four = try Four(epochLength: 3)
    four.down = [3]
    // Nobody's vote to finalize the third block gets through: only a later one is certified.
    var third: Digest?
    four.isLost = { message in
      switch message {
      case .proposal(let proposal):
        if proposal.block.header.height == 3, proposal.block.header.epoch == 1 {
          third = proposal.block.hash
        }
        return false
      case .vote(let vote): return vote.statement.kind == .finalize && vote.statement.hash == third
      default: return false
      }
    }
    for index in 0..<4 { four.step(index, .work(true)) }
    for _ in 0..<200 where four.engines[0].epoch == 1 { four.run(milliseconds: 10) }
    for index in 0..<3 {
      let last = try #require(four.finalized[index].first { $0.block.header.height == 3 })
      #expect(!last.descendants.isEmpty)
      #expect(last.certificate?.statement.hash == last.descendants.last?.hash)
      #expect(four.engines[index].epoch == 2)
    }
    four.down = []
    four.run(milliseconds: 1_200)
    #expect(four.engines[3].epoch >= 2)
    let heights = four.finalized[3].map(\.block.header.height)
    #expect(heights.count > 3 && heights == Array(1...UInt64(heights.count)))
  }

  @Test func `a peer that wants too much is answered so often and no more`() throws {
    var four = try Four()
    for index in 0..<4 { four.step(index, .work(true)) }
    four.run(milliseconds: 300)
    four.queue = []
    let checked = four.door.check(.heightRequest(first: 1, count: 1))
    let wish = try #require(checked)
    for _ in 0..<500 { four.step(0, .received(wish, from: PeerIndex(1))) }
    let answers = four.queue.filter {
      if case .segment = $0.message { return $0.to == 1 }
      return false
    }
    #expect((1...32).contains(answers.count))
    four.queue = []
    four.step(0, .received(wish, from: PeerIndex(2)))
    #expect(four.queue.contains { $0.to == 2 })
  }

  @Test func `a block that nobody has does not keep others from being asked for`() throws {
    var four = try Four()
    four.queue = []
    for view in 1...2 as ClosedRange<UInt64> {
      let statement = Statement(
        kind: .notarize, chain: Four.chain, epoch: 1, view: view,
        hash: Digest(words: view, 8, 8, 8))
      for voter in 1..<4 {
        let vote = Vote(signing: statement, as: UInt16(voter), with: Four.keys[voter])
        let checked = four.door.check(.vote(vote))
        four.step(0, .received(try #require(checked), from: PeerIndex(UInt16(voter))))
      }
    }
    let asked = Set(
      four.queue.compactMap { entry -> Digest? in
        if case .blockRequest(let hash) = entry.message { return hash }
        return nil
      })
    #expect(asked.count == 2)
  }
}
