import ControlCore
import Primitives
import Records
import Testing

@Suite struct LockTests {
  @Test func `waiters get the lock first come first, each with a greater token`() throws {
    var steps = Steps()
    let door = try name("door")
    let leases = try (0..<5).map { _ in try steps.lease() }
    for (number, lease) in leases.enumerated() {
      let outcome = steps.apply(.acquireLock(name: door, lease: lease, wait: true))
      #expect(
        outcome
          == (number == 0
            ? .lockHeld(token: steps.state.revision) : .lockQueued(ahead: UInt32(number - 1))))
    }
    var tokens: [UInt64] = []
    for (number, lease) in leases.enumerated() {
      let lock = try #require(steps.lock(door))
      #expect(lock.holder == lease && lock.waiters == Array(leases.dropFirst(number + 1)))
      tokens.append(lock.token)
      // Acquiring again tells the same token and changes nothing.
      let revision = steps.state.revision
      #expect(
        steps.apply(.acquireLock(name: door, lease: lease, wait: false))
          == .lockHeld(token: lock.token))
      #expect(steps.state.revision == revision)
      #expect(
        steps.apply(.releaseLock(name: door, lease: lease, token: lock.token)) == .lockReleased)
      let next = leases.dropFirst(number + 1).first
      #expect(
        steps.notices.contains { notice in
          guard case .lockGranted(door, let lease, let token) = notice else { return false }
          return lease == next && token == steps.state.revision
        } == (next != nil))
    }
    #expect(steps.lock(door) == nil && steps.state.counts.storeBytes == 0)
    #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `a lock's tokens never go back, whoever holds it and however it is lost`(
    seed: UInt64
  ) throws {
    var source = CommandSource(seed: seed)
    var steps = Steps(bounds: EquivalenceTests.small)
    var latest: [ControlName: (token: UInt64, holder: LeaseID)] = [:]
    var takeovers = 0
    for _ in 0..<600 {
      steps.apply(from: &source)
      for name in CommandSource.names {
        guard let lock = steps.lock(name) else { continue }
        if let former = latest[name] {
          #expect(lock.token >= former.token)
          if lock.holder != former.holder { #expect(lock.token > former.token) }
          if lock.token != former.token { takeovers += 1 }
        }
        latest[name] = (lock.token, lock.holder)
      }
    }
    #expect(takeovers > 0)
  }

  @Test func `a holder with an old token cannot release the lock that it got again`() throws {
    var steps = Steps()
    let door = try name("door")
    let lease = try steps.lease()
    steps.apply(.acquireLock(name: door, lease: lease, wait: false))
    let old = steps.state.revision
    steps.apply(.releaseLock(name: door, lease: lease))
    steps.apply(.acquireLock(name: door, lease: lease, wait: false))
    let new = steps.state.revision
    #expect(
      steps.apply(.releaseLock(name: door, lease: lease, token: old))
        == .refused(.staleToken(token: new)))
    #expect(steps.lock(door)?.token == new)
  }

  @Test func `who does not wait is told who holds the lock`() throws {
    var steps = Steps()
    let door = try name("door")
    let (first, second) = (try steps.lease(), try steps.lease())
    steps.apply(.acquireLock(name: door, lease: first, wait: true))
    let token = steps.state.revision
    #expect(
      steps.apply(.acquireLock(name: door, lease: second, wait: false))
        == .refused(.lockTaken(holder: first, token: token)))
    #expect(
      steps.apply(.releaseLock(name: door, lease: second)) == .refused(.notHolder))
    #expect(steps.state.revision == token)
  }

  @Test func `the queue of a lock has an end`() throws {
    var steps = Steps()
    let door = try name("door")
    var leases: [LeaseID] = []
    for _ in 0..<ControlLimits.waitersPerLockMax + 2 { leases.append(try steps.lease()) }
    let outcomes = leases.map { steps.apply(.acquireLock(name: door, lease: $0, wait: true)) }
    #expect(outcomes.dropLast().last == .lockQueued(ahead: 1_023))
    #expect(outcomes.last == .refused(.tooManyWaiters))
    let restored = try ControlState(snapshot: steps.state.snapshotBytes, through: steps.index)
    #expect(restored.snapshotBytes == steps.state.snapshotBytes)
    // Who leaves makes room.
    steps.apply(.cancelWait(name: door, lease: leases[5]))
    let last = try #require(leases.last)
    #expect(
      steps.apply(.acquireLock(name: door, lease: last, wait: true)) == .lockQueued(ahead: 1_023))
  }

  @Test func `a wait that was granted meanwhile is not cancelled but told`() throws {
    var steps = Steps()
    let door = try name("door")
    let (first, second) = (try steps.lease(), try steps.lease())
    steps.apply(.acquireLock(name: door, lease: first, wait: true))
    steps.apply(.acquireLock(name: door, lease: second, wait: true))
    #expect(steps.apply(.cancelWait(name: door, lease: second)) == .waitCancelled)
    #expect(steps.notices == [.waitEnded(name: door, lease: second)])
    #expect(steps.apply(.cancelWait(name: door, lease: second)) == .unchanged)
    steps.apply(.acquireLock(name: door, lease: second, wait: true))
    steps.apply(.releaseLock(name: door, lease: first))
    #expect(
      steps.apply(.cancelWait(name: door, lease: second))
        == .lockHeld(token: steps.state.revision))
    #expect(steps.lock(door)?.holder == second)
  }

  @Test func `a lease that ends gives up keys, locks and waits at one revision`() throws {
    var steps = Steps()
    let (door, gate) = (try name("door"), try name("gate"))
    let (mine, other) = (try name("mine"), try name("other"))
    let (dying, living) = (try steps.lease(), try steps.lease())
    steps.apply(.put(key: mine, value: [1], lease: dying))
    let version = steps.state.revision
    // A key that was attached and is written without the lease stays.
    steps.apply(.put(key: other, value: [1], lease: dying))
    steps.apply(.put(key: other, value: [2]))
    steps.apply(.acquireLock(name: door, lease: dying, wait: false))
    let token = steps.state.revision
    steps.apply(.acquireLock(name: door, lease: living, wait: true))
    steps.apply(.acquireLock(name: gate, lease: living, wait: true))
    steps.apply(.acquireLock(name: gate, lease: dying, wait: true))
    let before = steps.state.revision
    #expect(
      steps.apply(.expireLease(dying, renewals: 0)) == .leaseEnded(dying, keys: 1, locks: 1))
    #expect(steps.state.revision == before + 1)
    let events: [ControlEvent] = [
      .deleted(key: mine, formerVersion: version),
      .lockReleased(name: door, lease: dying, token: token),
      .lockGranted(name: door, lease: living),
      .leaseGone(dying, expired: true),
    ]
    let filter = ControlFilter(keyPrefixes: [[]], lockPrefixes: [[]], leases: true)
    #expect(
      steps.state.events(after: before, matching: filter)
        == .events(
          events.map { ControlEventRecord(revision: before + 1, event: $0) }, through: before + 1))
    #expect(
      steps.notices == [
        .lockGranted(name: door, lease: living, token: before + 1),
        .waitEnded(name: gate, lease: dying), .leaseGone(dying),
        .eventsAdded(revision: before + 1),
      ])
    #expect(steps.entry(mine) == nil && steps.entry(other)?.value == [2])
    #expect(steps.lock(gate)?.waiters == [])
    #expect(steps.state.brokenInvariant == nil)
  }

  @Test func `a lease that was renewed in time does not expire`() throws {
    var steps = Steps()
    let lease = try steps.lease()
    #expect(
      steps.notices == [.leaseArmed(lease, ttlMilliseconds: 1_000, renewals: 0)])
    #expect(
      steps.apply(.renewLease(lease))
        == .leaseRenewed(lease, ttlMilliseconds: 1_000, renewals: 1))
    #expect(
      steps.notices == [.leaseArmed(lease, ttlMilliseconds: 1_000, renewals: 1)])
    #expect(steps.apply(.expireLease(lease, renewals: 0)) == .unchanged)
    #expect(
      steps.apply(.expireLease(lease, renewals: 1)) == .leaseEnded(lease, keys: 0, locks: 0))
    #expect(steps.apply(.renewLease(lease)) == .refused(.leaseUnknown))
    #expect(steps.apply(.revokeLease(lease)) == .refused(.leaseUnknown))
  }
}
