import MembershipCore
import Primitives
import Records
import Testing
import Wire

@Suite struct `Membership messages on the wire` {
  private static let anna = NodeID(key: Digest(words: 1, 2, 3, 4))
  private static let bert = NodeID(key: Digest(words: 5, 6, 7, 8))
  private static let annaBytes =
    "0000000000000001000000000000000200000000000000030000000000000004"
  private static let bertBytes =
    "0000000000000005000000000000000600000000000000070000000000000008"

  private static func attributes() -> MemberAttributes? {
    MemberAttributes(
      address: "a:1", apiAddress: "h", region: "eu", zone: "", role: .learner,
      protocolVersion: 258)
  }

  /// One message per kind and update, with the bytes that are promised to other versions.
  static func examples() -> [(MembershipMessage, String)] {
    func message(
      _ body: MembershipMessage.Body, _ updates: [MembershipUpdate] = []
    ) -> MembershipMessage {
      MembershipMessage(incarnation: 300, load: 9, body: body, updates: updates)
    }
    let head = "ac020900"
    let updates = [
      MembershipUpdate(node: anna, incarnation: 1, claim: .suspect(by: bert)),
      MembershipUpdate(node: anna, incarnation: 2, claim: .down),
      MembershipUpdate(node: bert, incarnation: 128, claim: .left),
    ]
    let alive = attributes().map {
      MembershipUpdate(node: anna, incarnation: 7, claim: .alive($0))
    }
    return [
      (
        message(.ping(sequence: 5, target: anna, incarnation: 6)),
        "01" + "05" + annaBytes + "06" + head + "00"
      ),
      (
        message(
          .pingRequest(sequence: 200, target: bert, incarnation: 0, waitMilliseconds: 513)),
        "02" + "c801" + bertBytes + "00" + "0102" + head + "00"
      ),
      (message(.ack(sequence: 0, target: anna)), "03" + "00" + annaBytes + head + "00"),
      (
        message(.nack(sequence: 1, reason: .wrongDestination)),
        "04" + "01" + "02" + head + "00"
      ),
      (
        message(.news, updates),
        "05" + head + "03" + "02" + annaBytes + "01" + bertBytes + "03" + annaBytes + "02" + "04"
          + bertBytes + "8001"
      ),
      (
        message(.exchange(wantsReply: true), [alive].compactMap(\.self)),
        "06" + head + "01" + "01" + annaBytes + "07" + "03613a31" + "0168" + "026575" + "00" + "01"
          + "0201"
      ),
      (message(.exchange(wantsReply: false)), "07" + head + "00"),
    ]
  }

  @Test(arguments: 0..<7) func `a message has the promised bytes and comes back as it was`(
    kind: Int
  ) throws {
    let (message, bytes) = Self.examples()[kind]
    #expect(Hexadecimal.text(message.encoded) == bytes)
    #expect(try MembershipMessage(decoding: message.encoded) == message)
  }

  @Test(arguments: 0..<7) func `no beginning of a message is one`(kind: Int) {
    let bytes = Self.examples()[kind].0.encoded
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) { try MembershipMessage(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: WireError.trailingBytes) { try MembershipMessage(decoding: bytes + [0]) }
  }

  @Test(arguments: 0..<7) func `a changed byte is refused or is another message`(kind: Int) {
    var random = Xoshiro256(seed: UInt64(kind), purpose: "mutations")
    let (message, _) = Self.examples()[kind]
    let bytes = message.encoded
    for index in bytes.indices {
      for _ in 0..<4 {
        var changed = bytes
        changed[index] ^= UInt8(random.next(in: 1...255))
        if let other = try? MembershipMessage(decoding: changed) {
          // One form for each value.
          #expect(other != message && other.encoded == changed, "byte \(index)")
        }
      }
    }
  }

  @Test func `random bytes never trap`() {
    var random = Xoshiro256(seed: 3, purpose: "noise")
    for _ in 0..<2_000 {
      var bytes = (0..<random.next(below: 200)).map { _ in UInt8(random.next(in: 0...255)) }
      if !bytes.isEmpty { bytes[0] = UInt8(random.next(in: 0...9)) }
      if let message = try? MembershipMessage(decoding: bytes) {
        #expect(message.encoded == bytes)
      }
    }
  }

  /// Why what was written is refused; `nil` when it is not.
  private static func refusal(_ write: (inout WireWriter) -> Void) -> WireError? {
    var writer = WireWriter()
    write(&writer)
    do {
      _ = try MembershipMessage(decoding: writer.bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test func `heads beyond their limits are refused`() {
    #expect(Self.refusal { $0.write(UInt8(77)) } == .unknownTag(77))
    func head(_ incarnation: UInt64, updates: Int) -> WireError? {
      Self.refusal {
        $0.write(UInt8(5))
        $0.writeVariable(incarnation)
        $0.write(UInt16(0))
        $0.writeVariable(UInt64(updates))
      }
    }
    #expect(head(1, updates: 0) == nil)
    #expect(head(0, updates: 0) == .invalid("a message without an incarnation"))
    #expect(head(MembershipUpdate.incarnationMax + 1, updates: 0) == .overLimit)
    #expect(head(1, updates: MembershipMessage.updatesMax + 1) == .overLimit)
    #expect(head(1, updates: 2_000) == .truncated)
  }

  @Test func `updates beyond their limits are refused`() {
    func update(_ tag: UInt8, _ incarnation: UInt64) -> WireError? {
      Self.refusal {
        $0.write(UInt8(5))
        $0.writeVariable(1)
        $0.write(UInt16(0))
        $0.writeVariable(1)
        $0.write(tag)
        $0.write(Self.anna.key)
        $0.writeVariable(incarnation)
      }
    }
    #expect(update(3, 1) == nil)
    #expect(update(3, 0) == .invalid("an update without an incarnation"))
    #expect(update(3, MembershipUpdate.incarnationMax + 1) == .overLimit)
    // Removal is the owner's word and not for the wire.
    #expect(update(5, 1) == .unknownTag(5))
  }

  @Test func `texts are at most as long as they may be`() {
    func attributes(_ address: Int, _ api: Int, _ region: Int, _ zone: Int) -> MemberAttributes? {
      MemberAttributes(
        address: String(repeating: "a", count: address),
        apiAddress: String(repeating: "b", count: api),
        region: String(repeating: "c", count: region), zone: String(repeating: "d", count: zone),
        role: .edge, protocolVersion: .max)
    }
    #expect(attributes(128, 256, 32, 32) != nil)
    #expect(attributes(129, 256, 32, 32) == nil)
    #expect(attributes(128, 257, 32, 32) == nil)
    #expect(attributes(128, 256, 33, 32) == nil)
    #expect(attributes(128, 256, 32, 33) == nil)
    if let longest = attributes(128, 256, 32, 32) {
      #expect((try? MemberAttributes(decoding: longest.encoded)) == longest)
      var bytes = longest.encoded
      bytes[0] = 0x81
      bytes.insert(UInt8(ascii: "a"), at: 2)
      #expect(throws: WireError.overLimit) { try MemberAttributes(decoding: bytes) }
    }
  }
}
