import BFTCore
import Crypto
import Primitives
import Records
import Testing
import Wire

@Suite struct FinalityDoorTests {
  static func vote(
    _ kind: StatementKind = .notarize, chain: ChainID = Four.chain, epoch: UInt64 = 1,
    signer: UInt16 = 0, key: Int = 0
  ) -> Vote {
    let hash = kind == .nullify ? Digest.zero : Digest(words: 9, 9, 9, 9)
    return Vote(
      signing: Statement(kind: kind, chain: chain, epoch: epoch, view: 5, hash: hash),
      as: signer, with: Four.keys[key])
  }

  static func door() -> FinalityDoor {
    var door = FinalityDoor(chain: Four.chain)
    door.learn(Four.configuration(0).genesis, epoch: 1)
    return door
  }

  @Test func `a vote of a validator passes`() {
    var door = FinalityDoorTests.door()
    #expect(door.check(.vote(FinalityDoorTests.vote())) != nil)
  }

  static let forged: [Vote] = [
    vote(signer: 1, key: 0),
    vote(signer: 9),
    vote(chain: ChainID(digest: Digest(words: 8, 8, 8, 8))),
    vote(epoch: 2),
    Vote(
      statement: vote(.finalize).statement, signer: 0, signature: vote(.notarize).signature),
    vote(.handover),
    vote(.reconfigure),
  ]

  @Test(arguments: forged) func `a vote that is not a validator's on a view is refused`(
    vote: Vote
  ) {
    var door = FinalityDoorTests.door()
    #expect(door.check(.vote(vote)) == nil)
  }

  static func certificate(
    _ signers: [UInt16], _ kind: StatementKind = .notarize, chain: ChainID = Four.chain,
    epoch: UInt64 = 1
  ) -> Certificate {
    let votes = signers.map {
      vote(kind, chain: chain, epoch: epoch, signer: $0, key: Int($0) % 4)
    }
    return Certificate(
      statement: votes[0].statement, signers: signers, signatures: votes.map(\.signature))
  }

  @Test func `a quorum's certificate passes, and costs nothing after its votes`() {
    var door = FinalityDoorTests.door()
    for signer in 0..<3 {
      _ = door.check(.vote(FinalityDoorTests.vote(signer: UInt16(signer), key: signer)))
    }
    let checks = door.memo.checks
    #expect(door.check(.certificate(FinalityDoorTests.certificate([0, 1, 2]))) != nil)
    #expect(door.memo.checks == checks)
  }

  @Test(arguments: [[0, 1], [0, 1, 1], [1, 0, 2], [0, 1, 2, 3], [0, 1, 7]] as [[UInt16]])
  func `a certificate of other than a quorum in order is refused`(signers: [UInt16]) {
    var door = FinalityDoorTests.door()
    #expect(door.check(.certificate(FinalityDoorTests.certificate(signers))) == nil)
  }

  static let messages: [FinalityMessage] = [
    .vote(vote()),
    .certificate(certificate([0, 1, 2])),
    .status(
      FinalityStatus(
        epoch: 1, view: 300, finalizedView: 200, finalizedHeight: 100, finalizedHash: .zero)),
    .certificateRequest(epoch: 1, first: 3, last: 9),
    .blockRequest(hash: Digest(words: 1, 2, 3, 4)),
    .heightRequest(first: 7, count: 64),
    .memoryQuery(nonce: 77, epoch: 1),
    .memoryReply(nonce: 77, epoch: 1, highest: certificate([0, 1, 2])),
    .memoryReply(nonce: 77, epoch: 1, highest: nil),
    .handover(vote(.handover)),
    .ending(certificate([0, 1, 2], .handover)),
    .proposal(BFTLiarTests.falseProposal(by: 0)),
    .block(BFTLiarTests.falseProposal(by: 0).block),
    .segment([BFTLiarTests.falseProposal(by: 0).block], certificate([0, 1, 2])),
    .consent(vote(.reconfigure), added: [], removed: [NodeID(key: Four.keys[0].publicKey)]),
  ]

  static let refused: [FinalityMessage] = [
    .segment([], certificate([0, 1, 2])),
    .segment([BFTLiarTests.falseProposal(by: 0).block], certificate([0, 1, 2])),
    .consent(vote(.reconfigure), added: [], removed: []),
    .certificateRequest(epoch: 1, first: 9, last: 3),
    .certificateRequest(epoch: 1, first: 1, last: 65),
    .heightRequest(first: 0, count: 1),
    .heightRequest(first: 1, count: 65),
    .heightRequest(first: 1, count: 0),
    .memoryReply(nonce: 1, epoch: 2, highest: certificate([0, 1, 2])),
    .ending(certificate([0, 1, 2])),
    .ending(certificate([0, 1, 2], .finalize)),
    .ending(certificate([0, 1], .handover)),
    .ending(certificate([0, 1, 1], .handover)),
    .ending(certificate([0, 1, 2], .handover, epoch: 2)),
    .ending(
      certificate([0, 1, 2], .handover, chain: ChainID(digest: Digest(words: 8, 8, 8, 8)))),
    .ending(
      Certificate(
        statement: vote(.handover).statement, signers: [0, 1, 2],
        signatures: certificate([0, 1, 2]).signatures)),
    .certificate(certificate([0, 1, 2], .handover)),
    .proposal(
      Proposal(
        block: BFTLiarTests.falseProposal(by: 0).block,
        leaderSignature: BFTLiarTests.falseProposal(by: 1).leaderSignature,
        parentCertificate: nil, nullifications: [])),
    .proposal(
      Proposal(
        block: BFTLiarTests.falseProposal(by: 0).block,
        leaderSignature: BFTLiarTests.falseProposal(by: 0).leaderSignature,
        parentCertificate: certificate([0, 1, 2]), nullifications: [])),
  ]

  @Test(arguments: refused) func `a message whose parts disagree is refused`(
    message: FinalityMessage
  ) {
    var door = FinalityDoorTests.door()
    #expect(door.check(message) == nil)
  }

  @Test func `a quorum's word on the end of an epoch passes`() {
    var door = FinalityDoorTests.door()
    #expect(door.check(.ending(FinalityDoorTests.certificate([0, 1, 2], .handover))) != nil)
  }

  @Test func `a body beyond its limit is not decoded`() {
    let advance = CutAdvance(
      lane: LaneID(digest: .zero), number: 1, digest: Digest(words: 1, 1, 1, 1))
    let many = BlockBody(
      advances: Array(repeating: advance, count: BlockLimits.entriesMax + 1))
    #expect(throws: WireError.overLimit) { try BlockBody(decoding: many.encoded) }
    let twice = BlockBody(advances: [advance, advance])
    #expect(throws: WireError.notCanonical) { try BlockBody(decoding: twice.encoded) }
  }

  @Test(arguments: messages) func `a message is read as it was written and no shorter`(
    message: FinalityMessage
  ) throws {
    let bytes = message.encoded
    #expect(try FinalityMessage(decoding: bytes) == message)
    for count in bytes.indices {
      #expect(throws: WireError.self) {
        try FinalityMessage(decoding: Array(bytes.prefix(count)))
      }
    }
    #expect(throws: WireError.self) { try FinalityMessage(decoding: bytes + [0]) }
  }
}
