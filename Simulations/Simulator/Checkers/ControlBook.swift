internal import ControlCore
internal import Primitives
internal import RaftCore
internal import Records

/// What the checkers of the control log remember: one history of entries, and who led.
struct ControlBook {
  /// The entries by index, counted from 1, as the first node applied them.
  var entries: [RaftEntry] = []
  /// In which term, at the latest, each of them was committed.
  var committedIn: [UInt64] = []
  /// Who led in which term. Election safety: nobody else may.
  var leaders: [UInt64: Int] = [:]
  /// When each node was crashed, for detection.
  var crashedAt: [Int: Instant] = [:]
  /// When a command was last confirmed, and the longest time without.
  var lastConfirmed: Instant?
  var longestGap = TimeSpan.zero
  /// What clients of the control state saw.
  var figures = Verdict.Commands()
  /// Until when leases last at least, by their renewals.
  var leasesUntil: [LeasePeriod: Instant] = [:]
  /// For whom each member voted.
  var ballots: [World.Ballot: RaftID] = [:]
  /// Disks whose node came back without them.
  var lostDisks: [SimulatedControlDisk] = []
  /// Every entry that a log took up, by index: one per term.
  var logged: [[LoggedEntry]] = []

  /// A lease from one renewal to the next.
  struct LeasePeriod: Hashable {
    let lease: LeaseID
    let renewals: UInt64
  }

  /// An entry as the first log took it up.
  struct LoggedEntry {
    let entry: RaftEntry
    /// The term of the entry before it.
    let previousTerm: UInt64
  }
}
