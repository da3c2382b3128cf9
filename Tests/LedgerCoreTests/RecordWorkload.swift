import LedgerCore
import Primitives
import Records

/// Random concurrent changes of a few records by three honest nodes and one that lies.
///
/// An honest node names what it shows, or what another node showed some time ago; the liar names
/// lanes that do not exist, times that are yet to come, and operations that others get later.
struct RecordWorkload {
  static let collections = ["scores", "notes.v1", "Tags"]
  static let keys = ["a", "bé/ü"]
  static let elements = ["red", "grün"]
  static let agents = (1...3).map { AgentID(high: 0xa, low: $0) }
  static let requestIDs = (1...4).map { RecordRequestID(high: 0xf, low: $0) }
  static let start: UInt64 = 1_000

  static var names: [RecordName] {
    collections.flatMap { collection in
      keys.map { RecordName(collection: collection, key: $0) }
    }
  }

  private(set) var lanes: [[Placed]] = Array(repeating: [], count: 4)
  private var replicas = Array(repeating: LiveTables(), count: 4)
  /// How much of each lane each node has applied, and the greatest time in it.
  private var applied = Array(repeating: Array(repeating: 0, count: 4), count: 4)
  private var clocks = Array(repeating: RecordWorkload.start, count: 4)
  private var generator: Xoshiro256

  init(seed: UInt64) {
    generator = Xoshiro256(seed: seed, purpose: "record workload")
    for _ in 0..<(80 + generator.next(below: 80)) {
      let node = generator.next(below: 4)
      if generator.next(below: 3) == 0 {
        deliver(from: generator.next(below: 4), to: node)
      } else {
        write(at: node)
      }
    }
  }

  var all: [Placed] { lanes.flatMap(\.self) }

  static func lane(_ index: Int) -> LaneID {
    LaneID(digest: Digest(words: UInt64(7 - index), 0, 0, 1))
  }

  /// The lanes woven into one another at random, each in its own order.
  func interleaved(seed: UInt64) -> [Placed] {
    var generator = Xoshiro256(seed: seed, purpose: "record interleaving")
    var next = Array(repeating: 0, count: lanes.count)
    var result: [Placed] = []
    while result.count < all.count {
      let lane = generator.next(below: lanes.count)
      for _ in 0...generator.next(below: 8) where next[lane] < lanes[lane].count {
        result.append(lanes[lane][next[lane]])
        next[lane] += 1
      }
    }
    return result
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[generator.next(below: elements.count)]
  }

  private mutating func deliver(from lane: Int, to node: Int) {
    for _ in 0...generator.next(below: 5) where applied[node][lane] < lanes[lane].count {
      apply(lanes[lane][applied[node][lane]], at: node)
      applied[node][lane] += 1
    }
  }

  private mutating func apply(_ placed: Placed, at node: Int) {
    var rows: [Row] = []
    replicas[node].apply(placed.bytes, at: placed.stamp, into: &rows)
    clocks[node] = max(clocks[node], placed.stamp.time.raw)
  }

  private mutating func write(at node: Int) {
    clocks[node] += generator.next(in: 1...30)
    let count = lanes[node].count
    let stamp = OperationStamp(
      time: HybridTime(raw: clocks[node]), lane: RecordWorkload.lane(node),
      number: UInt64(count / 3 + 1), index: count % 3)
    let placed = Placed(operation(at: node, before: stamp.time.raw), at: stamp)
    if applied[node][node] == count {
      apply(placed, at: node)
      applied[node][node] += 1
    }
    lanes[node].append(placed)
  }

  private mutating func operation(at node: Int, before time: UInt64) -> LedgerOperation {
    let agent = pick(RecordWorkload.agents)
    guard generator.next(below: 12) > 0 else {
      return .define(
        CollectionDefinition(
          name: pick(RecordWorkload.collections), policy: pick(CollectionPolicy.allCases),
          agent: agent))
    }
    let name = pick(RecordWorkload.names)
    let request = generator.next(below: 4) == 0 ? pick(RecordWorkload.requestIDs) : nil
    return .change(
      RecordChange(
        name: name, agent: agent, request: request,
        action: action(on: name, at: node, before: time)))
  }

  private mutating func action(
    on name: RecordName, at node: Int, before time: UInt64
  ) -> RecordAction {
    let priority = UInt8(generator.next(below: 10))
    let element = pick(RecordWorkload.elements)
    // Sometimes the client has read at another node, and sometimes nothing at all.
    let reader = generator.next(below: 4) == 0 ? generator.next(below: 4) : node
    var seen: [RecordDot] = []
    if generator.next(below: 6) > 0 {
      seen = replicas[reader].record(name.record)?.seen ?? []
    }
    if node == 3 { seen = lies(before: time) }
    switch generator.next(below: 9) {
    case 0..<4: return .put(value: #"{"n":\#(time)}"#, priority: priority, seen: seen)
    case 4: return .delete(priority: priority, seen: seen)
    case 5: return .add(delta: Int64(generator.next(below: 2_000)) - 1_001)
    case 6..<8:
      return .insert(
        element: element,
        seen: node == 3 ? seen : replicas[reader].additions(of: element, in: name.record))
    default:
      return .remove(
        element: element,
        seen: node == 3 ? seen : replicas[reader].additions(of: element, in: name.record))
    }
  }

  private mutating func lies(before time: UInt64) -> [RecordDot] {
    var dots: Set<RecordDot> = []
    for _ in 0..<generator.next(below: 4) {
      dots.insert(
        RecordDot(
          lane: RecordWorkload.lane(generator.next(below: 4)),
          time: HybridTime(raw: generator.next(in: 0...(time + 400)))))
    }
    if generator.next(below: 4) == 0 {
      // Lanes that nobody has, enough of them to raise the floor.
      for index in 0..<(20 + generator.next(below: 41)) {
        dots.insert(
          RecordDot(
            lane: LaneID(digest: Digest(words: 0, 0, generator.next(in: 0...2), UInt64(index))),
            time: HybridTime(raw: generator.next(in: (time / 2)...time))))
      }
    }
    return dots.sorted()
  }
}
