import ControlCore
import Primitives
import Records
import Testing

@Suite struct WatchTests {
  private func events(_ answer: ControlWatchAnswer) -> (records: [ControlEventRecord], UInt64)? {
    guard case .events(let records, let through) = answer else { return nil }
    return (records, through)
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `a watch that resumes sees every event once, in order, revisions whole`(
    seed: UInt64
  ) throws {
    var source = CommandSource(seed: seed)
    var steps = Steps()
    let filter = ControlFilter(
      keyPrefixes: [Array("a/".utf8), Array("b".utf8)], lockPrefixes: [[]], leases: true)
    var all: [ControlEventRecord] = []
    var seen: [ControlEventRecord] = []
    var cursor: UInt64 = 0
    for _ in 0..<500 {
      let before = steps.state.revision
      steps.apply(from: &source)
      let added = try #require(
        events(steps.state.events(after: before, matching: filter, limit: 10_000)))
      all += added.records
      guard source.once(in: 20) else { continue }
      repeat {
        let page = try #require(
          events(steps.state.events(after: cursor, matching: filter, limit: 3)))
        #expect(page.1 > cursor || page.1 == steps.state.revision)
        #expect(page.records.allSatisfy { $0.revision > cursor && $0.revision <= page.1 })
        seen += page.records
        cursor = page.1
      } while cursor < steps.state.revision
    }
    #expect(seen == all.filter { $0.revision <= cursor } && seen.count > 40)
  }

  @Test func `a watch from before the history is told to start anew`() throws {
    var bounds = ControlBounds()
    bounds.historyEvents = 10
    var steps = Steps(bounds: bounds)
    let key = try name("k")
    for number in 0..<25 as Range<UInt8> { steps.apply(.put(key: key, value: [number])) }
    let filter = ControlFilter(keyPrefixes: [[]])
    #expect(steps.state.historyFloor == 15 && steps.state.counts.historyEvents == 10)
    #expect(steps.state.events(after: 14, matching: filter) == .compacted(oldest: 15))
    let rest = try #require(events(steps.state.events(after: 15, matching: filter)))
    #expect(rest.records.map(\.revision) == Array(16...25) && rest.1 == 25)
    // A follower that is behind what the watch has seen has nothing to tell yet.
    #expect(steps.state.events(after: 30, matching: filter) == .events([], through: 30))
    let restored = try ControlState(snapshot: steps.state.snapshotBytes, through: 25)
    #expect(restored.events(after: 24, matching: filter) == .compacted(oldest: 25))
    #expect(restored.events(after: 25, matching: filter) == .events([], through: 25))
  }

  @Test func `revisions leave the history whole`() throws {
    var bounds = ControlBounds()
    bounds.historyEvents = 6
    var steps = Steps(bounds: bounds)
    let lease = try steps.lease()
    for number in 0..<4 { steps.apply(.put(key: try name("k\(number)"), value: [], lease: lease)) }
    steps.apply(.revokeLease(lease))
    let filter = ControlFilter(keyPrefixes: [[]], leases: true)
    let end = steps.state.revision
    let whole = try #require(events(steps.state.events(after: end - 1, matching: filter, limit: 1)))
    #expect(whole.records.count == 5 && whole.1 == end)
    steps.apply(.put(key: try name("k"), value: []))
    // Six events remain within the bound; one more takes the whole revision of the lease's end.
    #expect(steps.state.counts.historyEvents == 6)
    steps.apply(.put(key: try name("k"), value: []))
    #expect(steps.state.counts.historyEvents == 2 && steps.state.historyFloor == end)
  }

  @Test func `large values push old events out by their bytes`() throws {
    var steps = Steps()
    let value = [UInt8](repeating: 1, count: ControlLimits.valueBytesMax)
    for _ in 0..<300 { steps.apply(.put(key: try name("k"), value: value)) }
    let counts = steps.state.counts
    #expect(counts.historyBytes <= ControlBounds.standard.historyBytes)
    #expect(counts.historyEvents == ControlBounds.standard.historyBytes / (64 + 1 + value.count))
  }

  @Test func `a narrow watch looks at a bounded number of events at a time`() throws {
    var steps = Steps()
    for _ in 0..<9_000 { steps.apply(.put(key: try name("k"), value: [])) }
    let filter = ControlFilter(keyPrefixes: [Array("other".utf8)])
    #expect(steps.state.events(after: 0, matching: filter) == .events([], through: 8_192))
    #expect(steps.state.events(after: 8_192, matching: filter) == .events([], through: 9_000))
  }
}
