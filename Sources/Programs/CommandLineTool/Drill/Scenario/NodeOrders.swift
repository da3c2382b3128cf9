internal import AdminSocket
internal import Configuration
internal import JSONText
internal import Primitives

/// What a program on this host says to a node through its admin socket.
package enum NodeOrders {
  /// How long a node may take to answer, in milliseconds.
  static let patienceMilliseconds = 3_000

  /// A node that did not do what it was told.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// The line that puts these links' disturbances in force in place of all before.
  package static func faults(_ links: [LinkFaults.Link], ids: [String], seed: UInt64) -> String {
    if links.isEmpty { return #"{"command":"heal"}"# }
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("command")
    writer.string("faults")
    writer.key("faults")
    writer.beginArray()
    for link in links {
      writer.beginObject()
      writer.key("peer")
      writer.string(ids[link.peer])
      switch (link.blocksIn, link.blocksOut) {
      case (true, true):
        writer.key("block")
        writer.bool(true)
      case (true, false):
        writer.key("block")
        writer.string("blockIn")
      case (false, true):
        writer.key("block")
        writer.string("blockOut")
      case (false, false): break
      }
      milliseconds("delayMilliseconds", link.delay.nanoseconds, &writer)
      milliseconds("jitterMilliseconds", link.jitter.nanoseconds, &writer)
      if link.lossMillionths > 0 {
        writer.key("lossPercent")
        writer.fixedPoint(Int64(link.lossMillionths), scale: 4)
      }
      writer.endObject()
    }
    writer.endArray()
    writer.key("seed")
    writer.unsigned(seed)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private static func milliseconds(
    _ key: String, _ nanoseconds: UInt64, _ writer: inout JSONWriter
  ) {
    guard nanoseconds > 0 else { return }
    writer.key(key)
    writer.fixedPoint(Int64(clamping: nanoseconds), scale: 6)
  }

  /// The line that has a leader hand over, to this node or to whoever is best.
  static func transfer(to id: String?) -> String {
    guard let id else { return #"{"command":"transfer"}"# }
    return #"{"command":"transfer","node":"\#(id)"}"#
  }

  /// Sends a line to a node and reads its answer, which may be a refusal.
  @discardableResult
  static func send(_ line: String, to node: ClusterFile.Node) throws -> JSONValue {
    let path = Files.resolve(NodeConfiguration.adminSocketName, in: node.dir)
    let text = try AdminClient.call(
      path: path, line: line, timeoutMilliseconds: patienceMilliseconds)
    let answer = try JSONValue.parse(Array(text.utf8))
    if let reason = answer["error"]?.string {
      throw Refusal(description: "node \(node.index): \(reason)")
    }
    return answer
  }
}
