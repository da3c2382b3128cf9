internal import Configuration
internal import ControlStorage
internal import JSONText
internal import Records

/// The offline check of a node's control log.
struct ControlLogCheck {
  /// The directory's name inside a data directory.
  static let name = "control"

  /// The directory of the control log.
  let place: String
  private let report: ControlStorageReport

  init(_ place: String) throws {
    self.place = place
    report = try ControlStorage.inspect(place)
  }

  /// Whether a node can start from it.
  var isSound: Bool { report.damages.isEmpty }

  func show(_ console: Console) {
    console.line(console.colored(place, .bold))
    let entries = report.entries.map { "entries \($0.lowerBound) to \($0.upperBound)" }
    let snapshot = report.snapshot.map { "snapshot at \($0.index)" }
    let life = report.life.map { "life \($0)" }
    let parts = [life, "term \(report.hardState.term)", entries, snapshot].compactMap(\.self)
    console.line("  control log: " + parts.joined(separator: ", "))
    if let torn = report.tornWrite {
      console.line("  a write under way, or torn by a crash: \(torn)")
    }
    for damage in report.damages { console.line("  \(console.colored("\(damage)", .red))") }
    console.line(
      isSound
        ? console.colored("  sound", .green)
        : console.colored("  \(report.damages.count) findings", .red))
  }

  var json: JSONValue {
    .object([
      JSONMember(key: "directory", value: .string(place)),
      JSONMember(key: "sound", value: .bool(isSound)),
      JSONMember(key: "life", value: report.life.map { .string("\($0)") } ?? .null),
      JSONMember(key: "term", value: .integer(Int64(clamping: report.hardState.term))),
      JSONMember(
        key: "firstIndex",
        value: report.entries.map { .integer(Int64(clamping: $0.lowerBound)) } ?? .null),
      JSONMember(
        key: "lastIndex",
        value: report.entries.map { .integer(Int64(clamping: $0.upperBound)) } ?? .null),
      JSONMember(
        key: "snapshotIndex",
        value: report.snapshot.map { .integer(Int64(clamping: $0.index)) } ?? .null),
      JSONMember(key: "findings", value: .array(report.damages.map { .string("\($0)") })),
    ])
  }
}
