package import JSONText

/// Lays JSON out for people: two spaces per level, a key per line, short lists on one line.
package enum JSONLayout {
  /// The bytes of `value` with a final line end.
  package static func bytes(_ value: JSONValue) -> [UInt8] {
    var text = ""
    append(value, indent: "", to: &text)
    text += "\n"
    return Array(text.utf8)
  }

  private static func append(_ value: JSONValue, indent: String, to text: inout String) {
    let inner = indent + "  "
    switch value {
    case .object(let members) where !members.isEmpty:
      text += "{\n"
      for (index, member) in members.enumerated() {
        text += inner + compact(.string(member.key)) + ": "
        append(member.value, indent: inner, to: &text)
        text += index + 1 < members.count ? ",\n" : "\n"
      }
      text += indent + "}"
    case .array(let elements) where elements.contains(where: isContainer):
      text += "[\n"
      for (index, element) in elements.enumerated() {
        text += inner
        append(element, indent: inner, to: &text)
        text += index + 1 < elements.count ? ",\n" : "\n"
      }
      text += indent + "]"
    case .array(let elements):
      text += "[\(elements.map(compact).joined(separator: ", "))]"
    case .null, .bool, .integer, .decimal, .string, .object:
      text += compact(value)
    }
  }

  private static func isContainer(_ value: JSONValue) -> Bool {
    switch value {
    case .array, .object: true
    case .null, .bool, .integer, .decimal, .string: false
    }
  }

  private static func compact(_ value: JSONValue) -> String {
    var writer = JSONWriter()
    writer.value(value)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
