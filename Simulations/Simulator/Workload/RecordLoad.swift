internal import LedgerCore
internal import Primitives
internal import Records
internal import Wire

/// Changes of a few shared records, as a node's clients make them: a write names what the node
/// shows, now and then what nobody shows any more, and every node defines the same collections with
/// policies of its own.
struct RecordLoad {
  private static let collections = ["load.a", "load.b", "load.c"]
  private static let keys = 4
  private static let elements = ["red", "green", "blue"]

  /// A generator of its own: the other clients do the same with and without records.
  private var random: Xoshiro256
  private var stale: [RecordDot] = []

  init(seed: UInt64) {
    random = Xoshiro256(seed: seed, purpose: "records")
  }

  /// What goes along with a client's write: often nothing.
  mutating func operations(at tables: LiveTables?) -> [[UInt8]] {
    guard let tables, random.chance(Ratio(1, in: 6)) else { return [] }
    let name = RecordName(
      collection: RecordLoad.collections[random.next(below: RecordLoad.collections.count)],
      key: "key \(random.next(below: RecordLoad.keys))")
    let agent = AgentID(high: 0xa9e7, low: random.next(in: 1...4))
    guard tables.collection(name.collection) != nil else {
      let policies = CollectionPolicy.allCases
      let definition = CollectionDefinition(
        name: name.collection, policy: policies[random.next(below: policies.count)], agent: agent)
      return [LedgerOperation.define(definition).encoded]
    }
    let request =
      random.chance(Ratio(1, in: 4))
      ? RecordRequestID(high: 0x4e9, low: random.next(in: 1...200)) : nil
    let change = RecordChange(
      name: name, agent: agent, request: request, action: action(on: name.record, tables))
    return [LedgerOperation.change(change).encoded]
  }

  private mutating func action(on record: RecordID, _ tables: LiveTables) -> RecordAction {
    let element = RecordLoad.elements[random.next(below: RecordLoad.elements.count)]
    let shown = tables.record(record)?.seen ?? []
    let seen = random.chance(Ratio(1, in: 8)) ? stale : shown
    if random.chance(Ratio(1, in: 4)) { stale = shown }
    let priority = UInt8(random.next(below: 10))
    switch random.next(below: 8) {
    case 0..<3:
      return .put(value: "\(random.next(below: 1_000))", priority: priority, seen: seen)
    case 3: return .delete(priority: priority, seen: seen)
    case 4, 5: return .add(delta: Int64(random.next(below: 1_000)) + 1)
    case 6:
      return .insert(element: element, seen: tables.additions(of: element, in: record))
    default:
      return .remove(element: element, seen: tables.additions(of: element, in: record))
    }
  }
}
