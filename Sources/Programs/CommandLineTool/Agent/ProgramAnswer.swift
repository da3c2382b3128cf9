package import JSONText

/// What a program answered, made complete.
package struct ProgramAnswer: Equatable, Sendable {
  /// The short form that is compared with other answers; `nil` when the content itself is.
  package let value: String?
  /// The answer in a sentence.
  package let content: String
  /// Why.
  package let reasoning: String
  /// How sure the program is, from 0 to 1; `nil` stands for 0.5.
  package let confidence: JSONValue?

  /// Bytes of the shortest content and reasoning that the API takes.
  private static let contentLeast = 10

  /// Reads `{"value"?, "content"?, "reasoning"?, "confidence"?}`, with at least a value or a
  /// content; what is missing is filled in. Other members are refused, so that a misspelt one is
  /// noticed.
  package init(_ output: [UInt8], program: String) throws(ProgramFault) {
    let json: JSONValue
    do {
      json = try JSONValue.parse(output)
    } catch {
      throw .malformed("\(error)")
    }
    guard let members = json.object else { throw .malformed("expected a JSON object") }
    let known = ["value", "content", "reasoning", "confidence"]
    for member in members where !known.contains(member.key) {
      throw .malformed("unknown member '\(member.key)': \(known.joined(separator: ", ")) are known")
    }
    try self.init(
      value: try ProgramAnswer.text("value", json),
      content: try ProgramAnswer.text("content", json),
      reasoning: try ProgramAnswer.text("reasoning", json), confidence: json["confidence"],
      author: program)
  }

  /// Completes an answer whose parts are known; `author` names who gave it.
  package init(
    value: String?, content: String?, reasoning: String?, confidence: JSONValue?, author: String
  ) throws(ProgramFault) {
    var value = value
    if value == nil, let content, content.count < ProgramAnswer.contentLeast { value = content }
    switch (value, content) {
    case (_, let content?) where content.count >= ProgramAnswer.contentLeast:
      self.content = content
    case (let value?, _):
      self.content = "The answer is \(value)."
    case (nil, _):
      throw .malformed("neither value nor content is there")
    }
    self.value = value
    self.reasoning =
      reasoning.map { $0.count < 20 ? "The reasons of \(author): \($0)" : $0 }
      ?? "\(author) gave this answer and no reasons for it."
    self.confidence = confidence
    guard confidence.map(ProgramAnswer.isNumber) ?? true else {
      throw .malformed("confidence is no number")
    }
  }

  /// Writes the body of `POST /v1/questions/{id}/answers`.
  package var body: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    if let value {
      writer.key("value")
      writer.string(value)
    }
    writer.key("content")
    writer.string(content)
    writer.key("reasoning")
    writer.string(reasoning)
    writer.key("confidence")
    if let confidence { writer.value(confidence) } else { writer.fixedPoint(5, scale: 1) }
    writer.endObject()
    return writer.bytes
  }

  private static func text(_ key: String, _ json: JSONValue) throws(ProgramFault) -> String? {
    guard let member = json[key], !member.isNull else { return nil }
    guard let text = member.string, text.contains(where: { !$0.isWhitespace }) else {
      throw .malformed("\(key) is no text")
    }
    return text
  }

  private static func isNumber(_ value: JSONValue) -> Bool {
    switch value {
    case .integer, .decimal: true
    case .null, .bool, .string, .array, .object: false
    }
  }
}
