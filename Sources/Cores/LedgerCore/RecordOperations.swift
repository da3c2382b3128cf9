internal import Crypto
package import Primitives
package import Records

/// The kind of identifier that names a shared record.
package enum RecordKind: Sendable {}

/// The kind of identifier that names a client's request to change a record.
package enum RecordRequestKind: Sendable {}

/// A shared record: half a digest of its collection and its key.
package typealias RecordID = Identifier<RecordKind>

/// A client's request, the same in every repetition of it.
package typealias RecordRequestID = Identifier<RecordRequestKind>

/// What becomes of concurrent writes to the records of a collection.
package enum CollectionPolicy: UInt8, CaseIterable, Sendable {
  /// The write with the greatest stamp is shown.
  case lastWriter = 1
  /// All of them are shown until a write names them as seen.
  case siblings = 2
  /// Numbers are added up.
  case counter = 3
  /// Elements are present while an addition of them was seen by no removal.
  case set = 4
  /// The write with the highest priority is shown; of several, that with the greatest stamp.
  case priority = 5

  /// Whether records hold one value that a write replaces, so that writes can be in conflict.
  package var isRegister: Bool {
    switch self {
    case .lastWriter, .siblings, .priority: true
    case .counter, .set: false
    }
  }
}

/// A collection of records and the policy of all of them.
package struct CollectionDefinition: Hashable, Sendable {
  /// A word of 1 to 64 ASCII letters, digits, `.`, `-` and `_`.
  package var name: String
  /// What becomes of concurrent writes.
  package var policy: CollectionPolicy
  /// Who defines it.
  package var agent: AgentID

  /// Describes a collection.
  package init(name: String, policy: CollectionPolicy, agent: AgentID) {
    self.name = name
    self.policy = policy
    self.agent = agent
  }
}

/// The name of a record: a collection and a key within it.
package struct RecordName: Hashable, Sendable {
  /// The collection's name.
  package var collection: String
  /// The key: one line of 1 to 256 bytes.
  package var key: String

  /// Names a record.
  package init(collection: String, key: String) {
    self.collection = collection
    self.key = key
  }

  /// The identifier that stands for the name. O(bytes).
  package var record: RecordID {
    var hash = RecordHash(.name)
    hash.update(collection)
    hash.update(key)
    return hash.identifier()
  }
}

/// One write as others name it: no two operations of a lane have one timestamp.
package struct RecordDot: Hashable, Comparable, Sendable {
  /// The lane.
  package let lane: LaneID
  /// The timestamp of the operation in it.
  package let time: HybridTime

  /// Names a write.
  package init(lane: LaneID, time: HybridTime) {
    self.lane = lane
    self.time = time
  }

  package static func < (left: RecordDot, right: RecordDot) -> Bool {
    left.lane != right.lane ? left.lane < right.lane : left.time < right.time
  }
}

/// What a change does to its record.
package enum RecordAction: Hashable, Sendable {
  /// Replaces the writes that were seen by a value: a JSON text of up to 16 KiB.
  case put(value: String, priority: UInt8, seen: [RecordDot])
  /// Replaces the writes that were seen by nothing.
  case delete(priority: UInt8, seen: [RecordDot])
  /// Adds a number to a counter.
  case add(delta: Int64)
  /// Puts an element of 1 to 256 bytes into a set.
  case insert(element: String, seen: [RecordDot])
  /// Takes back the additions of an element that were seen.
  case remove(element: String, seen: [RecordDot])
}

/// A change of one record.
package struct RecordChange: Hashable, Sendable {
  /// The record.
  package var name: RecordName
  /// Who changes it.
  package var agent: AgentID
  /// The request that the change answers, when the client named it.
  package var request: RecordRequestID?
  /// What is done.
  package var action: RecordAction

  /// Describes a change.
  package init(name: RecordName, agent: AgentID, request: RecordRequestID?, action: RecordAction) {
    self.name = name
    self.agent = agent
    self.request = request
    self.action = action
  }

  /// What tells two requests apart: everything but what was seen, which a repetition of a request
  /// cannot know.
  package var fingerprint: Identifier<RecordRequestKind> {
    var hash = RecordHash(.request)
    hash.update(name.collection)
    hash.update(name.key)
    hash.update(agent.bytes)
    switch action {
    case .put(let value, let priority, _):
      hash.update([1, priority])
      hash.update(value)
    case .delete(let priority, _): hash.update([2, priority])
    case .add(let delta):
      hash.update([3])
      hash.update(String(delta))
    case .insert(let element, _):
      hash.update([4])
      hash.update(element)
    case .remove(let element, _):
      hash.update([5])
      hash.update(element)
    }
    return hash.identifier()
  }
}

/// Hashes that name things of records, each kind apart from the others.
struct RecordHash {
  /// What is named.
  enum Subject: UInt8 {
    case name = 1
    case element = 2
    case request = 3
  }

  private var hash = Blake2b(.record)

  init(_ subject: Subject) {
    hash.update([subject.rawValue])
  }

  /// Takes a text with its length, so that neighbours cannot run into one another.
  mutating func update(_ text: String) {
    update(Array(text.utf8))
  }

  mutating func update(_ bytes: [UInt8]) {
    hash.update(UInt64(bytes.count))
    hash.update(bytes)
  }

  consuming func identifier<Kind>() -> Identifier<Kind> {
    Identifier(truncating: hash.finalize())
  }
}
