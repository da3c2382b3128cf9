import ControlCore
import Primitives
import Records
import Testing
import Wire

@Suite struct SnapshotTests {
  /// A small state with something of everything.
  private func small() throws -> Steps {
    var steps = Steps()
    let (first, second) = (try steps.lease(), try steps.lease())
    let (key, door) = (try name("k"), try name("d"))
    steps.apply(.put(key: key, value: [1, 2], lease: first))
    steps.apply(.put(key: try name("l"), value: []))
    steps.apply(.acquireLock(name: door, lease: first, wait: true))
    steps.apply(.acquireLock(name: door, lease: second, wait: true))
    steps.apply(.setMember(node(1), role: .voter))
    steps.apply(.removeMember(node(2)))
    steps.apply(.setSetting(.votersMax, value: 3))
    steps.apply(
      ControlCommand(
        session: ControlSession(number: 9, openedAt: 3), sequence: 4, acknowledgedBelow: 2,
        idempotency: Identifier(high: 1, low: 2), operation: .renewLease(second)))
    return steps
  }

  /// Expects that bytes are refused, or are a state that holds its rules, has exactly these bytes
  /// and goes on. Returns whether they are a state.
  private func expectHarmless(_ bytes: [UInt8], seed: UInt64) -> Bool {
    // A refusal is what most of them deserve.
    guard var state = try? ControlState(snapshot: bytes, through: 1 << 40) else { return false }
    #expect(state.brokenInvariant == nil)
    #expect(state.snapshotBytes == bytes)
    var source = CommandSource(seed: seed)
    var index = state.appliedIndex
    for _ in 0..<20 {
      index += 1
      var notices: [ControlNotice] = []
      _ = state.apply(source.next(index: index), index: index, into: &notices)
    }
    #expect(state.brokenInvariant == nil)
    return true
  }

  @Test func `a small snapshot has these bytes`() throws {
    let bytes = try small().state.snapshotBytes
    let head = "010a" + "0a" + "02" + "0103" + "02c0f0f50b"
    let members =
      "02" + "0000000000000001" + String(repeating: "0", count: 48) + "01"
      + "0000000000000002" + String(repeating: "0", count: 48) + "00"
    let leases = "02" + "01e80700" + "02e80701"
    let keys = "02" + "016b020102030301" + "016c00040400"
    let locks = "01" + "016401050102"
    let result = "0a" + "0402e80701"
    let sessions = "00" + "01" + "0900000000000000" + "0a0201" + "04" + result
    let text = Hexadecimal.text(bytes)
    let digest = text.dropLast(result.utf8.count).suffix(64)
    let names = "01" + "0000000000000001" + "0000000000000002" + digest + result
    #expect(text == head + members + leases + keys + locks + sessions + names)
  }

  @Test func `every truncation is refused`() throws {
    let bytes = try small().state.snapshotBytes
    for count in 0..<bytes.count {
      #expect(throws: (any Error).self) {
        try ControlState(snapshot: Array(bytes.prefix(count)), through: .max)
      }
    }
    #expect(throws: WireError.trailingBytes) {
      try ControlState(snapshot: bytes + [0], through: .max)
    }
  }

  @Test func `every flipped bit gives an error or a whole state`() throws {
    let bytes = try small().state.snapshotBytes
    var accepted = 0
    for place in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[place] ^= 1 << bit
        if expectHarmless(changed, seed: UInt64(place)) { accepted += 1 }
      }
    }
    // Both happen: values, keys of nodes and digests may be anything, counts and order may not.
    #expect((500...(bytes.count * 8 - 200)).contains(accepted))
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `random damage gives an error or a whole state`(seed: UInt64) throws {
    var source = CommandSource(seed: seed)
    var steps = Steps()
    for _ in 0..<60 { steps.apply(from: &source) }
    let bytes = steps.state.snapshotBytes
    var draw = Xoshiro256(seed: seed, purpose: "damage")
    var accepted = 0
    for _ in 0..<120 {
      var changed = bytes
      for _ in 0...draw.next(below: 3) {
        let place = draw.next(below: changed.count)
        switch draw.next(below: 5) {
        case 0: changed[place] = UInt8(truncatingIfNeeded: draw.next())
        case 1: changed[place] &+= 1
        case 2: changed.remove(at: place)
        case 3: changed.insert(UInt8(truncatingIfNeeded: draw.next()), at: place)
        default: changed.swapAt(place, draw.next(below: changed.count))
        }
      }
      if expectHarmless(changed, seed: seed) { accepted += 1 }
    }
    #expect((1..<120).contains(accepted))
  }

  @Test func `a snapshot that claims a later index, or a greater count, is refused`() throws {
    let steps = try small()
    let bytes = steps.state.snapshotBytes
    #expect(throws: WireError.overLimit) {
      try ControlState(snapshot: bytes, through: steps.index - 1)
    }
    let restored = try ControlState(snapshot: bytes, through: steps.index)
    #expect(restored.appliedIndex == steps.index)
    // A million members, of which none is present.
    var writer = WireWriter()
    writer.writeRaw(bytes.prefix(11))
    writer.writeVariable(1_000_000)
    #expect(throws: WireError.overLimit) {
      try ControlState(snapshot: writer.bytes, through: .max)
    }
  }

  @Test func `results from the future and names that come twice are refused`() throws {
    let bytes = try small().state.snapshotBytes
    // A name, 16 bytes, the operation's digest, 32, and the result, 6, whose first is the revision.
    let entry = Array(bytes.suffix(54))
    var later = bytes
    later[later.count - 6] += 1
    #expect(throws: WireError.invalid("a result of a later revision")) {
      try ControlState(snapshot: later, through: .max)
    }
    var twice = bytes + entry
    twice[bytes.count - 55] = 2
    #expect(throws: WireError.notCanonical) {
      try ControlState(snapshot: twice, through: .max)
    }
    twice[bytes.count] ^= 1
    let restored = try ControlState(snapshot: twice, through: .max)
    #expect(restored.counts.idempotencyNames == 2)
  }

  @Test func `bounds hold for snapshots too`() throws {
    let steps = try small()
    let bytes = steps.state.snapshotBytes
    var bounds = ControlBounds()
    func expectRefused(_ change: (inout ControlBounds) -> Void) {
      bounds = ControlBounds()
      change(&bounds)
      #expect(throws: WireError.overLimit) {
        try ControlState(snapshot: bytes, through: .max, bounds: bounds)
      }
    }
    expectRefused { $0.keyCount = 1 }
    expectRefused { $0.storeBytes = 4 }
    expectRefused { $0.leases = 1 }
    expectRefused { $0.locks = 0 }
    expectRefused { $0.waiters = 0 }
    expectRefused { $0.attachmentsPerLease = 1 }
  }

  @Test func `a full state's snapshot is below what a snapshot may have`() {
    // The most that one of each takes, by the widths of their fields.
    let number = 10
    let bounds = ControlBounds.standard
    let result = number + 1 + 1 + 2 * number + 5
    let total =
      bounds.storeBytes + bounds.keyCount * (2 + 3 + 3 * number) + bounds.leases * (2 * number + 5)
      + bounds.locks * (2 + 2 * number + 2) + bounds.waiters * number
      + ControlLimits.membersMax * 33 + bounds.sessions * (8 + 3 * number)
      + bounds.results * (number + result) + bounds.idempotencyNames * (48 + result) + 1_024
    #expect(total < RaftSnapshotHead.chunksMax * RaftSnapshotHead.chunkBytes)
  }
}
