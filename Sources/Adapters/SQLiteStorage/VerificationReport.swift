package import Records

/// What an offline check of a swarm's directory found.
package struct VerificationReport: Hashable, Sendable {
  /// The most findings that are listed; all are counted.
  package static let findingsMax = 1_000

  /// Lanes checked.
  package internal(set) var lanes = 0
  /// Bundles hashed and verified.
  package internal(set) var bundles: UInt64 = 0
  /// Operations hashed.
  package internal(set) var operations: UInt64 = 0
  /// Rows hashed.
  package internal(set) var rows: UInt64 = 0
  /// Proofs of equivocation verified.
  package internal(set) var proofs = 0
  /// Bytes of headers, signatures and bodies.
  package internal(set) var bytes: UInt64 = 0
  /// Time taken, in nanoseconds.
  package internal(set) var nanoseconds: UInt64 = 0
  /// What is wrong, at most `findingsMax` of it, in order of place.
  package internal(set) var findings: [Finding] = []
  /// How much is wrong.
  package internal(set) var findingCount = 0
  /// How much of that is not damage but something that could not be looked at, such as a database
  /// that another process keeps locked.
  package internal(set) var interruptionCount = 0

  /// Whether nothing is wrong.
  package var isSound: Bool { findingCount == 0 }

  /// Time taken, in seconds.
  package var seconds: Double { Double(nanoseconds) / 1_000_000_000 }

  /// One thing that is wrong.
  package struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// What kind of thing.
    package let kind: Kind
    /// The lane, where it concerns one.
    package let lane: LaneID?
    /// The number of the bundle, where it concerns one.
    package let number: UInt64?
    /// The table, where it concerns one.
    package let table: String?
    /// What is wrong, in words.
    package let detail: String

    init(
      _ kind: Kind, lane: LaneID? = nil, number: UInt64? = nil, table: String? = nil,
      _ detail: String
    ) {
      self.kind = kind
      self.lane = lane
      self.number = number
      self.table = table
      self.detail = detail
    }

    package var description: String {
      var place: [String] = []
      if let lane { place.append("lane \(lane.digest)") }
      if let number { place.append("bundle \(number)") }
      if let table { place.append("table \(table)") }
      return "\(kind.rawValue): \((place + [detail]).joined(separator: ", "))"
    }
  }

  /// The kinds of findings.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// SQLite finds the file damaged.
    case file
    /// A lane's row disagrees with its bundles.
    case head
    /// A bundle is missing or there is one too many.
    case gap
    /// A header cannot be read, is that of another place or does not continue the one before.
    case header
    /// The operations are not those of the header.
    case operations
    /// The signature is not the node's.
    case signature
    /// A stored subtree is missing, wrong or one too many.
    case tile
    /// A proof of equivocation proves nothing.
    case proof
    /// Named values are not those that were stored.
    case meta
    /// The rows as a whole are not those that were stored.
    case rows
    /// The rows claim to reflect bundles that the lanes do not hold.
    case applied
  }

  mutating func add(_ finding: Finding) {
    findingCount += 1
    if findings.count < VerificationReport.findingsMax { findings.append(finding) }
  }

  /// Adds what an error means: damage, or that nothing could be looked at.
  mutating func add(
    _ error: SQLiteError, lane: LaneID? = nil, number: UInt64? = nil, table: String? = nil,
    _ detail: String
  ) {
    add(.init(.file, lane: lane, number: number, table: table, "\(detail): \(error)"))
    if !error.isUnreadable { interruptionCount += 1 }
  }

  /// Adds what a failure to open means.
  mutating func add(_ failure: OpenFailure, _ kind: Kind, _ detail: String) {
    switch failure {
    case .damage(let finding): add(.init(kind, "\(detail): \(finding)"))
    case .database(let error): add(error, detail)
    case .newer, .system:
      add(.init(kind, "\(detail): \(failure)"))
      interruptionCount += 1
    }
  }

  mutating func add(_ other: VerificationReport) {
    bundles += other.bundles
    operations += other.operations
    bytes += other.bytes
    findingCount += other.findingCount
    interruptionCount += other.interruptionCount
    let room = VerificationReport.findingsMax - findings.count
    findings.append(contentsOf: other.findings.prefix(room))
  }
}
