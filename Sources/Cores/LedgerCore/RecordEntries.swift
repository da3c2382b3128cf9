internal import Primitives
internal import Records

/// A collection, or a placeholder for one whose records are changed before it is defined.
struct CollectionEntry {
  let name: String
  var defined: Defined?

  struct Defined {
    let policy: CollectionPolicy
    let agent: AgentID
    let stamp: CompactStamp
    let rowDigest: Digest
  }
}

/// A record without its texts.
///
/// It holds what changes of every kind lead to, because the collection's policy may yet be another
/// one: the policy only chooses what is shown.
struct RecordEntry {
  let record: RecordID
  let collection: UInt32
  /// The writes that stand.
  var clock = RecordClock()
  /// The sum of all additions; `nil` when there was none.
  var total: Int128?
  /// How many elements are present.
  var elements: UInt32 = 0
  /// The digest of the row; `nil` before the first.
  var rowDigest: Digest?
}

/// The kind of identifier that stands for an element of one record.
enum ElementKind {}

/// An element of a set without its text.
struct ElementEntry {
  /// The additions that stand: one is enough.
  var clock = RecordClock()
  var rowDigest: Digest?

  var isPresent: Bool { !clock.live.isEmpty }
}

/// The operation with the smallest stamp among those that answer one request.
struct RequestEntry {
  var fingerprint: RecordRequestID
  /// What it adds to the record's counter; 0 for changes of other kinds.
  var delta: Int64
  var stamp: CompactStamp
  var rowDigest: Digest
}
