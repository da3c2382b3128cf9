import AgentAPI
import HTTPServer
import JSONText

/// The reader of a stream, who reads only when a test makes it.
final class FakeSink: EventSink {
  /// An event as a client sees it.
  struct Event: Equatable, CustomStringConvertible {
    let name: String
    let id: UInt64?
    let data: JSONValue

    var description: String {
      var writer = JSONWriter()
      writer.value(data)
      let id = id.map { "\($0) " } ?? ""
      return id + name + " " + String(decoding: writer.bytes, as: UTF8.self)
    }
  }

  var isOpen = true
  var onClosed: ((HTTPStream.End) -> Void)?
  var onDrained: (() -> Void)?
  /// Whether what is written is taken from the stream at once.
  var reads = true
  var bytesMax = 8 << 20
  private(set) var end: HTTPStream.End?
  private var pending: [UInt8] = []
  private var text: [UInt8] = []

  var pendingBytes: Int { pending.count }

  func write(_ bytes: [UInt8]) -> Bool {
    guard isOpen else { return false }
    guard pending.count + bytes.count <= bytesMax else {
      abandon()
      return false
    }
    if reads { text += bytes } else { pending += bytes }
    return true
  }

  func close() { finish(.finished) }
  func abandon() { finish(.tooSlow) }

  /// The client goes.
  func leave() { finish(.clientLeft) }

  private func finish(_ end: HTTPStream.End) {
    guard isOpen else { return }
    isOpen = false
    self.end = end
    let callback = onClosed
    onClosed = nil
    callback?(end)
  }

  /// Takes everything that is pending, again and again until nothing more comes.
  func readAll() {
    while !pending.isEmpty {
      text += pending
      pending = []
      onDrained?()
    }
  }

  /// What has come since the last call.
  func takeEvents() -> [Event] {
    defer { text = [] }
    return String(decoding: text, as: UTF8.self).split(separator: "\n\n").map { block in
      var name = ""
      var id: UInt64?
      var data = JSONValue.null
      for line in block.split(separator: "\n") {
        guard let colon = line.firstIndex(of: ":") else { continue }
        let value = line[colon...].dropFirst(2)
        switch line[..<colon] {
        case "event": name = String(value)
        case "id": id = UInt64(value)
        case "data": data = (try? JSONValue.parse(Array(value.utf8))) ?? .null
        default: break
        }
      }
      return Event(name: name, id: id, data: data)
    }
  }
}
