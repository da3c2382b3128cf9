internal import Configuration
internal import JSONText
internal import NodeRuntime

/// The verb that compares the two ways in which a fresh node comes to what others have.
enum BootstrapBench {
  static let verb = Verb(
    "bench bootstrap", group: .check,
    summary: "Measure how soon a fresh node has what others have",
    details: """
      Makes a peer with N operations in a temporary directory: signed lanes, live
      tables, certified blocks, executed ledger. Then a fresh node joins by the peer's
      snapshot, checking every part, and another one replays everything: bundle by
      bundle and block by block. Both use a node's own parts and write its databases,
      without a network in between; both must come to the peer's root and to the same
      live tables, else the verb fails. Use a release build.
      """,
    options: [
      .value("operations", "N", "the peer has N operations (default: 1000000)"), .output,
    ],
    examples: [
      Verb.Example("bench bootstrap --operations 100000", "a quick look"),
      Verb.Example("bench bootstrap -o json", "a million operations, for programs"),
    ]
  ) { arguments, console in
    let operations = try arguments.integer(
      "operations", in: 1...100_000_000, default: 1_000_000)
    let directory = try TemporaryDirectory.make("swarmoracle-bootstrap")
    defer {
      do {
        try TemporaryDirectory.remove(directory)
      } catch {
        console.error("\(error)")
      }
    }
    let benchmark = BootstrapBenchmark(operations: operations, directory: directory) {
      BenchClock.nanoseconds
    }
    let result = try benchmark.run { console.error($0) }
    console.write(
      arguments.wantsJSON
        ? String(decoding: JSONLayout.bytes(json(result, operations)), as: UTF8.self)
        : text(result, operations, console))
    guard result.isEqual else {
      console.error("the two nodes did not come to the peer's state")
      return 1
    }
    return 0
  }

  private static func json(_ result: BootstrapBenchmark.Result, _ operations: Int) -> JSONValue {
    func milliseconds(_ nanoseconds: UInt64) -> JSONValue {
      .integer(Int64(nanoseconds / 1_000_000))
    }
    return .object([
      JSONMember(key: "operations", value: .integer(Int64(operations))),
      JSONMember(key: "rows", value: .integer(Int64(result.rows))),
      JSONMember(key: "parts", value: .integer(Int64(result.parts))),
      JSONMember(key: "snapshotBytes", value: .integer(Int64(result.partBytes))),
      JSONMember(key: "bundleBytes", value: .integer(Int64(result.bundleBytes))),
      JSONMember(key: "exportMilliseconds", value: milliseconds(result.exportNanoseconds)),
      JSONMember(key: "fetchMilliseconds", value: milliseconds(result.fetchNanoseconds)),
      JSONMember(key: "installMilliseconds", value: milliseconds(result.installNanoseconds)),
      JSONMember(key: "openMilliseconds", value: milliseconds(result.openNanoseconds)),
      JSONMember(key: "snapshotMilliseconds", value: milliseconds(result.snapshotNanoseconds)),
      JSONMember(key: "replayMilliseconds", value: milliseconds(result.replayNanoseconds)),
      JSONMember(key: "equal", value: .bool(result.isEqual)),
    ])
  }

  private static func text(
    _ result: BootstrapBenchmark.Result, _ operations: Int, _ console: Console
  ) -> String {
    func seconds(_ nanoseconds: UInt64) -> String {
      "\(nanoseconds / 1_000_000_000).\(nanoseconds % 1_000_000_000 / 100_000_000)"
    }
    func megabytes(_ bytes: UInt64) -> String { "\(bytes / 1_000_000) MB" }
    var table = Table([
      (title: "FRESH NODE", alignment: .left), (title: "SECONDS", alignment: .right),
      (title: "FROM", alignment: .left),
    ])
    table.append([
      .init("by snapshot"), .init(seconds(result.snapshotNanoseconds)),
      .init("\(result.parts) parts, \(result.rows) rows, \(megabytes(result.partBytes))"),
    ])
    table.append([
      .init("  fetched and checked"), .init(seconds(result.fetchNanoseconds)), .init(""),
    ])
    table.append([
      .init("  databases made"), .init(seconds(result.installNanoseconds)), .init(""),
    ])
    table.append([.init("  started"), .init(seconds(result.openNanoseconds)), .init("")])
    table.append([
      .init("by replay"), .init(seconds(result.replayNanoseconds)),
      .init("\(operations) operations, \(megabytes(result.bundleBytes))"),
    ])
    return table.text(console)
      + "The peer wrote its snapshot in \(seconds(result.exportNanoseconds)) s. "
      + "Roots and live tables are \(result.isEqual ? "equal" : "NOT equal").\n"
  }
}
