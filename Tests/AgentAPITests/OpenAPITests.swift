import Foundation
import HTTPServer
import JSONText
import Testing

/// The description and its copy in the reference.
struct OpenAPITests {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../docs/reference/openapi.json").standardizedFileURL

  @Test func `the copy in the reference is what the interface gives`() throws {
    let text = OpenAPITests.indented(Door.contract.document)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(text.utf8).write(to: OpenAPITests.file)
    }
    let stored = try String(contentsOf: OpenAPITests.file, encoding: .utf8)
    #expect(stored == text, "run the tests with UPDATE_GOLDEN=1 to write it anew")
  }

  @Test func `every operation has a name of its own and describes its refusals`() {
    let names = Door.contract.operations.compactMap { $0.value["operationId"]?.string }
    #expect(names.count == Door.contract.operations.count)
    #expect(Set(names).count == names.count)
    for operation in Door.contract.operations {
      #expect(operation.value["responses"]?["422"] != nil, "\(operation.template)")
      #expect(operation.value["summary"]?.string?.isEmpty == false)
    }
  }

  @Test func `every reference leads somewhere`() {
    let text = String(decoding: Door().get("/openapi.json").response.body, as: UTF8.self)
    for part in text.components(separatedBy: "\"#/components/schemas/").dropFirst() {
      let name = String(part.prefix { $0 != "\"" })
      #expect(Door.contract.document["components"]?["schemas"]?[name] != nil, "\(name)")
    }
  }

  @Test func `every route is in the page of the reference`() throws {
    let page = OpenAPITests.file.deletingLastPathComponent().appending(path: "http.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    for operation in Door.contract.operations {
      let title = "### `\(operation.method.uppercased()) \(operation.template)`"
      #expect(text.contains(title), "http.md lacks \(title)")
    }
  }

  @Test func `every kind of problem is in the page of the reference`() throws {
    let page = OpenAPITests.file.deletingLastPathComponent().appending(path: "http.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let document = String(decoding: Door().get("/openapi.json").response.body, as: UTF8.self)
    let kinds = Set(
      document.components(separatedBy: "(/problems/").dropFirst()
        .map { String($0.prefix { $0 != ")" }) })
    #expect(kinds.count > 10)
    for kind in kinds { #expect(text.contains("| `/problems/\(kind)` |"), "\(kind)") }
  }

  /// The text with two spaces per level, one member or element per line.
  private static func indented(_ value: JSONValue) -> String {
    var text = ""
    write(value, indent: "", to: &text)
    return text + "\n"
  }

  private static func write(_ value: JSONValue, indent: String, to text: inout String) {
    let inner = indent + "  "
    switch value {
    case .object(let members) where !members.isEmpty:
      text += "{\n"
      for (index, member) in members.enumerated() {
        text += inner + compact(.string(member.key)) + ": "
        write(member.value, indent: inner, to: &text)
        text += index + 1 < members.count ? ",\n" : "\n"
      }
      text += indent + "}"
    case .array(let elements) where !elements.isEmpty:
      text += "[\n"
      for (index, element) in elements.enumerated() {
        text += inner
        write(element, indent: inner, to: &text)
        text += index + 1 < elements.count ? ",\n" : "\n"
      }
      text += indent + "]"
    case .object, .array, .null, .bool, .integer, .decimal, .string: text += compact(value)
    }
  }

  private static func compact(_ value: JSONValue) -> String {
    var writer = JSONWriter()
    writer.value(value)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
