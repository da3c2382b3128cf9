internal import Primitives
package import Records

/// Reads of records. O(writes that stand) unless said otherwise.
extension LiveTables {
  /// A defined collection. O(1).
  package func collection(_ name: String) -> CollectionSummary? {
    guard let index = collectionIndexes[name], let defined = collections[Int(index)].defined else {
      return nil
    }
    return CollectionSummary(
      name: name, policy: defined.policy, agent: defined.agent, stamp: expand(defined.stamp))
  }

  /// A record that was ever changed, by the policy of its collection; `nil` also while the
  /// collection is not defined.
  package func record(_ record: RecordID) -> RecordSummary? {
    guard let index = recordIndexes[record],
      let defined = collections[Int(records[Int(index)].collection)].defined
    else { return nil }
    let entry = records[Int(index)]
    return RecordSummary(
      record: record, policy: defined.policy,
      writes: entry.clock.live.sorted { precedes($0.stamp, $1.stamp) }.map {
        RecordVersion(stamp: expand($0.stamp), priority: $0.priority, isDelete: $0.isDelete)
      }, total: entry.total, elements: entry.elements)
  }

  /// What a change of an element supersedes: the additions that stand; empty when the element is
  /// not in the set.
  package func additions(of element: String, in record: RecordID) -> [RecordDot] {
    guard let entry = elements[LiveTables.elementKey(record, element)] else { return [] }
    return RecordDot.seen(
      entry.clock.live.map {
        RecordDot(lane: lanes[Int($0.stamp.lane)], time: HybridTime(raw: $0.stamp.time))
      })
  }

  /// The change of a record that answers a request; of several, that with the smallest stamp. O(1).
  package func request(_ request: RecordRequestID, in record: RecordID) -> RecordRequestSummary? {
    requests[LiveTables.requestKey(record, request)].map {
      RecordRequestSummary(fingerprint: $0.fingerprint, stamp: expand($0.stamp))
    }
  }
}

/// A collection as the live tables know it.
package struct CollectionSummary: Hashable, Sendable {
  /// What it is called.
  package let name: String
  /// What becomes of concurrent writes.
  package let policy: CollectionPolicy
  /// Who defined it.
  package let agent: AgentID
  /// The operation that defined it.
  package let stamp: OperationStamp

  /// Describes a collection.
  package init(name: String, policy: CollectionPolicy, agent: AgentID, stamp: OperationStamp) {
    self.name = name
    self.policy = policy
    self.agent = agent
    self.stamp = stamp
  }
}

/// A write that stands; what it wrote is in storage.
package struct RecordVersion: Hashable, Sendable {
  /// The operation.
  package let stamp: OperationStamp
  /// How much it matters.
  package let priority: UInt8
  /// Whether it deletes the record.
  package let isDelete: Bool

  /// Describes a write.
  package init(stamp: OperationStamp, priority: UInt8, isDelete: Bool) {
    self.stamp = stamp
    self.priority = priority
    self.isDelete = isDelete
  }
}

/// A record as the live tables know it.
package struct RecordSummary: Hashable, Sendable {
  /// The record.
  package let record: RecordID
  /// The policy of its collection.
  package let policy: CollectionPolicy
  /// The writes that stand, in the order of their stamps.
  package let writes: [RecordVersion]
  /// The counter; `nil` when nothing was ever added.
  package let total: Int128?
  /// How many elements the set has.
  package let elements: UInt32

  /// Describes a record.
  package init(
    record: RecordID, policy: CollectionPolicy, writes: [RecordVersion], total: Int128?,
    elements: UInt32
  ) {
    self.record = record
    self.policy = policy
    self.writes = writes
    self.total = total
    self.elements = elements
  }

  /// The write that is shown: by priority and stamp, or by stamp alone; `nil` when none stands or
  /// the policy knows no writes.
  package var winner: RecordVersion? {
    switch policy {
    case .lastWriter, .siblings: writes.last
    case .priority:
      // Of equal priorities the last, which has the greatest stamp.
      writes.reduce(nil as RecordVersion?) { best, write in
        best.map { write.priority >= $0.priority ? write : $0 } ?? write
      }
    case .counter, .set: nil
    }
  }

  /// Whether several writes stand that did not see one another.
  package var isConflict: Bool { policy.isRegister && writes.count > 1 }

  /// What a write that saw this state supersedes.
  package var seen: [RecordDot] {
    RecordDot.seen(writes.map { RecordDot(lane: $0.stamp.lane, time: $0.stamp.time) })
  }
}

extension RecordDot {
  /// Brings dots into the order of operations; when there are too many, the last of each lane stand
  /// for all: a name supersedes what is earlier in its lane.
  static func seen(_ dots: [RecordDot]) -> [RecordDot] {
    let sorted = dots.sorted()
    guard sorted.count > LedgerLimits.seenCount.upperBound else { return sorted }
    let last = zip(sorted, sorted.dropFirst().map(\.lane) + [nil])
    return last.filter { $0.lane != $1 }.map(\.0)
  }
}

/// The change that answers a client's request.
package struct RecordRequestSummary: Hashable, Sendable {
  /// What the request asked for; see `RecordChange.fingerprint`.
  package let fingerprint: RecordRequestID
  /// The operation.
  package let stamp: OperationStamp

  /// Describes a request.
  package init(fingerprint: RecordRequestID, stamp: OperationStamp) {
    self.fingerprint = fingerprint
    self.stamp = stamp
  }
}
