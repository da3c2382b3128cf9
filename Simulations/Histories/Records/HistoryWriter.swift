internal import JSONText

/// Writes a history as JSON lines, one operation per line; the format is in the reference.
package struct HistoryWriter: Sendable {
  private var writer = JSONWriter()

  /// Makes a writer, whose memory is kept between lines.
  package init() {}

  /// The whole history.
  package mutating func text(of history: History) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(history.records.count * 128)
    for record in history.records { append(record, to: &text) }
    return text
  }

  /// Appends one operation and the end of its line.
  package mutating func append(_ record: HistoryRecord, to text: inout [UInt8]) {
    writer.reset()
    writer.beginObject()
    writer.key("client")
    writer.unsigned(record.client)
    writer.key("op")
    writer.string(record.operation.name)
    writer.key("key")
    writer.string(record.key)
    writer.key("args")
    arguments(record.operation)
    writer.key("result")
    result(record.result)
    writer.key("call")
    writer.unsigned(record.call)
    writer.key("return")
    if let answered = record.answered { writer.unsigned(answered) } else { writer.null() }
    writer.endObject()
    text.append(contentsOf: writer.bytes)
    text.append(UInt8(ascii: "\n"))
  }

  private mutating func arguments(_ operation: HistoryOperation) {
    writer.beginObject()
    switch operation {
    case .get, .lock: break
    case .put(let value): member("value", value)
    case .compareAndSet(let expected, let value):
      member("expected", expected)
      member("value", value)
    case .delete(let expected):
      if let expected { member("expected", expected) }
    case .unlock(let token): member("token", token)
    case .watch(let after): member("after", after)
    }
    writer.endObject()
  }

  private mutating func result(_ result: HistoryResult) {
    writer.beginObject()
    member("status", result.status)
    switch result {
    case .unknown, .refused, .absent, .held, .released, .lost, .deleted(nil): break
    case .written(let version), .conflict(let version), .deleted(let version?):
      member("version", version)
    case .value(let value, let version):
      member("value", value)
      member("version", version)
    case .acquired(let token): member("token", token)
    case .observed(let through, let events):
      member("through", through)
      writer.key("events")
      writer.beginArray()
      for event in events { self.event(event) }
      writer.endArray()
    }
    writer.endObject()
  }

  private mutating func event(_ event: WatchEvent) {
    writer.beginObject()
    member("revision", event.revision)
    member("key", event.key)
    writer.key("value")
    if let value = event.value { writer.string(value) } else { writer.null() }
    writer.endObject()
  }

  private mutating func member(_ key: String, _ text: String) {
    writer.key(key)
    writer.string(text)
  }

  private mutating func member(_ key: String, _ number: UInt64) {
    writer.key(key)
    writer.unsigned(number)
  }
}
