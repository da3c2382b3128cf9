internal import Configuration
internal import JSONText

/// What a drill of joining found, and whether that is good enough.
struct JoinVerdict: DrillVerdict {
  /// One fresh node's way to what the others have.
  struct Join {
    /// How it was told to come there.
    let way: Bootstrap
    /// The height of the snapshot that it fetched; `nil` when it fetched none.
    var snapshotHeight: Int64?
    /// From the start of its process until it had the cluster's lanes, rows and root; `nil` when it
    /// never had.
    var milliseconds: Int?
    /// Whether it ended when it was told to.
    var hasEndedWell = false
  }

  let plan: JoinDrillPlan
  /// Operations that were final before the first fresh node came.
  var operations: Int64 = 0
  /// The height and the root at that moment.
  var height: UInt64 = 0
  var root = ""
  /// How long giving them took, in milliseconds.
  var loadMilliseconds = 0
  var joins: [Join] = []

  init(_ plan: JoinDrillPlan) {
    self.plan = plan
  }

  /// What was promised and not kept; empty when all is well.
  var failures: [String] {
    var failures: [String] = []
    for join in joins {
      if join.milliseconds == nil {
        failures.append("the node that joined by \(join.way.rawValue) never became equal")
      }
      if (join.snapshotHeight != nil) != (join.way == .snapshot) {
        failures.append(
          join.way == .snapshot
            ? "nobody gave the fresh node a snapshot" : "a node told to replay fetched a snapshot")
      }
      if !join.hasEndedWell {
        failures.append("the node that joined by \(join.way.rawValue) did not end as told")
      }
    }
    let times = joins.compactMap(\.milliseconds)
    if times.count == 2, times[0] >= times[1] {
      failures.append("the snapshot was not sooner than the replay")
    }
    return failures
  }

  var isPassed: Bool { joins.count == 2 && failures.isEmpty }

  func text(_ console: Console) -> String {
    var table = Table([("FRESH NODE", .left), ("EQUAL AFTER, ms", .right), ("FROM", .left)])
    for join in joins {
      table.append([
        .init("by \(join.way.rawValue)"), .init(join.milliseconds.map { "\($0)" } ?? "never"),
        .init(
          join.snapshotHeight.map { "a snapshot of height \($0), and the blocks since" }
            ?? "every bundle and block"),
      ])
    }
    let facts =
      "\(plan.nodes) nodes, \(operations) operations final at height \(height), "
      + "root \(root), given in \(loadMilliseconds / 1_000) s"
    let lines = [isPassed ? "PASS" : "FAIL"] + failures.map { "  \($0)" } + [facts, ""]
    return lines.joined(separator: "\n") + table.text(console)
  }

  var json: JSONValue {
    .object([
      JSONMember(key: "passed", value: .bool(isPassed)),
      JSONMember(key: "failures", value: .array(failures.map { .string($0) })),
      JSONMember(key: "nodes", value: .integer(Int64(plan.nodes))),
      JSONMember(key: "operations", value: .integer(operations)),
      JSONMember(key: "height", value: .integer(Int64(clamping: height))),
      JSONMember(key: "root", value: .string(root)),
      JSONMember(key: "loadMilliseconds", value: .integer(Int64(loadMilliseconds))),
      JSONMember(
        key: "joins",
        value: .array(
          joins.map { join in
            .object([
              JSONMember(key: "way", value: .string(join.way.rawValue)),
              JSONMember(
                key: "snapshotHeight", value: join.snapshotHeight.map { .integer($0) } ?? .null),
              JSONMember(
                key: "milliseconds",
                value: join.milliseconds.map { .integer(Int64($0)) } ?? .null),
            ])
          })),
    ])
  }
}
