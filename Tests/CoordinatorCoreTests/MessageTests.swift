import CoordinatorCore
import CoreKit
import Primitives
import Records
import Testing
import Wire

@Suite struct `Coordinator messages` {
  static func message(_ random: inout Xoshiro256) -> CoordinatorMessage {
    guard random.chance(Ratio(2, in: 3)) else {
      let modes = DisseminationMode.allCases
      return .dissemination(modes[random.next(below: modes.count)])
    }
    let nodes = someNodes(2, seed: random.next())
    let shift = random.next(below: 64 as UInt64)
    return .assignment(
      .init(
        identity: .init(
          viewHash: random.next(), baseTerm: random.next() >> shift,
          baseCommitIndex: random.next() >> shift, sequence: random.next() >> shift,
          node: nodes[0]),
        priority: UInt32(truncatingIfNeeded: random.next()), round: random.next() >> shift,
        partner: random.chance(Ratio(1, in: 2)) ? nodes[1] : nil))
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `what is written is read, whole and nothing else`(seed: UInt64) throws {
    var random = Xoshiro256(seed: seed)
    let message = Self.message(&random)
    let bytes = message.encoded
    #expect(bytes.count <= CoordinatorMessage.bytesMax)
    #expect(try CoordinatorMessage(decoding: bytes) == message)
    for count in bytes.indices {
      #expect(throws: WireError.self) {
        try CoordinatorMessage(decoding: Array(bytes.prefix(count)))
      }
    }
    #expect(throws: WireError.trailingBytes) { try CoordinatorMessage(decoding: bytes + [0]) }
  }

  @Test func `the largest message is within the limit`() {
    let node = someNodes(1, seed: 1)[0]
    let largest = CoordinatorMessage.assignment(
      .init(
        identity: .init(
          viewHash: .max, baseTerm: .max, baseCommitIndex: .max, sequence: .max, node: node),
        priority: .max, round: .max, partner: node))
    #expect(largest.encoded.count == 118)
    #expect(largest.encoded.count <= CoordinatorMessage.bytesMax)
  }

  @Test(
    arguments: [
      ([0], WireError.unknownTag(0)), ([3], .unknownTag(3)), ([2, 0], .unknownTag(0)),
      ([2, 4], .unknownTag(4)), ([], .truncated),
    ] as [([UInt8], WireError)]) func `what is no message is refused`(
      bytes: [UInt8], error: WireError
    )
  {
    #expect(throws: error) { try CoordinatorMessage(decoding: bytes) }
  }

  @Test func `a partner is there or not, and nothing between`() {
    let bytes = CoordinatorMessage.assignment(
      .init(
        identity: .init(
          viewHash: 1, baseTerm: 2, baseCommitIndex: 3, sequence: 4,
          node: NodeID(key: .zero)), priority: 5, round: 6, partner: nil)
    ).encoded
    let expected: [UInt8] =
      [1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 3, 4] + [UInt8](repeating: 0, count: 32) + [
        5, 0, 0, 0, 6, 0,
      ]
    #expect(bytes == expected)
    #expect(throws: WireError.notCanonical) {
      try CoordinatorMessage(decoding: Array(bytes.dropLast()) + [2])
    }
  }
}
