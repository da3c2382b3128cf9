internal import NodeCore
internal import Primitives
internal import Records

/// What a run remembers to judge the nodes by.
struct RunLedger {
  /// A write as its client knows it.
  struct Write {
    let node: Int
    let life: UInt64
    let operations: [[UInt8]]
    let level: WriteLevel
    let submittedAt: Instant
    let deadline: Instant
    /// Whether the node signs contradictions: then its promises count for nothing.
    let isLiars: Bool
    var isOpen = true
  }

  /// An operation that somebody was promised.
  struct Promise {
    let operation: OperationID
    let bytes: [UInt8]
  }

  /// What equal frontiers must agree on.
  struct Roots: Equatable {
    let lanes: Digest
    let rows: Digest
  }

  /// Whose lane is whose.
  var authors: [LaneID: Int] = [:]
  /// Every bundle ever signed, by its digest.
  var signed: Set<Digest> = []
  /// The one bundle of each place that was seen by others or durable.
  var places: [LanePosition: Digest] = [:]
  var roots: [Digest: Roots] = [:]
  var open: [WriteID: Write] = [:]
  var promises: [Promise] = []
  var writes = Verdict.Writes()
  /// How long each write took that became final.
  var finalDelays: [TimeSpan] = []
  var spread = Verdict.Spread()
  /// Per bundle and node: after how many hops of pushes it came first; 0 when it did not.
  var hops: [Digest: [Int]] = [:]
  /// Bundles in all lanes, by the largest number of each.
  private var numbers = SortedMap<LaneID, UInt64>()

  var bundleCount: UInt64 { numbers.entries.reduce(0) { $0 + $1.value } }

  mutating func count(_ position: LanePosition) {
    numbers[position.lane] = max(numbers[position.lane] ?? 0, position.number)
  }
}
