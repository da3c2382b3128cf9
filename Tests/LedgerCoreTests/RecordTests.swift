import Crypto
import LedgerCore
import Primitives
import Records
import Testing
import Wire

/// Tables with a short way to change records of one collection.
private struct Notes {
  var tables = LiveTables()
  var rows: [Row] = []

  init(_ policy: CollectionPolicy?) {
    if let policy { apply(.define(Samples.definition(policy: policy)), at: 1) }
  }

  mutating func apply(_ operation: LedgerOperation, at milliseconds: UInt64, lane: UInt64 = 1) {
    rows.removeAll()
    tables.apply(operation.encoded, at: Samples.stamp(milliseconds, lane: lane), into: &rows)
  }

  mutating func put(
    _ value: String = "1", priority: UInt8 = 0, seen: [RecordDot] = [], at milliseconds: UInt64,
    lane: UInt64 = 1
  ) {
    apply(
      .change(Samples.change(.put(value: value, priority: priority, seen: seen))),
      at: milliseconds, lane: lane)
  }

  mutating func delete(seen: [RecordDot] = [], at milliseconds: UInt64, lane: UInt64 = 1) {
    apply(
      .change(Samples.change(.delete(priority: 0, seen: seen))), at: milliseconds, lane: lane)
  }

  static let name = RecordName(collection: "notes", key: "first")

  var record: RecordSummary? { tables.record(Notes.name.record) }
  /// The times of the writes that stand.
  var standing: [UInt64]? { record?.writes.map(\.stamp.time.milliseconds) }
}

@Suite struct RecordTests {
  @Test func `a write replaces what it saw`() {
    var notes = Notes(.siblings)
    notes.put(at: 2)
    notes.put(seen: [Samples.dot(1, 2)], at: 3, lane: 2)
    #expect(notes.standing == [3])
    #expect(notes.record?.isConflict == false)
    #expect(notes.record?.seen == [Samples.dot(2, 3)])
    #expect(notes.rows.map(\.table) == [9, 8])
  }

  @Test func `writes that did not see one another stand side by side until one saw both`() {
    var notes = Notes(.siblings)
    notes.put(at: 2)
    notes.put(seen: [Samples.dot(1, 2)], at: 3, lane: 2)
    notes.delete(seen: [Samples.dot(1, 2)], at: 4, lane: 3)
    #expect(notes.standing == [3, 4])
    #expect(notes.record?.isConflict == true)
    #expect(notes.record?.writes.last?.isDelete == true)
    notes.put(seen: [Samples.dot(2, 3), Samples.dot(3, 4)], at: 9)
    #expect(notes.standing == [9])
    #expect(notes.rows.first?.values.last == .integer(9 << 16))
  }

  @Test func `two clients of one node can be concurrent`() {
    var notes = Notes(.siblings)
    notes.put(at: 2)
    notes.put(seen: [Samples.dot(1, 2)], at: 3)
    notes.put(seen: [Samples.dot(1, 2)], at: 4)
    #expect(notes.standing == [3, 4])
    #expect(notes.record?.seen == [Samples.dot(1, 3), Samples.dot(1, 4)])
  }

  @Test func `the last writer is shown and the others are a conflict`() {
    var notes = Notes(.lastWriter)
    notes.put(priority: 9, at: 2)
    notes.put(priority: 1, at: 3, lane: 2)
    #expect(notes.record?.winner?.stamp.time.milliseconds == 3)
    #expect(notes.record?.isConflict == true)
  }

  @Test func `the highest priority is shown among concurrent writes only`() {
    var notes = Notes(.priority)
    notes.put(priority: 5, at: 2)
    notes.put(priority: 5, at: 3, lane: 2)
    notes.put(priority: 1, at: 4, lane: 3)
    #expect(notes.record?.winner?.stamp.time.milliseconds == 3)
    notes.put(priority: 0, seen: [Samples.dot(1, 2), Samples.dot(2, 3)], at: 5)
    #expect(notes.standing == [4, 5])
    #expect(notes.record?.winner?.stamp.time.milliseconds == 4)
  }

  @Test func `counters add up and count a request once, whichever node it reached first`() {
    let request = RecordRequestID(high: 1, low: 1)
    var notes = Notes(.counter)
    notes.apply(.change(Samples.change(.add(delta: 5))), at: 2)
    notes.apply(.change(Samples.change(.add(delta: -7))), at: 3)
    notes.apply(.change(Samples.change(.add(delta: 10), request: request)), at: 9, lane: 2)
    #expect(notes.record?.total == 8)
    #expect(notes.record?.isConflict == false)
    notes.apply(.change(Samples.change(.add(delta: 10), request: request)), at: 8, lane: 3)
    #expect(notes.record?.total == 8)
    #expect(notes.tables.request(request, in: Notes.name.record)?.stamp.time.milliseconds == 8)
    notes.apply(.change(Samples.change(.add(delta: 10), request: request)), at: 10)
    #expect(notes.record?.total == 8)
  }

  @Test func `a counter goes beyond 64 bits`() {
    var notes = Notes(.counter)
    let most = LedgerLimits.deltaMagnitude
    for index in UInt64(0)..<2_000 {
      notes.apply(.change(Samples.change(.add(delta: most))), at: 2 + index)
    }
    #expect(notes.record?.total == Int128(most) * 2_000)
    #expect((notes.record?.total ?? 0) > Int128(Int64.max))
  }

