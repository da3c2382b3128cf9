import Crypto
import LedgerCore
import Primitives
import Records
import Wire

/// An operation with its place: what a lane delivers.
struct Placed: Hashable {
  let operation: LedgerOperation?
  let bytes: [UInt8]
  let stamp: OperationStamp

  init(_ operation: LedgerOperation, at stamp: OperationStamp) {
    self.operation = operation.validate() == nil ? operation : nil
    bytes = operation.encoded
    self.stamp = stamp
  }

  init(garbage: [UInt8], at stamp: OperationStamp) {
    operation = nil
    bytes = garbage
    self.stamp = stamp
  }
}

/// A random set of operations over several lanes.
///
/// Timestamps mostly extend causality, but a quarter of the lanes is malicious: their time jumps in
/// both directions. Operations name agents and questions from small pools, whether those exist by
/// then, later or never; keys collide often; agents lack capabilities; some bytes are no operation.
struct Workload {
  static let agentCount: UInt64 = 7
  static let questionCount: UInt64 = 5
  static let nodeCount: UInt64 = 3
  static let start: UInt64 = 1_000_000

  static let agents = (1...agentCount).map { AgentID(high: 0xa, low: $0) }
  static let questions = (1...questionCount).map { QuestionID(high: 0xb, low: $0) }
  static let nodes = (1...nodeCount).map { NodeID(key: Digest(words: 0xc, 0, 0, $0)) }
  static let tokens = (1...agentCount).map { Digest(words: 0xd, 0, 0, $0) }
  /// Values and the class that each belongs to.
  static let values = [
    ("Yes", "yes"), (" yes.", "yes"), ("No", "no"), ("NO", "no"), ("+07.0", "7"), ("7", "7"),
    ("maybe", "maybe"),
  ]

  private(set) var lanes: [[Placed]] = []
  private var generator: Xoshiro256

  init(seed: UInt64) {
    generator = Xoshiro256(seed: seed, purpose: "ledger workload")
    let laneCount = 2 + generator.next(below: 3)
    lanes = Array(repeating: [], count: laneCount)
    var clock = Workload.start
    for _ in 0..<(60 + generator.next(below: 90)) {
      let lane = generator.next(below: laneCount)
      clock += generator.next(in: 0...2)
      let isMalicious = lane % 4 == 3 || (seed % 5 == 0 && lane == 0)
      let time =
        isMalicious ? Workload.start + generator.next(below: 200) : clock
      let number = UInt64(lanes[lane].count / 3 + 1)
      let stamp = OperationStamp(
        time: HybridTime(
          milliseconds: time, counter: UInt16(isMalicious ? 0 : lanes[lane].count)),
        lane: LaneID(digest: Digest(words: 0xe, 0, 0, UInt64(lane))), number: number,
        index: lanes[lane].count % 3)
      lanes[lane].append(random(at: stamp))
    }
  }

  var all: [Placed] { lanes.flatMap(\.self) }

  /// The lanes woven into one another at random, each in its own order.
  func interleaved(seed: UInt64) -> [Placed] {
    var generator = Xoshiro256(seed: seed, purpose: "interleaving")
    var next = Array(repeating: 0, count: lanes.count)
    var result: [Placed] = []
    var open = lanes.indices.filter { !lanes[$0].isEmpty }
    while !open.isEmpty {
      let choice = generator.next(below: open.count)
      let lane = open[choice]
      // Runs, so that one lane is sometimes far ahead of another.
      for _ in 0...generator.next(below: 6) where next[lane] < lanes[lane].count {
        result.append(lanes[lane][next[lane]])
        next[lane] += 1
      }
      if next[lane] == lanes[lane].count { open.remove(at: choice) }
    }
    return result
  }

  private mutating func random(at stamp: OperationStamp) -> Placed {
    // Early on mostly agents and questions, later mostly answers and resolutions.
    let isEarly = stamp.time.milliseconds < Workload.start + 40
    switch generator.next(below: 24) {
    case 0..<(isEarly ? 8 : 2): return Placed(.register(registration()), at: stamp)
    case 0..<(isEarly ? 15 : 4): return Placed(.ask(question()), at: stamp)
    case 0..<(isEarly ? 20 : 19): return Placed(.answer(answer()), at: stamp)
    case 0..<(isEarly ? 20 : 21): return Placed(.resolve(resolution()), at: stamp)
    case 21..<23: return Placed(.announce(announcement()), at: stamp)
    default:
      return Placed(
        garbage: (0..<generator.next(below: 9)).map { _ in UInt8(generator.next(below: 256)) },
        at: stamp)
    }
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[generator.next(below: elements.count)]
  }

  private mutating func registration() -> AgentRegistration {
    AgentRegistration(
      agent: pick(Workload.agents), name: pick(["Alice", "Böb", "Carla", "x"]),
      description: "", platform: "custom",
      specialties: QuestionCategory.allCases.filter { _ in generator.next(below: 2) == 0 },
      capabilities: pick([
        .ask, .answer, .all, .all, .all, [.ask, .answer], [.ask, .answer], [.answer, .resolve], [],
      ]),
      tokenDigest: pick(Workload.tokens))
  }

  private mutating func question() -> QuestionPosting {
    QuestionPosting(
      question: pick(Workload.questions), asker: pick(Workload.agents),
      text: "What is it, after all? \(generator.next(below: 100))", category: pick([.factual]),
      deadlineMilliseconds: Workload.start + generator.next(in: 20...300),
      minimumAnswers: UInt32(generator.next(in: 0...4)),
      choices: pick([[], [], [], ["YES", "no"], ["Yes", "No", "7", "Maybe"]]))
  }

  private mutating func answer() -> AnswerPosting {
    AnswerPosting(
      question: pick(Workload.questions), agent: pick(Workload.agents),
      value: pick(Workload.values).0, content: "The content of an answer.",
      reasoning: "The reasoning of an answer.",
      confidenceMillionths: UInt32(generator.next(below: 1_050_000)), stakeMillionths: 5)
  }

  private mutating func resolution() -> Resolution {
    Resolution(
      question: pick(Workload.questions), resolver: pick(Workload.agents),
      value: pick(Workload.values).0)
  }

  private mutating func announcement() -> MemberAnnouncement {
    let port = 1_000 + generator.next(below: 50)
    return MemberAnnouncement(
      node: pick(Workload.nodes), role: pick([.voter, .learner]),
      transportAddress: "10.0.0.1:\(port)", apiAddress: "http://10.0.0.1:\(port)")
  }
}
