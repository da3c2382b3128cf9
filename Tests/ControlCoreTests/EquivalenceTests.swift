import ControlCore
import Primitives
import Testing

@Suite struct EquivalenceTests {
  /// Bounds that random commands reach.
  static let small: ControlBounds = {
    var bounds = ControlBounds()
    bounds.storeBytes = 160
    bounds.keyCount = 6
    bounds.leases = 5
    bounds.attachmentsPerLease = 4
    bounds.locks = 4
    bounds.waiters = 4
    bounds.sessions = 4
    bounds.resultsPerSession = 6
    bounds.results = 15
    bounds.idempotencyNames = 10
    bounds.historyEvents = 60
    bounds.historyBytes = 5_000
    return bounds
  }()

  private static let everything = ControlFilter(keyPrefixes: [[]], lockPrefixes: [[]], leases: true)

  private func expectEqual(_ state: ControlState, _ plain: PlainState) {
    #expect(state.brokenInvariant == nil)
    #expect(state.revision == plain.revision)
    let keys = plain.keys.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    let entries = keys.compactMap { key in
      ControlName(validating: key.name).map {
        ControlEntry(
          key: $0, value: key.value, version: key.version, created: key.created,
          lease: LeaseID(key.lease))
      }
    }
    #expect(state.answer(.list(prefix: [])).content == .entries(entries, more: false))
    let leases = plain.leases.sorted { $0.key < $1.key }.compactMap { lease in
      LeaseID(lease.key).map {
        ControlLease(
          id: $0, ttlMilliseconds: lease.value.ttl, renewals: lease.value.renewals,
          attachments: UInt32(plain.attachments(lease.key)))
      }
    }
    #expect(state.leases == leases)
    let locks = plain.locks.sorted { $0.name.lexicographicallyPrecedes($1.name) }
      .compactMap { lock in
        let queue = lock.queue.compactMap { LeaseID($0) }
        return ControlName(validating: lock.name).map {
          ControlLock(
            name: $0, holder: queue[0], token: lock.token, waiters: Array(queue.dropFirst()))
        }
      }
    #expect(state.answer(.locks(prefix: [])).content == .locks(locks, more: false))
    let members = plain.roles.sorted { $0.key < $1.key }
    #expect(state.members == members.map { ControlMember(node: $0.key, role: $0.value) })
    for setting in ControlSetting.allCases {
      #expect(state.settings[setting] == plain.settings[setting] ?? setting.standard)
    }
    #expect(state.counts.storeBytes == plain.bytes)
    #expect(state.counts.sessions == plain.sessions.count)
    #expect(state.counts.idempotencyNames == plain.names.count)
    let later = plain.events.filter { $0.revision > state.historyFloor }
    #expect(
      state.events(after: state.historyFloor, matching: EquivalenceTests.everything)
        == .events(later, through: plain.revision))
  }

  private func run(_ bounds: ControlBounds, seed: UInt64, commands: Int) throws {
    var source = CommandSource(seed: seed)
    var state = ControlState(bounds: bounds)
    var plain = PlainState(bounds: bounds)
    // A replica that never starts from a snapshot.
    var replica = state
    var (notices, index): ([ControlNotice], UInt64) = ([], 0)
    for round in 0..<commands {
      index += source.once(in: 10) ? 3 : 1
      let command = source.next(index: index)
      notices.removeAll()
      let result = state.apply(command, index: index, into: &notices)
      let expected = plain.apply(command, index: index)
      #expect(result == expected, "\(command) at \(index)")
      source.learn(result, of: command, at: index)
      var same: [ControlNotice] = []
      #expect(replica.apply(command, index: index, into: &same) == result)
      #expect(same == notices)
      if round % 25 == 24 { expectEqual(state, plain) }
      if source.once(in: 40) {
        let bytes = state.snapshotBytes
        #expect(bytes == replica.snapshotBytes)
        state = try ControlState(snapshot: bytes, through: index, bounds: bounds)
        #expect(state.historyFloor == state.revision)
        #expect(state.snapshotBytes == bytes && state.digest == replica.digest)
      }
    }
    expectEqual(state, plain)
    expectEqual(replica, plain)
    #expect(state.snapshotBytes == replica.snapshotBytes)
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func `the state does what the plain rules say, at its bounds`(seed: UInt64) throws {
    try run(EquivalenceTests.small, seed: seed, commands: 500)
  }

  @Test(arguments: 100..<108 as Range<UInt64>)
  func `the state does what the plain rules say, far from its bounds`(seed: UInt64) throws {
    try run(.standard, seed: seed, commands: 500)
  }

  /// The name of the case that happened.
  private static func kind(_ outcome: ControlOutcome) -> String {
    let shown: String
    if case .refused(let refusal) = outcome {
      shown = "\(refusal)"
    } else {
      shown = "\(outcome)"
    }
    return String(shown.prefix { $0 != "(" })
  }

  @Test func `the random commands meet every outcome and every refusal but one`() {
    var kinds: Set<String> = []
    var noticed: Set<String> = []
    for seed in 0..<16 as Range<UInt64> {
      var source = CommandSource(seed: seed)
      var state = ControlState(bounds: EquivalenceTests.small)
      for index in 1...500 as ClosedRange<UInt64> {
        var notices: [ControlNotice] = []
        let command = source.next(index: index)
        let result = state.apply(command, index: index, into: &notices)
        source.learn(result, of: command, at: index)
        kinds.insert(EquivalenceTests.kind(result.outcome))
        for notice in notices { noticed.insert(String("\(notice)".prefix { $0 != "(" })) }
      }
    }
    let outcomes: Set = [
      "put", "deleted", "leaseGranted", "leaseRenewed", "leaseEnded", "lockHeld", "lockQueued",
      "lockReleased", "waitCancelled", "memberChanged", "settingChanged", "unchanged",
    ]
    // Not `tooManyMembers`, which has a test of its own.
    let refusals: Set = [
      "conditionFailed", "storeFull", "leaseUnknown", "leaseOutOfRange", "tooManyLeases",
      "leaseFull", "lockTaken", "tooManyWaiters", "notHolder", "staleToken", "memberRemoved",
      "lastVoter", "settingOutOfRange", "idempotencyReused", "stale", "sessionExpired",
      "tooManyUnacknowledged",
    ]
    #expect(kinds == outcomes.union(refusals))
    #expect(
      noticed == [
        "eventsAdded", "lockGranted", "waitEnded", "leaseArmed", "leaseGone", "memberChanged",
        "settingChanged", "sessionForgotten",
      ])
  }

  @Test func `equal states that came about differently have equal bytes`() throws {
    let names = CommandSource.names
    var forward = ControlState()
    var backward = ControlState()
    var notices: [ControlNotice] = []
    // Both end with the same versions: all keys are written and deleted in other orders first.
    for (number, name) in (names + names.reversed()).enumerated() {
      let index = UInt64(number + 1)
      let isDeletion = number >= names.count
      let other = isDeletion ? name : names.reversed()[number]
      _ = forward.apply(
        ControlCommand(
          operation: isDeletion ? .delete(key: name) : .put(key: name, value: [1])),
        index: index, into: &notices)
      _ = backward.apply(
        ControlCommand(
          operation: isDeletion ? .delete(key: other) : .put(key: other, value: [2])),
        index: index, into: &notices)
    }
    #expect(forward.revision == backward.revision && forward.counts.keys == 0)
    for (number, name) in names.enumerated() {
      let put = ControlCommand(operation: .put(key: name, value: [3]))
      let index = UInt64(100 + number)
      #expect(
        forward.apply(put, index: index, into: &notices)
          == backward.apply(put, index: index, into: &notices))
    }
    #expect(forward.snapshotBytes == backward.snapshotBytes)
    #expect(forward.digest == backward.digest)
    _ = forward.apply(
      ControlCommand(operation: .delete(key: names[0])), index: 200, into: &notices)
    #expect(forward.digest != backward.digest)
  }
}
