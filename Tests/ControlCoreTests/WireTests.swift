import ControlCore
import Primitives
import Records
import Testing
import Wire

@Suite struct WireTests {
  private static func lease(_ value: UInt64) -> LeaseID { LeaseID(value) ?? leaseMax }
  private static let leaseMax = LeaseID(.max).unsafelyUnwrapped
  private static let key = CommandSource.names[1]

  /// One operation of each kind and its bytes after the tag of no session.
  static let golden: [(operation: ControlOperation, hexadecimal: String)] = [
    (.put(key: key, value: [1, 2]), "0103612f310201020000"),
    (.put(key: key, value: [], condition: .mustBeAbsent, lease: lease(5)), "0103612f31000105"),
    (.put(key: key, value: [], condition: .version(300)), "0103612f310002ac0200"),
    (.delete(key: key), "0203612f3100"),
    (.delete(key: key, version: 7), "0203612f310107"),
    (.grantLease(ttlMilliseconds: 10_000), "03904e"),
    (.renewLease(lease(9)), "0409"),
    (.revokeLease(lease(200)), "05c801"),
    (.expireLease(lease(9), renewals: 3), "060903"),
    (.acquireLock(name: key, lease: lease(9), wait: true), "0703612f310901"),
    (.cancelWait(name: key, lease: lease(9)), "0803612f3109"),
    (.releaseLock(name: key, lease: lease(9)), "0903612f310900"),
    (.releaseLock(name: key, lease: lease(9), token: 12), "0903612f3109010c"),
    (
      .setMember(node(1), role: .voter),
      "0a0000000000000001" + String(repeating: "0", count: 48) + "01"
    ),
    (.removeMember(node(1)), "0b0000000000000001" + String(repeating: "0", count: 48)),
    (
      .restoreMember(node(1), role: .edge),
      "0c0000000000000001" + String(repeating: "0", count: 48) + "03"
    ),
    (.setSetting(.votersMax, value: 3), "0d0103"),
    (.setSetting(.egressBytesPerSecond, value: 65_536), "0d02808004"),
  ]

  @Test(arguments: golden)
  func `a command of each kind has these bytes`(
    operation: ControlOperation, hexadecimal: String
  ) throws {
    let plain = ControlCommand(operation: operation)
    #expect(Hexadecimal.text(plain.encoded) == String(repeating: "0", count: 24) + hexadecimal)
    #expect(try ControlCommand(decoding: plain.encoded) == plain)
    let numbered = ControlCommand(
      session: ControlSession(number: 0x0102_0304_0506_0708, openedAt: 300), sequence: 5,
      acknowledgedBelow: 4, idempotency: Identifier(high: 1, low: 2), operation: operation)
    #expect(
      Hexadecimal.text(numbered.encoded)
        == "0807060504030201ac0205040100000000000000010000000000000002" + hexadecimal)
    #expect(try ControlCommand(decoding: numbered.encoded) == numbered)
    expectHardened(numbered)
  }

  @Test func `numbers that mean the same have the same bytes`() throws {
    let absent = ControlOperation.put(key: WireTests.key, value: [], condition: .mustBeAbsent)
    let zero = ControlOperation.put(key: WireTests.key, value: [], condition: .version(0))
    #expect(absent.encoded == zero.encoded)
    // A version or token of 0 is one that nothing has, not any.
    let deletion = ControlOperation.delete(key: WireTests.key, version: 0)
    #expect(try ControlOperation(decoding: deletion.encoded) == deletion)
    for (asked, meant) in [(0, 1), (-5, 1), (5_000, 1_000)] {
      let query = ControlQuery.list(prefix: [], limit: asked)
      #expect(try ControlQuery(decoding: query.encoded) == .list(prefix: [], limit: meant))
    }
  }

  @Test func `the largest command fits an entry`() throws {
    let command = ControlCommand(
      session: ControlSession(number: .max, openedAt: .max), sequence: .max,
      acknowledgedBelow: .max, idempotency: Identifier(high: 1, low: 2),
      operation: .put(
        key: try #require(ControlName(String(repeating: "k", count: 512))),
        value: [UInt8](repeating: 1, count: ControlLimits.valueBytesMax),
        condition: .version(.max), lease: WireTests.leaseMax))
    #expect(command.encoded.count < RaftEntry.payloadBytesMax)
    #expect(try ControlCommand(decoding: command.encoded) == command)
  }

  static let outcomes: [ControlOutcome] = [
    .put(created: 300, formerVersion: 0), .deleted(formerVersion: 4),
    .leaseGranted(leaseMax, ttlMilliseconds: 500),
    .leaseRenewed(lease(3), ttlMilliseconds: 86_400_000, renewals: 9),
    .leaseEnded(lease(3), keys: 4_096, locks: 0), .lockHeld(token: .max), .lockQueued(ahead: 0),
    .lockReleased, .waitCancelled, .memberChanged, .settingChanged, .unchanged,
  ]

  static let refusals: [ControlRefusal] = [
    .conditionFailed(version: 0), .storeFull, .leaseUnknown, .leaseOutOfRange, .tooManyLeases,
    .leaseFull, .lockTaken(holder: lease(8), token: 9), .tooManyWaiters, .notHolder,
    .staleToken(token: 1), .memberRemoved, .tooManyMembers, .lastVoter, .settingOutOfRange,
    .idempotencyReused, .stale, .sessionExpired, .tooManyUnacknowledged,
  ]

  @Test(arguments: outcomes + refusals.map { .refused($0) })
  func `results survive the wire`(outcome: ControlOutcome) {
    expectHardened(ControlResult(revision: 300, outcome: outcome))
    expectHardened(ControlResult(revision: 0, outcome: outcome))
  }

  static let queries: [ControlQuery] = [
    .get(key: key), .list(prefix: []), .list(prefix: [0xff, 0], after: key, limit: 1),
    .lease(lease(1)), .leases(), .leases(after: leaseMax, limit: 2), .lock(name: key),
    .locks(prefix: [0x61], after: nil, limit: 1_000), .members, .settings,
  ]

  @Test(arguments: queries)
  func `questions survive the wire`(query: ControlQuery) { expectHardened(query) }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `answers survive the wire`(seed: UInt64) throws {
    var source = CommandSource(seed: seed)
    var steps = Steps()
    for _ in 0..<200 { steps.apply(from: &source) }
    var queries: [ControlQuery] = [
      .list(prefix: []), .list(prefix: [], limit: 2), .leases(limit: 2), .leases(),
      .locks(prefix: []), .locks(prefix: [], limit: 1), .members, .settings,
    ]
    for name in CommandSource.names { queries += [.get(key: name), .lock(name: name)] }
    for lease in steps.state.leases { queries.append(.lease(lease.id)) }
    for query in queries { expectHardened(steps.state.answer(query)) }
  }

  /// Expects that a value survives, and that neither a part of its bytes nor more than them is
  /// taken for a value.
  private func expectHardened<Value: WireCodable & Equatable>(_ value: Value) {
    let bytes = value.encoded
    #expect((try? Value(decoding: bytes)) == value)
    for count in 0..<bytes.count {
      #expect(throws: (any Error).self) { try Value(decoding: Array(bytes.prefix(count))) }
    }
    #expect(throws: (any Error).self) { try Value(decoding: bytes + [0]) }
    // What is decoded from changed bytes has exactly these bytes.
    for place in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[place] ^= 1 << bit
        // A refusal is as good.
        if let other = try? Value(decoding: changed) { #expect(other.encoded == changed) }
      }
    }
  }
}
