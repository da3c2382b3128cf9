import ControlCore
import Primitives
import Records
import Testing
import Wire

@Suite struct SessionTests {
  private func command(
    _ session: UInt64, _ sequence: UInt64, openedAt: UInt64 = 0, below: UInt64 = 1,
    name: UInt64? = nil, _ operation: ControlOperation
  ) -> ControlCommand {
    ControlCommand(
      session: ControlSession(number: session, openedAt: openedAt), sequence: sequence,
      acknowledgedBelow: below, idempotency: name.map { Identifier(high: 0, low: $0) },
      operation: operation)
  }

  @Test func `a repeated command returns its result and changes nothing`() throws {
    var steps = Steps()
    let key = try name("k")
    let create = command(7, 1, .put(key: key, value: [1], condition: .mustBeAbsent))
    let first = steps.apply(create)
    #expect(first.outcome == .put(created: 1, formerVersion: 0))
    #expect(steps.apply(create) == first && steps.notices.isEmpty)
    // Also after others, and through a snapshot.
    steps.apply(command(7, 2, .delete(key: key)))
    steps.state = try ControlState(snapshot: steps.state.snapshotBytes, through: steps.index)
    #expect(steps.apply(create) == first && steps.entry(key) == nil)
  }

  @Test func `what is acknowledged is forgotten, and a late copy of it is stale`() throws {
    var steps = Steps()
    let key = try name("k")
    steps.apply(command(7, 1, .put(key: key, value: [1])))
    steps.apply(command(7, 2, below: 2, .put(key: key, value: [2])))
    #expect(steps.state.counts.results == 1)
    let late = steps.apply(command(7, 1, .put(key: key, value: [1])))
    #expect(late.outcome == .refused(.stale) && steps.entry(key)?.value == [2])
  }

  @Test func `a forgotten session's command is never applied again`() throws {
    var bounds = ControlBounds()
    bounds.sessions = 2
    var steps = Steps(bounds: bounds)
    let key = try name("k")
    let lost = command(1, 1, .put(key: key, value: [1]))
    steps.apply(lost)
    steps.apply(command(2, 1, .put(key: key, value: [2])))
    steps.apply(command(3, 1, .put(key: key, value: [3])))
    #expect(steps.notices.contains(.sessionForgotten(number: 1)))
    #expect(steps.apply(lost).outcome == .refused(.sessionExpired))
    #expect(steps.entry(key)?.value == [3])
    // Nor after a restart from a snapshot.
    steps.state = try ControlState(
      snapshot: steps.state.snapshotBytes, through: steps.index, bounds: bounds)
    #expect(steps.apply(lost).outcome == .refused(.sessionExpired))
    // A session that is opened now is let in.
    let fresh = command(4, 1, openedAt: steps.index, .put(key: key, value: [4]))
    #expect(!steps.apply(fresh).isRefused)
  }

  @Test func `a session that acknowledges nothing is stopped, not forgotten`() throws {
    var bounds = ControlBounds()
    bounds.resultsPerSession = 3
    var steps = Steps(bounds: bounds)
    let key = try name("k")
    for sequence in 1...3 as ClosedRange<UInt64> {
      steps.apply(command(1, sequence, .put(key: key, value: [])))
    }
    let fourth = command(1, 4, .put(key: key, value: []))
    #expect(steps.apply(fourth).outcome == .refused(.tooManyUnacknowledged))
    #expect(steps.apply(command(1, 3, .put(key: key, value: []))).revision == 3)
    // The same command goes through once there is room.
    steps.apply(command(1, 5, below: 3, .delete(key: key)))
    #expect(!steps.apply(fourth).isRefused)
  }

  @Test func `a name stands for one operation, through whatever session it comes`() throws {
    var steps = Steps()
    let (key, other) = (try name("k"), try name("other"))
    let first = steps.apply(command(1, 1, name: 5, .put(key: key, value: [1])))
    let again = steps.apply(command(2, 1, name: 5, .put(key: key, value: [1])))
    #expect(again == first && steps.state.revision == 1)
    #expect(
      steps.apply(command(2, 2, name: 5, .put(key: other, value: [1]))).outcome
        == .refused(.idempotencyReused))
    #expect(steps.apply(command(2, 1, name: 5, .put(key: key, value: [1]))) == first)
    // A refusal is a decision too.
    let refused = command(1, 2, name: 6, .put(key: key, value: [2], condition: .mustBeAbsent))
    let refusal = steps.apply(refused)
    #expect(refusal.outcome == .refused(.conditionFailed(version: 1)))
    steps.apply(.delete(key: key))
    #expect(
      steps.apply(command(2, 3, name: 6, .put(key: key, value: [2], condition: .mustBeAbsent)))
        == refusal)
  }

  @Test func `the oldest names leave first`() throws {
    var bounds = ControlBounds()
    bounds.idempotencyNames = 3
    var steps = Steps(bounds: bounds)
    let key = try name("k")
    for number in 1...4 as ClosedRange<UInt64> {
      steps.apply(command(1, number, name: number, .put(key: key, value: [])))
    }
    let known = steps.apply(command(1, 5, name: 2, .put(key: key, value: [])))
    #expect(known.revision == 2)
    let unknown = steps.apply(command(1, 6, name: 1, .put(key: key, value: [])))
    #expect(unknown.revision == 5)
  }

  @Test func `parts of a command that do not fit are refused on the wire and stop the process`()
    async throws
  {
    let good = command(7, 3, below: 3, .delete(key: try name("k"))).encoded
    #expect(try ControlCommand(decoding: good).sequence == 3)
    // The bytes after the session's number and index are the sequence and the acknowledgement.
    for (sequence, below) in [(0, 0), (2, 3)] as [(UInt8, UInt8)] {
      var bad = good
      (bad[9], bad[10]) = (sequence, below)
      #expect(throws: (any Error).self) { try ControlCommand(decoding: bad) }
    }
    var unnumbered = good
    for place in 0..<8 { unnumbered[place] = 0 }
    #expect(throws: (any Error).self) { try ControlCommand(decoding: unnumbered) }
    await #expect(processExitsWith: .failure) {
      _ = ControlCommand(sequence: 1, operation: .setSetting(.votersMax, value: 1))
    }
  }
}
