import HTTPServer
import JSONText
import Testing

/// Checks replies against the OpenAPI document that the interface itself gives, by a small reading
/// of JSON Schema that knows the keywords the document uses and refuses others.
struct Contract {
  let document: JSONValue

  /// Every path template with its methods.
  var operations: [(template: String, method: String, value: JSONValue)] {
    (document["paths"]?.object ?? []).flatMap { path in
      (path.value.object ?? []).map { (path.key, $0.key, $0.value) }
    }
  }

  /// The operation that takes a request; `nil` when the document has none.
  func operation(_ method: HTTPMethod, _ target: String) -> JSONValue? {
    let path = target.prefix { $0 != "?" }.replacing("/v1/swarms/main/", with: "/v1/")
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    for entry in operations where entry.method == method.rawValue.lowercased() {
      let template = entry.template.split(separator: "/", omittingEmptySubsequences: false)
      // The last parameter of these paths takes all that is left.
      let takesRest = [
        "/v1/kv/{key}", "/v1/locks/{name}", "/v1/proofs/row/{table}/{key}",
      ].contains(entry.template)
      guard takesRest ? template.count <= parts.count : template.count == parts.count else {
        continue
      }
      if zip(template, parts).allSatisfy({ $0 == $1 || $0.hasPrefix("{") }) { return entry.value }
    }
    return nil
  }

  /// What is wrong with a reply; `nil` when nothing is.
  func fault(_ method: HTTPMethod, _ target: String, _ response: HTTPResponse) -> String? {
    guard let operation = operation(method, target) else {
      let isExpected = response.status == 404 || response.status == 405
      return isExpected ? nil : "status \(response.status) of an undescribed path"
    }
    guard let reply = operation["responses"]?["\(response.status)"] else {
      return "undescribed status \(response.status)"
    }
    guard let content = reply["content"]?[response.contentType ?? "none"] else {
      return "undescribed media type \(response.contentType ?? "none")"
    }
    guard let schema = content["schema"] else { return "no schema" }
    guard response.contentType?.contains("json") == true else { return nil }
    guard let value = try? JSONValue.parse(response.body) else { return "the body is no JSON" }
    return fault(value, schema, at: "body")
  }

  private func fault(_ value: JSONValue, _ schema: JSONValue, at path: String) -> String? {
    if let reference = schema["$ref"]?.string {
      guard let name = reference.split(separator: "/").last,
        let target = document["components"]?["schemas"]?[String(name)]
      else { return "\(path): dangling \(reference)" }
      return fault(value, target, at: path)
    }
    if value.isNull {
      return schema["nullable"]?.bool == true ? nil : "\(path): null"
    }
    if let any = schema["anyOf"]?.array {
      let faults = any.compactMap { fault(value, $0, at: path) }
      return faults.count < any.count ? nil : faults.first
    }
    if let all = schema["allOf"]?.array {
      for part in all {
        if let fault = fault(value, part, at: path) { return fault }
      }
      return nil
    }
    if let words = schema["enum"]?.array, !words.contains(value) { return "\(path): not in enum" }
    switch schema["type"]?.string {
    case "object": return objectFault(value, schema, at: path)
    case "array":
      guard let elements = value.array, let items = schema["items"] else {
        return "\(path): no array"
      }
      for (index, element) in elements.enumerated() {
        if let fault = fault(element, items, at: "\(path)[\(index)]") { return fault }
      }
      return nil
    case "string": return stringFault(value, schema, at: path)
    case "integer":
      guard let number = value.integer else { return "\(path): no integer" }
      if let least = schema["minimum"]?.integer, number < least { return "\(path): \(number)" }
      return nil
    case "number":
      return value.integer != nil || value.fixedPoint(scale: 6) != nil ? nil : "\(path): no number"
    case "boolean": return value.bool == nil ? "\(path): no boolean" : nil
    // Any JSON value.
    case nil where schema["nullable"]?.bool == true: return nil
    case let other: return "\(path): unknown type \(other ?? "none")"
    }
  }

  private func objectFault(
    _ value: JSONValue, _ schema: JSONValue, at path: String
  ) -> String? {
    guard let members = value.object else { return "\(path): no object" }
    guard let properties = schema["properties"] else {
      // An object with free members, or one whose keys are data.
      guard let values = schema["additionalProperties"] else { return nil }
      for member in members {
        if let fault = fault(member.value, values, at: "\(path).\(member.key)") { return fault }
      }
      return nil
    }
    for name in schema["required"]?.array ?? [] where value[name.string ?? ""] == nil {
      return "\(path): lacks \(name.string ?? "")"
    }
    for member in members {
      guard let property = properties[member.key] else {
        return "\(path): undescribed \(member.key)"
      }
      if let fault = fault(member.value, property, at: "\(path).\(member.key)") { return fault }
    }
    return nil
  }

  private func stringFault(
    _ value: JSONValue, _ schema: JSONValue, at path: String
  ) -> String? {
    guard let text = value.string else { return "\(path): no string" }
    if let pattern = schema["pattern"]?.string {
      guard let regex = try? Regex(pattern) else { return "\(path): bad pattern \(pattern)" }
      if text.wholeMatch(of: regex) == nil { return "\(path): \(text) is not \(pattern)" }
    }
    switch schema["format"]?.string {
    case "uuid": return text.utf8.count == 36 ? nil : "\(path): \(text) is no UUID"
    case "byte": return text.utf8.count % 4 == 0 ? nil : "\(path): \(text) is no base 64"
    case "date-time":
      return text.utf8.count == 24 && text.hasSuffix("Z") ? nil : "\(path): \(text) is no time"
    case nil: return nil
    case let other?: return "\(path): unknown format \(other)"
    }
  }
}
