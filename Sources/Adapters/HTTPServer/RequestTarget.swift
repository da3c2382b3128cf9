/// The parts of a request target in origin form or absolute form (RFC 9112 section 3.2).
struct RequestTarget: Equatable {
  /// The path between its slashes, percent-decoded.
  private(set) var segments: [String] = []
  /// The query in its order.
  private(set) var query: [HTTPQueryItem] = []

  /// Splits and decodes a target, or returns `nil` when it breaks the grammar, or when a decoded
  /// part is not UTF-8 or holds a zero byte.
  init?(_ target: [UInt8]) {
    var rest = target[...]
    if rest.first != UInt8(ascii: "/") {
      guard let path = Self.path(ofAbsolute: rest) else {
        // The asterisk form has no segments.
        guard target == [UInt8(ascii: "*")] else { return nil }
        return
      }
      rest = path
    }
    for byte in rest where byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "#") { return nil }
    let end = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
    if rest.startIndex < end {
      let path = rest[(rest.startIndex + 1)..<end]
      for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        guard let segment = Self.decoded(part, plusIsSpace: false) else { return nil }
        segments.append(segment)
      }
    } else {
      segments = [""]
    }
    guard end < rest.endIndex else { return }
    for pair in rest[(end + 1)...].split(separator: UInt8(ascii: "&")) {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      guard let name = Self.decoded(pair[..<equals], plusIsSpace: true),
        let value = Self.decoded(pair[equals...].dropFirst(), plusIsSpace: true)
      else { return nil }
      query.append(HTTPQueryItem(name: name, value: value))
    }
  }

  /// Returns what follows the authority of `http://authority/path`.
  private static func path(ofAbsolute target: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    for scheme in ["http://", "https://"] where target.starts(with: scheme.utf8) {
      let authority = target.dropFirst(scheme.utf8.count)
      let end = authority.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
      guard end != authority.startIndex, !authority.isEmpty else { return nil }
      return authority[(end ?? authority.endIndex)...]
    }
    return nil
  }

  /// Resolves `%` escapes, or returns `nil` for broken ones, zero bytes and broken UTF-8.
  private static func decoded(_ text: ArraySlice<UInt8>, plusIsSpace: Bool) -> String? {
    var needsDecoding = false
    for byte in text where byte == UInt8(ascii: "%") || (plusIsSpace && byte == UInt8(ascii: "+")) {
      needsDecoding = true
      break
    }
    guard needsDecoding else { return String(decoding: text, as: UTF8.self) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      index += 1
      if byte == UInt8(ascii: "%") {
        guard index + 1 < text.endIndex, let high = hexadecimalValue(text[index]),
          let low = hexadecimalValue(text[index + 1]), high | low != 0
        else { return nil }
        bytes.append(high << 4 | low)
        index += 2
      } else {
        bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
