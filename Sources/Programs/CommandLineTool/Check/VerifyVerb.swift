internal import Configuration
internal import Glibc
internal import JSONText
internal import LedgerCore
internal import Records
internal import SQLiteStorage

/// `verify`: checks stored data without a node.
enum VerifyVerb {
  /// The file by which the directory of a swarm is recognised.
  private static let marker = "log.db"

  static let verb = Verb(
    "verify", group: .check, summary: "Check stored data: every hash, signature, proof and row",
    usage: "DIR",
    details: """
      DIR is the directory of a cluster, of a node or of one swarm's databases. Nothing
      is changed; a node may be running. Exit status 1 when something is wrong.
      """,
    options: [
      .output, .value("threads", "N", "threads that check lanes (default: 2)"),
    ], positionalMax: 1,
    examples: [
      Verb.Example("verify swarm", "every node of the cluster in ./swarm"),
      Verb.Example("verify n1 -o json", "one node, for programs"),
    ]
  ) { arguments, console in
    let directory = try arguments.argument(0, "the directory DIR")
    let threads = try arguments.integer("threads", in: 1...64, default: 2)
    let places = try swarms(in: directory)
    guard !places.isEmpty else {
      throw ConfigurationError(
        source: directory, reason: "no cluster, node or swarm is here, or it has no data yet")
    }
    var isSound = true
    var entries: [JSONValue] = []
    for place in places {
      let report = try report(on: place, threads: threads)
      isSound = isSound && report.isSound
      if arguments.wantsJSON {
        entries.append(json(place, report))
      } else {
        show(place, report, console)
      }
    }
    var logs: [JSONValue] = []
    for place in places.compactMap(controlLog) {
      let check = try ControlLogCheck(place)
      isSound = isSound && check.isSound
      if arguments.wantsJSON { logs.append(check.json) } else { check.show(console) }
    }
    if arguments.wantsJSON {
      let all = JSONValue.object([
        JSONMember(key: "sound", value: .bool(isSound)),
        JSONMember(key: "directories", value: .array(entries)),
        JSONMember(key: "controlLogs", value: .array(logs)),
      ])
      console.write(String(decoding: JSONLayout.bytes(all), as: UTF8.self))
    }
    return isSound ? ExitStatus.success : ExitStatus.failure
  }

  /// Checks the databases of one swarm.
  static func report(on place: String, threads: Int = 2) throws -> VerificationReport {
    try Verification.run(directory: place, tables: LiveTables.schemas, threadCount: threads)
  }

  /// The directories of swarms that `directory` means, in a fixed order.
  static func swarms(in directory: String) throws -> [String] {
    if Files.exists(Files.resolve(marker, in: directory)) { return [directory] }
    if LocalCluster.exists(in: directory) {
      return try ClusterFile(in: directory).nodes.flatMap { try swarms(in: $0.dir) }
    }
    let path = Files.resolve(NodeSettings.fileName, in: directory)
    guard Files.exists(path) else { return [] }
    let settings = try NodeSettings(json: try Files.read(path), source: path)
    let data = Files.resolve(settings.dataDirectory, in: directory)
    return ([data] + folders(in: data)).filter { Files.exists(Files.resolve(marker, in: $0)) }
  }

  /// The control log beside the directory of a swarm, when there is one.
  private static func controlLog(beside swarm: String) -> String? {
    guard let end = swarm.lastIndex(of: "/") else { return nil }
    let place = Files.resolve(ControlLogCheck.name, in: String(swarm[..<end]))
    return Files.isDirectory(place) ? place : nil
  }

  private static func folders(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted().map { Files.resolve($0, in: directory) }.filter(Files.isDirectory)
  }

  private static func show(_ place: String, _ report: VerificationReport, _ console: Console) {
    console.line(console.colored(place, .bold))
    console.line(
      "  \(report.lanes) lanes, \(report.bundles) bundles, \(report.operations) operations, "
        + "\(report.rows) rows, \(report.proofs) proofs of equivocation")
    for finding in report.findings { console.line("  \(console.colored("\(finding)", .red))") }
    let hidden = report.findingCount - report.findings.count
    if hidden > 0 { console.line("  and \(hidden) more findings") }
    console.line(
      report.isSound
        ? console.colored("  sound", .green)
        : console.colored("  \(report.findingCount) findings", .red))
  }

  private static func json(_ place: String, _ report: VerificationReport) -> JSONValue {
    .object([
      JSONMember(key: "directory", value: .string(place)),
      JSONMember(key: "sound", value: .bool(report.isSound)),
      JSONMember(key: "lanes", value: .integer(Int64(report.lanes))),
      JSONMember(key: "bundles", value: .integer(Int64(clamping: report.bundles))),
      JSONMember(key: "operations", value: .integer(Int64(clamping: report.operations))),
      JSONMember(key: "rows", value: .integer(Int64(clamping: report.rows))),
      JSONMember(key: "proofs", value: .integer(Int64(report.proofs))),
      JSONMember(key: "bytes", value: .integer(Int64(clamping: report.bytes))),
      JSONMember(key: "milliseconds", value: .integer(Int64(report.nanoseconds / 1_000_000))),
      JSONMember(key: "findingCount", value: .integer(Int64(report.findingCount))),
      JSONMember(key: "findings", value: .array(report.findings.map { .string("\($0)") })),
    ])
  }
}
