import Histories
import JSONText
import Primitives
import Testing

@Suite struct HistoryTextTests {
  /// One record of each operation with each of its results, with hard texts and numbers.
  static let everything: [HistoryRecord] = {
    let events = [
      WatchEvent(revision: 7, key: "a/\"x\"", value: "ü\n"),
      WatchEvent(revision: .max, key: "a/y", value: nil),
    ]
    let pairs: [(HistoryOperation, HistoryResult)] = [
      (.get, .value("", version: .max)), (.get, .absent), (.get, .refused),
      (.put(value: "\u{1F409}\\"), .written(version: 1)), (.put(value: "x"), .unknown),
      (.compareAndSet(expected: 0, value: "y"), .written(version: 2)),
      (.compareAndSet(expected: 5, value: "y"), .conflict(version: 0)),
      (.delete(expected: nil), .deleted(version: 3)), (.delete(expected: nil), .absent),
      (.delete(expected: 3), .deleted(version: nil)), (.delete(expected: 3), .conflict(version: 4)),
      (.lock, .acquired(token: 9)), (.lock, .held), (.unlock(token: 9), .released),
      (.unlock(token: 9), .lost), (.watch(after: 3), .observed(through: .max, events: events)),
    ]
    var records = pairs.enumerated().map { number, pair in
      HistoryRecord(
        client: number == 0 ? .max : UInt64(number), key: "a/\"x\"", operation: pair.0,
        result: pair.1, call: 10, answered: number == 1 ? .max : 10)
    }
    records.append(HistoryRecord(client: 1, key: "", operation: .put(value: "z"), call: 0))
    return records
  }()

  @Test func `what is written is read back`() throws {
    let history = History.of(Self.everything)
    var writer = HistoryWriter()
    let text = writer.text(of: history)
    #expect(try HistoryReader.read(text).records == history.records)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `runs are read back`(seed: UInt64) throws {
    var run = RegisterRun()
    run.unknownPercent = 20
    run.refusedPercent = 10
    let history = run.history(seed: seed)
    var writer = HistoryWriter()
    #expect(try HistoryReader.read(writer.text(of: history)).records == history.records)
  }

  @Test func `the format is a promise`() {
    var writer = HistoryWriter()
    var text: [UInt8] = []
    writer.append(
      HistoryRecord(
        client: 3, key: "k", operation: .compareAndSet(expected: 4, value: "v"),
        result: .written(version: 5), call: 100, answered: 250), to: &text)
    writer.append(HistoryRecord(client: 4, key: "k", operation: .get, call: 120), to: &text)
    let expected = """
      {"client":3,"op":"cas","key":"k","args":{"expected":4,"value":"v"},\
      "result":{"status":"ok","version":5},"call":100,"return":250}
      {"client":4,"op":"get","key":"k","args":{},"result":{"status":"unknown"},"call":120,\
      "return":null}

      """
    #expect(String(decoding: text, as: UTF8.self) == expected)
  }

  static let good = """
    {"client":1,"op":"put","key":"k","args":{"value":"v"},"result":{"status":"ok","version":5},\
    "call":1,"return":2}
    """

  @Test(arguments: [
    ("\"client\":1", "\"client\":-1", "\"client\" must be a whole number"),
    ("\"client\":1", "\"client\":1e3", "\"client\" must be a whole number"),
    ("\"client\":1", "\"client\":18446744073709551616", "\"client\" must be a whole number"),
    ("\"client\":1,", "", "\"client\" must be"),
    ("\"put\"", "\"push\"", "\"push\" is no operation"),
    ("\"key\":\"k\"", "\"key\":7", "\"key\" must be a string"),
    ("{\"value\":\"v\"}", "{}", "\"value\" must be a string"),
    ("{\"value\":\"v\"}", "{\"value\":\"v\",\"ttl\":1}", "\"ttl\" does not belong here"),
    ("{\"value\":\"v\"}", "[]", "\"args\" must be an object"),
    ("{\"status\":\"ok\",\"version\":5}", "null", "\"result\" must be an object"),
    ("\"ok\",\"version\":5", "\"ok\"", "\"version\" must be"),
    ("\"ok\",\"version\":5", "\"held\"", "put cannot have this result of status \"held\""),
    ("\"ok\",\"version\":5", "\"fine\"", "put cannot have this result of status \"fine\""),
    ("\"ok\",\"version\":5", "\"unknown\",\"version\":5", "\"version\" does not belong here"),
    ("\"return\":2", "\"return\":0", "\"return\" is earlier than \"call\""),
    ("\"return\":2", "\"return\":null", "\"return\" is null, but"),
    (",\"return\":2", "", "\"return\" must be"),
    ("\"call\":1", "\"call\":1,\"call\":1", "repeated"),
    ("\"call\":1", "\"at\":1", "\"at\" does not belong here"),
    ("}}", "}", "line 2"), ("\"return\":2}", "\"return\":2", "the text ends"),
  ])
  func `a wrong line is refused with its number`(part: String, other: String, message: String) {
    let pieces = Self.good.split(separator: part, omittingEmptySubsequences: false)
    let wrong = part == "}}" ? "}" : pieces.joined(separator: other)
    let error = #expect(throws: HistoryReadError.self) {
      try HistoryReader.read(Array("\(Self.good)\n\(wrong)\n".utf8))
    }
    #expect(error?.line == 2)
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "none")")
  }

  @Test func `limits hold`() throws {
    let two = Array("\(Self.good)\n\n\(Self.good)".utf8)
    #expect(try HistoryReader.read(two).records.count == 2)
    var limits = HistoryLimits()
    limits.recordsMax = 1
    let many = #expect(throws: HistoryReadError.self) {
      try HistoryReader.read(two, limits: limits)
    }
    #expect(many?.line == 3 && many?.reason == .tooManyRecords(limit: 1))
    limits.lineBytesMax = 50
    let long = #expect(throws: HistoryReadError.self) {
      try HistoryReader.read(two, limits: limits)
    }
    #expect(long?.line == 1 && long?.reason == .lineTooLong(limit: 50))
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `damaged texts are read or refused, never more`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var writer = HistoryWriter()
    let text = writer.text(of: History.of(Self.everything))
    for _ in 0..<25 {
      var damaged = text
      for _ in 0...random.next(below: 3) {
        damaged[random.next(below: damaged.count)] = UInt8(random.next(below: 256))
      }
      do {
        let history = try HistoryReader.read(damaged)
        #expect(history.records.count <= text.count)
      } catch {
        #expect(error.line >= 1 && error.line <= Self.everything.count + 4)
      }
    }
  }

  @Test func `a full history takes no more`() {
    var history = History(capacity: 2)
    let ticket = history.begin(client: 1, key: "k", operation: .get, at: 5)
    #expect(ticket != nil && !history.isFull)
    #expect(history.begin(client: 2, key: "k", operation: .get, at: 6) != nil)
    #expect(history.begin(client: 3, key: "k", operation: .get, at: 7) == nil)
    #expect(history.isFull && !history.append(Self.everything[0]))
    if let ticket { history.answer(ticket, .absent, at: 9) }
    #expect(history.records.map(\.result) == [.absent, .unknown])
    #expect(history.records[0].answered == 9)
  }
}
