internal import Histories
internal import Primitives

/// What of a run is drawn: when nodes were down, stood still or led, who was cut off, and what was
/// done to them.
struct RunPicture {
  private struct Span {
    let node: Int
    let state: Timeline.NodeState
    let start: UInt64
    var end: UInt64
  }

  private let name: String
  private let nodeCount: Int
  private var spans: [Span] = []
  /// Per node the place of its open spans: of being down, and of leading.
  private var down: [Int?]
  private var leading: [Int?]
  private var partitions: [(groups: [[Int]], start: UInt64, end: UInt64)] = []
  private var faults: [(label: String, at: UInt64)] = []

  init(_ name: String, nodeCount: Int) {
    self.name = name
    self.nodeCount = nodeCount
    down = Array(repeating: nil, count: nodeCount)
    leading = Array(repeating: nil, count: nodeCount)
  }

  mutating func noteStart(_ node: Int, at now: Instant) {
    if let open = down[node] { close(open, at: now) }
    down[node] = nil
  }

  mutating func noteCrash(_ node: Int, at now: Instant) {
    noteRole(node, leads: nil, at: now)
    down[node] = open(node, .down, at: now)
  }

  mutating func noteRole(_ node: Int, leads term: UInt64?, at now: Instant) {
    if let open = leading[node] { close(open, at: now) }
    leading[node] = nil
    if let term { leading[node] = open(node, .leader(term: term), at: now) }
  }

  mutating func note(_ fault: Fault, at now: Instant) {
    let at = now.nanoseconds
    faults.append((fault.label, at))
    switch fault {
    case .partition(let groups): partitions.append((groups, at, .max))
    case .isolate(let node):
      let others = (0..<nodeCount).filter { $0 != node }
      if !others.isEmpty { partitions.append(([[node], others], at, .max)) }
    case .heal: endPartitions(at: now)
    case .pause(let node, let span):
      spans.append(Span(node: node, state: .paused, start: at, end: (now + span).nanoseconds))
    case .slowDisk(let node, _, let span):
      spans.append(Span(node: node, state: .slow, start: at, end: (now + span).nanoseconds))
    case .isolateLeader, .isolateFollower, .crashLeader, .pauseLeader, .wipeLeader, .cutLeader,
      .clogLeader, .wipe, .damage, .failSync, .setRole, .remove, .transfer, .cut, .clog, .crash,
      .crashFor, .start, .clockJump, .equivocate, .forge:
      break
    }
  }

  /// Everything is well again.
  mutating func endPartitions(at now: Instant) {
    for place in partitions.indices where partitions[place].end == .max {
      partitions[place].end = now.nanoseconds
    }
  }

  private mutating func open(_ node: Int, _ state: Timeline.NodeState, at now: Instant) -> Int {
    spans.append(Span(node: node, state: state, start: now.nanoseconds, end: .max))
    return spans.count - 1
  }

  private mutating func close(_ place: Int, at now: Instant) {
    spans[place].end = now.nanoseconds
  }

  /// The run as one page.
  func html(_ verdict: Verdict, _ history: History) -> String {
    var timeline = Timeline(
      title: name, start: 0, end: max(1, verdict.simulated.nanoseconds))
    let outcome = verdict.violation.map { "broke \($0.checker.rawValue)" } ?? "kept every rule"
    timeline.subtitle = "seed \(verdict.seed), virtual time; \(outcome)"
    for node in 0..<nodeCount { _ = timeline.addNode("node \(node + 1)") }
    for span in spans { timeline.add(span.state, node: span.node, from: span.start, to: span.end) }
    for partition in partitions {
      timeline.addPartition(partition.groups, from: partition.start, to: partition.end)
    }
    for fault in faults { timeline.addFault(fault.label, at: fault.at) }
    timeline.addWrites(history.records.compactMap { WriteAttempt($0) })
    // A run ends when all nodes hold the same.
    if verdict.convergedAfter != nil { timeline.setConvergence(at: verdict.simulated.nanoseconds) }
    return timeline.html
  }
}
