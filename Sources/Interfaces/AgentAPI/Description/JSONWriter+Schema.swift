internal import JSONText

/// Rules and shapes as JSON Schema in the dialect of OpenAPI 3.0.3.
extension JSONWriter {
  /// Writes an object of a request: known members only.
  mutating func schema(of rule: ObjectRule) {
    beginObject()
    member("type", "object")
    key("additionalProperties")
    bool(false)
    let required = rule.fields.filter(\.isRequired).map(\.name)
    if !required.isEmpty {
      key("required")
      words(required)
    }
    key("properties")
    beginObject()
    for field in rule.fields {
      key(field.name)
      schema(field.kind, field.fallback, note: field.note)
    }
    endObject()
    endObject()
  }

  /// Writes the schema of a field, with the value that stands in for it.
  mutating func schema(_ kind: FieldRule.Kind, _ fallback: String?, note: String? = nil) {
    beginObject()
    writeMembers(of: kind)
    if let note {
      let stand = fallback.map { " Default: \($0)." } ?? ""
      member("description", note + stand)
    } else if let fallback {
      member("description", "Default: \(fallback).")
    }
    endObject()
  }

  private mutating func writeMembers(of kind: FieldRule.Kind) {
    switch kind {
    case .line(let range): text(range, pattern: JSONWriter.linePattern(range))
    case .text(let range): text(range, pattern: JSONWriter.textPattern(range))
    case .bytes(let range): text(bytes: range)
    case .base64(let range): base64(range)
    case .token(let range): text(range, pattern: "^[!-~]*$")
    case .word(let allowed): choice(of: allowed)
    case .words(let allowed):
      member("type", "array")
      member("uniqueItems", true)
      key("items")
      beginObject()
      choice(of: allowed)
      endObject()
    case .lines(let each, let count):
      list(count)
      key("items")
      beginObject()
      text(each, pattern: JSONWriter.linePattern(each))
      endObject()
    case .integer(let range):
      member("type", "integer")
      key("minimum")
      integer(range.lowerBound)
      key("maximum")
      integer(range.upperBound)
    case .decimal(let range):
      member("type", "number")
      key("minimum")
      raw(Array(FieldRule.units(range.lowerBound).utf8))
      key("maximum")
      raw(Array(FieldRule.units(range.upperBound).utf8))
    case .json: member("nullable", true)
    case .flag: member("type", "boolean")
    case .identifier:
      member("type", "string")
      member("format", "uuid")
    case .timestamp:
      member("type", "string")
      member("format", "date-time")
    case .objects(let rule, let count):
      list(count)
      key("items")
      beginObject()
      member("$ref", "#/components/schemas/\(rule.name)")
      endObject()
    }
  }

  /// Writes the schema of a part of a response.
  mutating func schema(of shape: Shape) {
    beginObject()
    writeMembers(of: shape)
    endObject()
  }

  private mutating func writeMembers(of shape: Shape) {
    switch shape {
    case .text: member("type", "string")
    case .word(let allowed): choice(of: allowed)
    case .identifier:
      member("type", "string")
      member("format", "uuid")
    case .hexadecimal(let count):
      member("type", "string")
      member("pattern", count.map { "^[0-9a-f]{\($0)}$" } ?? "^([0-9a-f]{2})*$")
    case .base64:
      member("type", "string")
      member("format", "byte")
    case .operation:
      member("type", "string")
      member("pattern", "^[0-9a-f]{64}-[1-9][0-9]*-[0-9]+$")
    case .timestamp:
      member("type", "string")
      member("format", "date-time")
    case .count:
      member("type", "integer")
      member("minimum", 0)
    case .integer: member("type", "integer")
    case .json: member("nullable", true)
    case .decimal:
      member("type", "number")
      member("minimum", 0)
    case .flag: member("type", "boolean")
    case .list(let inner):
      member("type", "array")
      key("items")
      schema(of: inner)
    case .optional(let inner):
      member("nullable", true)
      writeNullable(inner)
    case .object(let members): object(members)
    case .map(let inner):
      member("type", "object")
      key("additionalProperties")
      schema(of: inner)
    case .either(let one, let other):
      key("anyOf")
      beginArray()
      schema(of: one)
      schema(of: other)
      endArray()
    case .named(let name, _): member("$ref", "#/components/schemas/\(name)")
    }
  }

  /// Writes the members of a shape that may also be `null`, which `nullable` has said.
  private mutating func writeNullable(_ shape: Shape) {
    switch shape {
    case .named(let name, _):
      // In OpenAPI 3.0 nothing may stand beside a reference.
      key("allOf")
      beginArray()
      beginObject()
      member("$ref", "#/components/schemas/\(name)")
      endObject()
      endArray()
    case .word(let allowed):
      member("type", "string")
      key("enum")
      beginArray()
      for word in allowed { string(word) }
      null()
      endArray()
    case .text, .base64, .identifier, .hexadecimal, .operation, .timestamp, .count, .integer,
      .json, .decimal, .flag, .list, .optional, .object, .map,
      .either:
      writeMembers(of: shape)
    }
  }

  private mutating func choice(of allowed: [String]) {
    member("type", "string")
    key("enum")
    words(allowed)
  }

  private mutating func object(_ members: [Shape.Member]) {
    member("type", "object")
    let required = members.filter { !$0.isOptional }.map(\.name)
    if !required.isEmpty {
      key("required")
      words(required)
    }
    key("properties")
    beginObject()
    for member in members {
      key(member.name)
      schema(of: member.shape)
    }
    endObject()
  }

  private mutating func text(_ range: ClosedRange<Int>, pattern: String) {
    member("type", "string")
    member("minLength", range.lowerBound)
    member("maxLength", range.upperBound)
    member("pattern", pattern)
  }

  /// A character takes at least one byte, so that its bytes bound its characters.
  private mutating func text(bytes range: ClosedRange<Int>) {
    member("type", "string")
    member("minLength", range.lowerBound == 0 ? 0 : 1)
    member("maxLength", range.upperBound)
  }

  private mutating func base64(_ range: ClosedRange<Int>) {
    member("type", "string")
    member("format", "byte")
    member("maxLength", (range.upperBound + 2) / 3 * 4)
  }

  private mutating func list(_ count: ClosedRange<Int>) {
    member("type", "array")
    member("minItems", count.lowerBound)
    member("maxItems", count.upperBound)
  }

  /// Text without control characters; not blank unless it may be empty.
  private static func linePattern(_ range: ClosedRange<Int>) -> String {
    let any = #"[^\u0000-\u001f\u007f-\u009f]"#
    return range.lowerBound == 0
      ? "^\(any)*$" : "^\(any)*" + #"[^\u0000-\u0020\u007f-\u009f]"# + "\(any)*$"
  }

  /// The same with line feeds and tabs.
  private static func textPattern(_ range: ClosedRange<Int>) -> String {
    let any = #"[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]"#
    return range.lowerBound == 0
      ? "^\(any)*$" : "^\(any)*" + #"[^\u0000-\u0020\u007f-\u009f]"# + "\(any)*$"
  }

  private mutating func words(_ words: [String]) {
    beginArray()
    for word in words { string(word) }
    endArray()
  }

  private mutating func member(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  private mutating func member(_ name: String, _ number: Int) {
    key(name)
    integer(number)
  }

  private mutating func member(_ name: String, _ truth: Bool) {
    key(name)
    bool(truth)
  }
}
