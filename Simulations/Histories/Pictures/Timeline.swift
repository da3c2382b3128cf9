/// What happened in a run, to be drawn: nodes, faults, leaders, writes and the verdict.
///
/// All instants are nanoseconds of the run's clock; what lies outside of the run is cut off. The
/// numbers of intervals and faults are bounded; what is beyond the bound is counted and said so.
package struct Timeline: Sendable {
  /// What a node is other than up.
  package enum NodeState: Equatable, Sendable {
    /// The process is not there.
    case down
    /// The process is there and stands still.
    case paused
    /// Its disk or its links are slowed.
    case slow
    /// It leads the control log in this term.
    case leader(term: UInt64)
  }

  struct Interval: Sendable {
    let node: Int
    let state: NodeState
    let start: UInt64
    let end: UInt64
  }

  struct Partition: Sendable {
    let groups: [[Int]]
    let start: UInt64
    let end: UInt64
  }

  struct Fault: Sendable {
    let label: String
    let at: UInt64
    let node: Int?
  }

  /// Successes and failures of one tier, counted in equal parts of the run.
  struct Strip: Sendable {
    let tier: WriteTier
    var successes = [Int](repeating: 0, count: Timeline.binCount)
    var failures = [Int](repeating: 0, count: Timeline.binCount)
  }

  /// Nodes of a picture.
  package static let nodesMax = 128
  /// Intervals of node states, and of partitions.
  package static let intervalsMax = 20_000
  /// Marks of faults.
  package static let faultsMax = 500
  /// Parts of the run that writes are counted in.
  static let binCount = 348

  /// The scenario's name or another title.
  package let title: String
  /// A line below the title.
  package var subtitle = ""
  /// When the run began.
  package let start: UInt64
  /// When the run ended.
  package let end: UInt64
  /// The judgement on the run.
  package var verdict: ControlVerdict?
  /// When all nodes held the same again.
  package private(set) var convergence: UInt64?

  private(set) var nodes: [String] = []
  private(set) var intervals: [Interval] = []
  private(set) var partitions: [Partition] = []
  private(set) var faults: [Fault] = []
  private(set) var strips: [Strip] = []
  /// Intervals and faults that were not kept.
  private(set) var omittedCount = 0

  /// Starts the picture of a run; `end` is after `start`.
  package init(title: String, start: UInt64, end: UInt64) {
    precondition(start < end, "a run from \(start) to \(end)")
    self.title = title
    self.start = start
    self.end = end
  }

  /// Adds a node below the others and returns its number, counted from 0.
  package mutating func addNode(_ name: String) -> Int {
    precondition(nodes.count < Self.nodesMax, "more than \(Self.nodesMax) nodes in a picture")
    nodes.append(name)
    return nodes.count - 1
  }

  /// Adds a time in which a node was not just up.
  package mutating func add(_ state: NodeState, node: Int, from start: UInt64, to end: UInt64) {
    precondition(nodes.indices.contains(node), "node \(node) of \(nodes.count)")
    guard let (start, end) = cut(start, end) else { return }
    guard intervals.count < Self.intervalsMax else { return omittedCount += 1 }
    intervals.append(Interval(node: node, state: state, start: start, end: end))
  }

  /// Adds a time in which nodes of different groups could not reach each other.
  package mutating func addPartition(_ groups: [[Int]], from start: UInt64, to end: UInt64) {
    for node in groups.joined() {
      precondition(nodes.indices.contains(node), "node \(node) of \(nodes.count)")
    }
    guard let (start, end) = cut(start, end) else { return }
    guard partitions.count < Self.intervalsMax else { return omittedCount += 1 }
    partitions.append(Partition(groups: groups, start: start, end: end))
  }

  /// Marks a fault, at one node or at all of them.
  package mutating func addFault(_ label: String, at instant: UInt64, node: Int? = nil) {
    if let node { precondition(nodes.indices.contains(node), "node \(node) of \(nodes.count)") }
    guard instant >= start, instant <= end else { return }
    guard faults.count < Self.faultsMax else { return omittedCount += 1 }
    faults.append(Fault(label: label, at: instant, node: node))
  }

  /// Counts writes into the strips of their tiers, at the instant of the answer, or of the call
  /// when there was none.
  package mutating func addWrites(_ attempts: some Sequence<WriteAttempt>) {
    for attempt in attempts {
      let instant = attempt.answered ?? attempt.call
      guard instant >= start, instant <= end else { continue }
      let bin = min(Self.binCount - 1, Int(scaled(instant, to: UInt64(Self.binCount))))
      let strip = strip(of: attempt.tier)
      switch attempt.outcome {
      case .acknowledged: strips[strip].successes[bin] += 1
      case .unknown, .refused: strips[strip].failures[bin] += 1
      }
    }
  }

  /// Notes when all nodes held the same again.
  package mutating func setConvergence(at instant: UInt64) {
    convergence = instant >= start && instant <= end ? instant : nil
  }

  /// The place of an instant on a scale that is `width` long, 0 at the start of the run.
  func scaled(_ instant: UInt64, to width: UInt64) -> UInt64 {
    let offset = min(max(instant, start), end) - start
    let product = offset.multipliedFullWidth(by: width)
    // The offset is at most the divisor, so the quotient is at most `width`.
    return offset == end - start ? width : (end - start).dividingFullWidth(product).quotient
  }

  private func cut(_ start: UInt64, _ end: UInt64) -> (UInt64, UInt64)? {
    let cut = (max(start, self.start), min(end, self.end))
    return cut.0 < cut.1 ? cut : nil
  }

  private mutating func strip(of tier: WriteTier) -> Int {
    if let index = strips.firstIndex(where: { $0.tier == tier }) { return index }
    strips.append(Strip(tier: tier))
    let order = WriteTier.allCases
    strips.sort {
      (order.firstIndex(of: $0.tier) ?? 0) < (order.firstIndex(of: $1.tier) ?? 0)
    }
    return strips.firstIndex { $0.tier == tier } ?? 0
  }
}
