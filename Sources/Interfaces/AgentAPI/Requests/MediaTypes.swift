internal import HTTPServer

/// Content negotiation, as much of it as an interface of one media type needs.
enum MediaTypes {
  /// Refuses a body that is not declared as JSON (RFC 9110 section 8.3).
  static func checkContentType(_ headers: HTTPHeaders) throws(APIProblem) {
    if headers["Content-Type"] == "application/json", !headers.isRepeated("Content-Type") { return }
    let values = headers.values("Content-Type")
    guard values.count == 1, essence(values[0]) == "application/json", hasUTF8(values[0]) else {
      let given = values.isEmpty ? "nothing" : "\"\(values.joined(separator: ", ").prefix(80))\""
      throw APIProblem(
        .unsupportedMediaType,
        "the body is declared as \(given); send it with Content-Type: application/json")
    }
  }

  /// Refuses a request that accepts neither what the route offers nor anything (RFC 9110 section
  /// 12.5.1). The refusal itself is sent as problem+json all the same.
  static func checkAccept(_ headers: HTTPHeaders, offered: [String]) throws(APIProblem) {
    guard let first = headers["Accept"] else { return }
    if first == "*/*" { return }
    let values = headers.values("Accept")
    let ranges = values.flatMap { $0.split(separator: ",") }.filter { !isRefused($0) }
      .map { essence($0) }
    for type in offered {
      let wanted = essence(type)
      let family = wanted.prefix { $0 != "/" } + "/*"
      if ranges.contains(where: { $0 == wanted || $0 == "*/*" || $0 == family }) { return }
    }
    let list = offered.map { String(essence($0)) }
    throw APIProblem(
      .notAcceptable,
      "the answer is \(Set(list).sorted().joined(separator: " or ")); accept that or */*")
  }

  /// The type and subtype without parameters, in lower case.
  private static func essence(_ text: some StringProtocol) -> String {
    let type = text.prefix { $0 != ";" }
    var bytes: [UInt8] = []
    for byte in type.utf8 where byte != 0x20 && byte != 0x09 {
      bytes.append(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the parameters name no character set other than UTF-8.
  private static func hasUTF8(_ text: String) -> Bool {
    for parameter in text.split(separator: ";").dropFirst() {
      let parameter = essence(parameter)
      guard parameter.hasPrefix("charset=") else { continue }
      let name = parameter.dropFirst("charset=".count)
      return name == "utf-8" || name == "\"utf-8\"" || name == "us-ascii"
    }
    return true
  }

  /// Whether a range carries `q=0`, which means "not this".
  private static func isRefused(_ range: Substring) -> Bool {
    for parameter in range.split(separator: ";").dropFirst() {
      let parameter = essence(parameter)
      guard parameter.hasPrefix("q=") else { continue }
      return parameter.dropFirst(2).allSatisfy { $0 == "0" || $0 == "." }
    }
    return false
  }
}
