import LedgerCore
import Primitives
import Records

/// Everything that the live tables say about the records of the workload.
struct RecordReading: Equatable {
  var collections: [CollectionSummary?] = []
  var records: [RecordSummary?] = []
  var additions: [[RecordDot]] = []
  var requests: [OperationStamp?] = []

  init() {}

  init(of tables: LiveTables) {
    collections = RecordWorkload.collections.map { tables.collection($0) }
    for name in RecordWorkload.names {
      records.append(tables.record(name.record))
      additions += RecordWorkload.elements.map { tables.additions(of: $0, in: name.record) }
      requests += RecordWorkload.requestIDs.map { tables.request($0, in: name.record)?.stamp }
    }
  }
}

/// The rules of records restated over the whole set of operations, superseded ones included.
struct RecordOracle {
  typealias Fact<Content> = (content: Content, stamp: OperationStamp)

  private(set) var definitions: [Fact<CollectionDefinition>] = []
  private(set) var changes: [Fact<RecordChange>] = []

  init(_ operations: [Placed]) {
    for placed in operations.sorted(by: { $0.stamp < $1.stamp }) {
      switch placed.operation {
      case .define(let content): definitions.append((content, placed.stamp))
      case .change(let content): changes.append((content, placed.stamp))
      case .register, .ask, .answer, .resolve, .announce, nil: break
      }
    }
  }

  /// A write or an addition, or a removal that only names others.
  struct Event {
    let stamp: OperationStamp
    let seen: [RecordDot]
    let isWrite: Bool
    let priority: UInt8
    let isDelete: Bool
  }

  /// What stands, by the definition: every rule asks the whole history.
  static func standing(_ events: [Event], siblings: Int) -> [Event] {
    let names = events.flatMap { event in event.seen.filter { $0.time < event.stamp.time } }
    let writes = events.filter(\.isWrite)
    var last: [LaneID: HybridTime] = [:]
    for name in names { last[name.lane] = max(last[name.lane] ?? .zero, name.time) }
    for write in writes {
      last[write.stamp.lane] = max(last[write.stamp.lane] ?? .zero, write.stamp.time)
    }
    let times = last.values.sorted(by: >)
    let floor = times.count > 64 ? times[64] : .zero
    return writes.filter { write in
      let later = writes.count { $0.stamp.lane == write.stamp.lane && write.stamp < $0.stamp }
      let isNamed = names.contains { $0.lane == write.stamp.lane && write.stamp.time <= $0.time }
      return !isNamed && write.stamp.time > floor && later < siblings
    }
  }

  func events(_ name: RecordName) -> [Event] {
    changes.filter { $0.content.name == name }.compactMap { change in
      switch change.content.action {
      case .put(_, let priority, let seen):
        Event(
          stamp: change.stamp, seen: seen, isWrite: true, priority: priority, isDelete: false)
      case .delete(let priority, let seen):
        Event(stamp: change.stamp, seen: seen, isWrite: true, priority: priority, isDelete: true)
      case .add, .insert, .remove: nil
      }
    }
  }

  func events(_ name: RecordName, _ wanted: String) -> [Event] {
    changes.filter { $0.content.name == name }.compactMap { change in
      switch change.content.action {
      case .insert(wanted, let seen):
        Event(stamp: change.stamp, seen: seen, isWrite: true, priority: 0, isDelete: false)
      case .remove(wanted, let seen):
        Event(stamp: change.stamp, seen: seen, isWrite: false, priority: 0, isDelete: false)
      case .put, .delete, .add, .insert, .remove: nil
      }
    }
  }

  func first(_ request: RecordRequestID, _ name: RecordName) -> Fact<RecordChange>? {
    changes.first { $0.content.name == name && $0.content.request == request }
  }

  func total(_ name: RecordName) -> Int128? {
    var sum: Int128?
    for change in changes where change.content.name == name {
      guard case .add(let delta) = change.content.action else { continue }
      sum = sum ?? 0
      let isRepeated = change.content.request.map {
        first($0, name)?.stamp != change.stamp
      }
      if isRepeated != true { sum = (sum ?? 0) + Int128(delta) }
    }
    return sum
  }

  var reading: RecordReading {
    var reading = RecordReading()
    reading.collections = RecordWorkload.collections.map { name in
      definitions.first { $0.content.name == name }.map {
        CollectionSummary(
          name: name, policy: $0.content.policy, agent: $0.content.agent, stamp: $0.stamp)
      }
    }
    for name in RecordWorkload.names {
      let policy = definitions.first { $0.content.name == name.collection }?.content.policy
      let standing = RecordWorkload.elements.map {
        RecordOracle.standing(events(name, $0), siblings: 1)
      }
      let isChanged = changes.contains { $0.content.name == name }
      reading.records.append(
        policy.flatMap { policy in
          guard isChanged else { return nil }
          return RecordSummary(
            record: name.record, policy: policy,
            writes: RecordOracle.standing(events(name), siblings: 4).map {
              RecordVersion(stamp: $0.stamp, priority: $0.priority, isDelete: $0.isDelete)
            }, total: total(name), elements: UInt32(standing.count { !$0.isEmpty }))
        })
      reading.additions += standing.map { events in
        events.map { RecordDot(lane: $0.stamp.lane, time: $0.stamp.time) }.sorted()
      }
      reading.requests += RecordWorkload.requestIDs.map { first($0, name)?.stamp }
    }
    return reading
  }
}
