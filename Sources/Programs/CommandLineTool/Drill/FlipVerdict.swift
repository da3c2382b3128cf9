internal import JSONText

/// What a drill of flipped bytes found, and whether that is good enough.
struct FlipVerdict: DrillVerdict {
  /// How soon after the flip all nodes must be equal again, in milliseconds.
  static let equalMillisecondsMax = 60_000

  /// One byte and what became of it; times count from the flip.
  struct Flip {
    let file: String
    let node: Int
    let offset: Int
    let old: UInt8
    let new: UInt8
    /// When the node had written down the damage.
    var detectedMilliseconds: Int?
    /// When the node served again, its databases repaired.
    var servingMilliseconds: Int?
    /// When all nodes had the same roots and digests.
    var equalMilliseconds: Int?

    var failures: [String] {
      var failures: [String] = []
      if detectedMilliseconds == nil { failures.append("\(file): the flip was never found") }
      if servingMilliseconds == nil { failures.append("\(file): the node never served again") }
      if let equalMilliseconds {
        if equalMilliseconds > FlipVerdict.equalMillisecondsMax {
          failures.append("\(file): the nodes were equal only after \(equalMilliseconds) ms")
        }
      } else {
        failures.append("\(file): the nodes never became equal again")
      }
      return failures
    }
  }

  var flips: [Flip] = []
  var quorum = DrillLedger.Tier()
  var surprises: [String] = []
  /// For each node the confirmed writes that it does not have.
  var missing: [[String]] = []
  /// By node, how often it has repaired itself.
  var repairs: [Int] = []
  /// Nodes that ended by themselves or did not end when they were told to.
  var endedBadly: [Int] = []
  /// What the offline check of the directories found at the end.
  var findings: [String] = []

  /// What was promised and not kept; empty when all is well.
  var failures: [String] {
    var failures = flips.flatMap(\.failures)
    for (index, writes) in missing.enumerated() where !writes.isEmpty {
      let some = writes.prefix(5).joined(separator: ", ")
      failures.append("node \(index + 1) lacks \(writes.count) confirmed writes: \(some)")
    }
    for (index, count) in repairs.enumerated() {
      let flipped = flips.count { $0.node == index + 1 }
      if count != flipped {
        failures.append("node \(index + 1) was repaired \(count) times for \(flipped) flips")
      }
    }
    if quorum.undecided > 0 { failures.append("\(quorum.undecided) writes were never decided") }
    failures += surprises.map { "an answer that nothing explains: \($0)" }
    if !endedBadly.isEmpty { failures.append("nodes that did not end as told: \(endedBadly)") }
    failures += findings.map { "verify: \($0)" }
    return failures
  }

  /// Whether every promise was kept.
  var isPassed: Bool { failures.isEmpty }

  func text(_ console: Console) -> String {
    var table = Table([
      ("FILE", .left), ("NODE", .right), ("OFFSET", .right), ("BYTE", .left),
      ("FOUND, ms", .right), ("SERVING, ms", .right), ("EQUAL, ms", .right),
    ])
    func time(_ value: Int?) -> String { value.map { "\($0)" } ?? "never" }
    for flip in flips {
      table.append([
        .init(flip.file), .init("\(flip.node)"), .init("\(flip.offset)"),
        .init("\(flip.old) to \(flip.new)"), .init(time(flip.detectedMilliseconds)),
        .init(time(flip.servingMilliseconds)), .init(time(flip.equalMilliseconds)),
      ])
    }
    var text = table.text(console)
    let lost = Set(missing.joined()).count
    text +=
      "\(quorum.acknowledged) writes confirmed meanwhile, the longest pause "
      + "\(quorum.longestGapMilliseconds) ms; lost: \(lost)\n"
    for failure in failures { text += console.colored(failure, .red) + "\n" }
    return text + (isPassed ? console.colored("PASS", .green) : console.colored("FAIL", .red))
      + "\n"
  }

  /// The same as data.
  var json: JSONValue {
    func time(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
    return .object([
      JSONMember(key: "passed", value: .bool(isPassed)),
      JSONMember(key: "failures", value: .array(failures.map { .string($0) })),
      JSONMember(
        key: "flips",
        value: .array(
          flips.map { flip in
            .object([
              JSONMember(key: "file", value: .string(flip.file)),
              JSONMember(key: "node", value: .integer(Int64(flip.node))),
              JSONMember(key: "offset", value: .integer(Int64(flip.offset))),
              JSONMember(key: "detectedMilliseconds", value: time(flip.detectedMilliseconds)),
              JSONMember(key: "servingMilliseconds", value: time(flip.servingMilliseconds)),
              JSONMember(key: "equalMilliseconds", value: time(flip.equalMilliseconds)),
            ])
          })),
      JSONMember(key: "acknowledged", value: .integer(Int64(quorum.acknowledged))),
      JSONMember(
        key: "longestGapMilliseconds", value: .integer(Int64(quorum.longestGapMilliseconds))),
      JSONMember(key: "lost", value: .integer(Int64(Set(missing.joined()).count))),
    ])
  }
}