  @Test func `an addition that a removal did not see keeps the element`() {
    var notes = Notes(.set)
    notes.apply(.change(Samples.change(.insert(element: "red", seen: []))), at: 2)
    notes.apply(.change(Samples.change(.insert(element: "red", seen: []))), at: 3, lane: 2)
    let remove = RecordAction.remove(element: "red", seen: [Samples.dot(1, 2)])
    notes.apply(.change(Samples.change(remove)), at: 4, lane: 3)
    #expect(notes.record?.elements == 1)
    #expect(notes.tables.additions(of: "red", in: Notes.name.record) == [Samples.dot(2, 3)])
    let removeAll = RecordAction.remove(element: "red", seen: [Samples.dot(2, 3)])
    notes.apply(.change(Samples.change(removeAll)), at: 5)
    #expect(notes.record?.elements == 0)
    notes.apply(.change(Samples.change(.insert(element: "red", seen: []))), at: 6)
    #expect(notes.record?.elements == 1)
  }

  @Test func `the earliest definition of a collection counts and loses nothing`() {
    var notes = Notes(nil)
    notes.put(at: 5)
    notes.apply(.change(Samples.change(.add(delta: 4))), at: 6)
    #expect(notes.record == nil)
    notes.apply(.define(Samples.definition(policy: .counter)), at: 9, lane: 2)
    #expect(notes.record?.policy == .counter)
    #expect(notes.record?.total == 4)
    notes.apply(.define(Samples.definition(policy: .lastWriter)), at: 8, lane: 3)
    #expect(notes.record?.winner?.stamp.time.milliseconds == 5)
    notes.apply(.define(Samples.definition(policy: .set)), at: 10)
    #expect(notes.tables.collection("notes")?.policy == .lastWriter)
    #expect(notes.tables.counts.collections == 1)
    #expect(notes.tables.counts.records == 1)
  }

  @Test func `nobody supersedes what is yet to be written`() {
    var notes = Notes(.siblings)
    notes.put(seen: [Samples.dot(2, 7), Samples.dot(2, 6), Samples.dot(2, 5)].sorted(), at: 6)
    notes.put(at: 7, lane: 2)
    #expect(notes.standing == [6, 7])
    var early = Notes(.siblings)
    early.put(seen: [Samples.dot(2, 5)], at: 6)
    early.put(at: 5, lane: 2)
    #expect(early.standing == [6])
  }

  @Test func `a lane has a bounded number of writes beside one another`() {
    var notes = Notes(.siblings)
    for index in UInt64(0)..<9 { notes.put(at: 2 + index) }
    #expect(notes.standing == [7, 8, 9, 10])
    notes.put(seen: [Samples.dot(1, 9)], at: 11)
    #expect(notes.standing == [10, 11])
  }

  @Test func `beyond so many lanes the oldest ones are forgotten on every node alike`() {
    var notes = Notes(.siblings)
    for lane in UInt64(2)...66 { notes.put(at: lane, lane: lane) }
    #expect(notes.standing == (3...66).map { $0 })
    notes.put(at: 100)
    #expect(notes.standing == (4...66).map { $0 } + [100])
    // At the floor and below nothing stands any more, whoever comes late.
    notes.put(at: 3, lane: 70)
    #expect(notes.standing == (4...66).map { $0 } + [100])
    #expect(notes.record?.seen.count == LedgerLimits.seenCount.upperBound)
  }

  @Test func `a write of more than can be named supersedes all by the last of each lane`() {
    var notes = Notes(.siblings)
    for lane in UInt64(2)...40 {
      notes.put(at: lane, lane: lane)
      notes.put(at: lane + 50, lane: lane)
    }
    let seen = notes.record?.seen ?? []
    #expect(seen.count == 39)
    notes.put(seen: seen, at: 200)
    #expect(notes.standing == [200])
  }

  @Test func `names and elements that Swift calls equal are different`() {
    let composed = RecordName(collection: "notes", key: "\u{e9}")
    let decomposed = RecordName(collection: "notes", key: "e\u{301}")
    #expect(composed.record != decomposed.record)
    #expect(
      RecordName(collection: "ab", key: "c").record
        != RecordName(collection: "a", key: "bc").record)
  }

  @Test func `the fingerprint of a request leaves out what was seen and nothing else`() {
    let put = Samples.change(.put(value: "1", priority: 1, seen: []))
    let others = [
      Samples.change(.put(value: "2", priority: 1, seen: [])),
      Samples.change(.put(value: "1", priority: 2, seen: [])),
      Samples.change(.put(value: "1", priority: 1, seen: []), of: "second"),
      Samples.change(.put(value: "1", priority: 1, seen: []), in: "other"),
      Samples.change(.put(value: "1", priority: 1, seen: []), by: Samples.bob),
      Samples.change(.delete(priority: 1, seen: [])), Samples.change(.add(delta: 1)),
      Samples.change(.add(delta: -1)), Samples.change(.insert(element: "1", seen: [])),
      Samples.change(.remove(element: "1", seen: [])),
    ]
    let prints = ([put] + others).map(\.fingerprint)
    #expect(Set(prints).count == prints.count)
    let seen = Samples.change(.put(value: "1", priority: 1, seen: [Samples.dot(1, 1)]))
    #expect(seen.fingerprint == put.fingerprint)
  }
}
