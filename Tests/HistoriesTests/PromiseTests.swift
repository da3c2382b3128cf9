import Histories
import Testing

/// Revisions, locks and watches.
@Suite struct PromiseTests {
  private func record(
    _ key: String, _ operation: HistoryOperation, _ result: HistoryResult, _ call: UInt64,
    _ answered: UInt64?
  ) -> HistoryRecord {
    HistoryRecord(
      client: 1, key: key, operation: operation, result: result, call: call, answered: answered)
  }

  private func put(_ key: String, at version: UInt64, _ call: UInt64, _ answered: UInt64)
    -> HistoryRecord
  {
    record(key, .put(value: "\(key)\(version)"), .written(version: version), call, answered)
  }

  // MARK: Revisions

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `a real register keeps every promise`(seed: UInt64) {
    var run = RegisterRun()
    run.unknownPercent = 15
    let history = run.history(seed: seed)
    #expect(RevisionCheck.check(history).isEmpty)
    #expect(LockCheck.check(history).isEmpty && WatchCheck.check(history).isEmpty)
  }

  @Test func `revisions grow with time over all keys`() {
    let first = put("a", at: 7, 10, 20)
    #expect(RevisionCheck.check(.of([first, put("b", at: 6, 15, 30)])).isEmpty)
    let late = RevisionCheck.check(.of([first, put("b", at: 6, 21, 30)]))
    #expect(late.kept.map(\.rule) == [.revisionOrder] && late.kept[0].key == "b")
    let read = record("a", .get, .value("x", version: 9), 22, 25)
    #expect(RevisionCheck.check(.of([read, put("b", at: 8, 26, 30)])).count == 1)
    #expect(RevisionCheck.check(.of([read, put("b", at: 8, 24, 30)])).isEmpty)
  }

  @Test func `one revision is one change`() {
    let twice = RevisionCheck.check(.of([put("a", at: 7, 10, 20), put("b", at: 7, 12, 30)]))
    #expect(twice.kept.map(\.rule) == [.revisionOrder])
    #expect(twice.kept[0].detail.contains("revision 7 twice"))
  }

  // MARK: Locks

  private func grant(_ token: UInt64, _ call: UInt64, _ granted: UInt64) -> HistoryRecord {
    record("lock", .lock, .acquired(token: token), call, granted)
  }

  private func release(_ token: UInt64, _ result: HistoryResult, _ call: UInt64) -> HistoryRecord {
    record("lock", .unlock(token: token), result, call, call + 5)
  }

  @Test func `holds that follow each other are fine`() {
    let history = History.of([
      grant(1, 10, 20), release(1, .released, 30), grant(5, 15, 34), release(5, .released, 40),
      record("lock", .lock, .held, 21, 25), record("other", .lock, .acquired(token: 3), 12, 13),
    ])
    #expect(LockCheck.check(history).isEmpty)
  }

  @Test func `a lock granted while it is held is an overlap`() {
    let history = History.of([grant(1, 10, 20), release(1, .released, 30), grant(2, 15, 29)])
    let faults = LockCheck.check(history)
    #expect(faults.kept.map(\.rule) == [.lockOverlap])
    #expect(faults.kept[0].line.contains("token 2"))
  }

  @Test(arguments: [HistoryResult.lost, .unknown])
  func `a lock that may have expired proves no overlap`(result: HistoryResult) {
    let history = History.of([grant(1, 10, 20), release(1, result, 30), grant(2, 15, 29)])
    #expect(LockCheck.check(history).isEmpty)
  }

  @Test func `tokens neither go back nor repeat`() {
    #expect(LockCheck.check(.of([grant(5, 10, 20), grant(4, 15, 30)])).isEmpty)
    let back = LockCheck.check(.of([grant(5, 10, 20), grant(4, 21, 30)]))
    #expect(back.kept.map(\.rule) == [.tokenOrder])
    #expect(LockCheck.check(.of([grant(5, 10, 20), grant(5, 25, 30)])).isEmpty)
    let other = HistoryRecord(
      client: 2, key: "lock", operation: .lock, result: .acquired(token: 5), call: 15, answered: 30)
    let again = LockCheck.check(.of([grant(5, 10, 20), other]))
    #expect(again.kept.map(\.rule) == [.tokenOrder])
  }

