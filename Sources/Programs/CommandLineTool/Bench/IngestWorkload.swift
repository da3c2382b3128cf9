internal import JSONText

/// Requests prepared once, so that clients spend their time on sending: every answer has the same
/// text, only its question and agent differ.
package struct IngestWorkload: Sendable {
  /// The questions.
  package let questions: [String]
  /// The body of a request with one answer.
  package let singleBody: [UInt8]
  /// The questions' members of a batch, one after the other, each with a comma behind it.
  private let batchItems: [UInt8]
  /// Bytes of one member with its comma; identifiers are equally long.
  private let itemBytes: Int

  /// Prepares answers whose content and reasoning have `bytes` bytes together.
  package init(questions: [String], bytes: Int) {
    precondition(IngestSettings.bytesRange.contains(bytes), "answers of \(bytes) bytes")
    self.questions = questions
    let content = String(repeating: "x", count: bytes - IngestSettings.reasoning.utf8.count)
    singleBody = IngestWorkload.answer(content: content, question: nil)
    let items = questions.map { IngestWorkload.answer(content: content, question: $0) }
    itemBytes = (items.first?.count ?? 0) + 1
    precondition(
      items.allSatisfy { [itemBytes] in $0.count + 1 == itemBytes }, "uneven identifiers")
    batchItems = items.flatMap { $0 + [UInt8(ascii: ",")] }
  }

  /// The body of a request with answers to the questions at some places.
  package func batchBody(_ places: Range<Int>) -> [UInt8] {
    let items = batchItems[places.lowerBound * itemBytes..<places.upperBound * itemBytes].dropLast()
    var body: [UInt8] = []
    body.reserveCapacity(items.count + 16)
    body += #"{"answers":["#.utf8
    body += items
    body += "]}".utf8
    return body
  }

  private static func answer(content: String, question: String?) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    if let question {
      writer.key("question")
      writer.string(question)
    }
    writer.key("value")
    writer.string("benchmark")
    writer.key("content")
    writer.string(content)
    writer.key("reasoning")
    writer.string(IngestSettings.reasoning)
    writer.key("confidence")
    writer.fixedPoint(5, scale: 1)
    writer.endObject()
    return writer.bytes
  }
}
