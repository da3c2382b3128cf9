internal import ControlCore
internal import JSONText
internal import Records

/// What a watch shows, as server-sent events (HTML, section 9.2).
enum EventText {
  /// The text of events, whole revisions; the last event of each names the revision (W1).
  static func text(of records: [ControlEventRecord]) -> [UInt8] {
    var text: [UInt8] = []
    var writer = JSONWriter(capacity: 512)
    for (index, record) in records.enumerated() {
      let isLast =
        index + 1 == records.count || records[index + 1].revision != record.revision
      writer.reset()
      write(record, to: &writer)
      append(
        name(of: record.event), id: isLast ? record.revision : nil, data: writer.bytes, to: &text)
    }
    return text
  }

  /// The text of a bookmark (W2).
  static func bookmark(_ revision: UInt64) -> [UInt8] {
    var text: [UInt8] = []
    append("bookmark", id: revision, data: object("revision", revision), to: &text)
    return text
  }

  /// The text that says that the history is gone (W3).
  static func compacted(oldest: UInt64) -> [UInt8] {
    var text: [UInt8] = []
    append("compacted", id: nil, data: object("oldest", oldest), to: &text)
    return text
  }

  private static func object(_ name: String, _ number: UInt64) -> [UInt8] {
    var writer = JSONWriter(capacity: 48)
    writer.beginObject()
    writer.key(name)
    writer.unsigned(number)
    writer.endObject()
    return writer.bytes
  }

  private static func append(
    _ event: String, id: UInt64?, data: [UInt8], to text: inout [UInt8]
  ) {
    if let id {
      text.append(contentsOf: "id: ".utf8)
      text.append(contentsOf: String(id).utf8)
      text.append(UInt8(ascii: "\n"))
    }
    text.append(contentsOf: "event: ".utf8)
    text.append(contentsOf: event.utf8)
    // JSON as it is written here has no line breaks: they are escaped in strings.
    text.append(contentsOf: "\ndata: ".utf8)
    text.append(contentsOf: data)
    text.append(contentsOf: "\n\n".utf8)
  }

  private static func name(of event: ControlEvent) -> String {
    switch event {
    case .put: "put"
    case .deleted: "delete"
    case .leaseGone: "lease-gone"
    case .lockGranted: "lock-granted"
    case .lockReleased: "lock-released"
    }
  }

  private static func write(_ record: ControlEventRecord, to writer: inout JSONWriter) {
    writer.beginObject()
    switch record.event {
    case .put(let key, let value, let created, let lease):
      writer.writeMembers(
        of: ControlEntry(
          key: key, value: value, version: record.revision, created: created, lease: lease))
    case .deleted(let key, let formerVersion):
      writer.key("key")
      writer.string(key.text)
      writer.key("formerVersion")
      writer.unsigned(formerVersion)
    case .leaseGone(let lease, let isExpired):
      writer.key("lease")
      writer.unsigned(lease.value)
      writer.key("expired")
      writer.bool(isExpired)
    case .lockGranted(let name, let lease):
      write(name, lease, token: record.revision, to: &writer)
    case .lockReleased(let name, let lease, let token):
      write(name, lease, token: token, to: &writer)
    }
    writer.key("revision")
    writer.unsigned(record.revision)
    writer.endObject()
  }

  private static func write(
    _ name: ControlName, _ lease: LeaseID, token: UInt64, to writer: inout JSONWriter
  ) {
    writer.key("lock")
    writer.string(name.text)
    writer.key("lease")
    writer.unsigned(lease.value)
    writer.key("token")
    writer.unsigned(token)
  }
}
