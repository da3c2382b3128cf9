internal import Crypto
internal import LedgerCore
internal import Primitives
internal import Records
internal import Wire

/// What a client has read of a record, as an opaque text that it hands back when it writes.
///
/// A write supersedes exactly what its context names, wherever it is written. The text binds the
/// names to their record and ends in a checksum. It holds no secret and grants nothing: whoever
/// makes one up supersedes what is there anyway.
///
/// ```
/// version 1 | record 16 | count var, (lane 32 | time 8)... | checksum 8, in hexadecimal
/// ```
struct RecordContext {
  private static let version: UInt8 = 1

  /// How long the text is.
  static let length = 52...(2 * (1 + 16 + 1 + 40 * LedgerLimits.seenCount.upperBound + 8))

  let record: RecordID
  let seen: [RecordDot]

  init(record: RecordID, seen: [RecordDot]) {
    self.record = record
    self.seen = seen
  }

  /// Reads a context; `nil` unless it was made for this record and is undamaged.
  init?(text: String, record: RecordID) {
    guard let bytes = Hexadecimal.bytes(text), bytes.count >= 26 else { return nil }
    do throws(WireError) {
      let span = bytes.span.bytes
      var cursor = WireCursor()
      guard try cursor.readUInt8(span) == RecordContext.version,
        try cursor.readIdentifier(span, of: RecordKind.self) == record
      else { return nil }
      let seen = try RecordDot.decodeList(from: span, at: &cursor)
      let body = Array(bytes[..<cursor.offset])
      guard try cursor.readUInt64(span) == RecordContext.checksum(body) else { return nil }
      try cursor.expectEnd(span)
      self.init(record: record, seen: seen)
    } catch {
      return nil
    }
  }

  /// The opaque text.
  var text: String {
    var writer = WireWriter(capacity: 32 + seen.count * 40)
    writer.write(RecordContext.version)
    writer.write(record)
    RecordDot.encode(seen, into: &writer)
    writer.write(RecordContext.checksum(writer.bytes))
    return Hexadecimal.text(writer.bytes)
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt64 {
    Blake2b.hash(bytes, .record).words.0
  }
}

/// The names of policies in requests and responses.
enum PolicyNames {
  static let all = CollectionPolicy.allCases.map(name(of:))

  static func name(of policy: CollectionPolicy) -> String {
    switch policy {
    case .lastWriter: "lww"
    case .siblings: "siblings"
    case .counter: "counter"
    case .set: "set"
    case .priority: "priority"
    }
  }

  static func policy(named name: String) -> CollectionPolicy? {
    CollectionPolicy.allCases.first { self.name(of: $0) == name }
  }
}