  @Test func `an overlap is found behind holds in between`() {
    let history = History.of([
      grant(1, 10, 20), release(1, .released, 90), grant(2, 91, 95), release(2, .released, 96),
      grant(3, 30, 40),
    ])
    // Token 3 was granted during both holds, and before token 2 was asked for.
    #expect(Set(LockCheck.check(history).kept.map(\.rule)) == [.lockOverlap, .tokenOrder])
  }

  // MARK: Watches

  private func watch(_ after: UInt64, _ through: UInt64, _ events: [WatchEvent]) -> HistoryRecord {
    record("a", .watch(after: after), .observed(through: through, events: events), 100, 200)
  }

  private func event(_ key: String, _ revision: UInt64, removed: Bool = false) -> WatchEvent {
    WatchEvent(revision: revision, key: key, value: removed ? nil : "\(key)\(revision)")
  }

  private var writes: [HistoryRecord] {
    [
      put("a1", at: 3, 10, 20), put("b", at: 4, 10, 20), put("a2", at: 5, 10, 20),
      record("a1", .delete(expected: nil), .deleted(version: 6), 30, 40),
      record("a9", .put(value: "a98"), .unknown, 30, nil),
    ]
  }

  private func rules(_ watches: HistoryRecord...) -> [HistoryFault.Rule] {
    WatchCheck.check(.of(writes + watches)).kept.map(\.rule)
  }

  @Test func `a watch that delivers what was written is fine`() {
    let all = [event("a1", 3), event("a2", 5), event("a1", 6, removed: true)]
    #expect(rules(watch(0, 9, all)).isEmpty)
    #expect(rules(watch(3, 5, [all[1]]), watch(5, 7, [all[2]])).isEmpty)
    #expect(rules(watch(2, 9, all + [event("a9", 8)])).isEmpty)
    let pair = [put("a1", at: 8, 1, 2), put("a2", at: 8, 1, 2)]
    let both = watch(7, 9, [event("a1", 8), event("a2", 8)])
    #expect(WatchCheck.check(.of(pair + [both])).isEmpty)
    #expect(WatchCheck.check(.of(pair + [watch(7, 9, [event("a1", 8)])])).count == 1)
  }

  @Test func `a change that was not delivered is a gap`() {
    #expect(rules(watch(2, 6, [event("a1", 3), event("a2", 5)])) == [.watchGap])
    // Only the first watch shows that the unknown write happened; the second has to show it too.
    let all = [event("a1", 3), event("a2", 5), event("a1", 6, removed: true)]
    #expect(rules(watch(0, 9, all + [event("a9", 8)]), watch(0, 9, all)) == [.watchGap])
  }

  @Test func `order and repetition are seen`() {
    let removal = event("a1", 6, removed: true)
    #expect(rules(watch(0, 6, [event("a2", 5), event("a1", 3), removal])) == [.watchOrder])
    #expect(
      rules(watch(0, 6, [event("a1", 3), event("a1", 3), event("a2", 5), removal]))
        == [.watchOrder])
    #expect(rules(watch(3, 4, [event("a1", 3)])) == [.watchOrder])
    #expect(rules(watch(3, 4, [event("a2", 5)])) == [.watchOrder])
  }

  @Test func `what nobody wrote is an invention`() {
    #expect(rules(watch(6, 9, [event("a1", 7)])) == [.watchInvention])
    #expect(rules(watch(3, 4, [event("b", 4)])) == [.watchInvention])
    #expect(
      rules(watch(3, 5, [WatchEvent(revision: 5, key: "a2", value: "z")])) == [.watchInvention])
    // One unknown write cannot have happened at two revisions with different deliveries.
    #expect(rules(watch(6, 9, [WatchEvent(revision: 8, key: "a9", value: nil)])).count == 1)
  }

  @Test func `faults beyond the bound are counted`() {
    let many = (1...150).map { put("k\($0)", at: 1, 1, 2) }
    let faults = RevisionCheck.check(.of(many))
    #expect(faults.count == 149 && faults.kept.count == HistoryFaults.keptMax)
    var sum = faults
    sum.add(faults)
    #expect(sum.count == 298 && sum.kept.count == HistoryFaults.keptMax)
  }
}
