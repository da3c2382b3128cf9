import CMicroHTTPD
import Glibc

/// Why a request is answered by the server itself.
struct Refusal: Error {
  /// The count that the refusal belongs to.
  enum Kind {
    case bodyTooLarge
    case headerTooLarge
    case malformed
    case tooMany
  }

  let kind: Kind
  let problem: Problem

  init(_ kind: Kind, _ status: Int, _ title: String, _ detail: String) {
    self.kind = kind
    problem = Problem(title: title, status: status, detail: detail)
  }

  static func malformed(_ detail: String) -> Refusal {
    Refusal(.malformed, 400, "Bad Request", detail)
  }

  static func bodyTooLarge(_ limit: Int) -> Refusal {
    Refusal(.bodyTooLarge, 413, "Content Too Large", "the body exceeds \(limit) bytes")
  }

  static func tooMany(_ limit: Int) -> Refusal {
    Refusal(.tooMany, 503, "Service Unavailable", "\(limit) requests wait for their answers")
  }
}

/// How the end of a request body is found.
enum BodyFraming: Equatable {
  case none
  case count(Int)
  case chunked
}

/// A request's line and header fields as libmicrohttpd left them in its read buffer.
///
/// libmicrohttpd tolerates what lets two parsers disagree about where a request ends: bare line
/// feeds, folded lines, space before a colon, repeated lengths. It parses in place, replacing each
/// line end by zeros, so the distances between the parsed strings tell what stood between them:
/// exactly CR LF is two bytes. A request where any distance differs is refused.
struct RequestHead {
  /// Fields beyond this count are refused with 431.
  static let fieldsMax = 64
  /// A target with more `&` than this has its connection closed.
  static let queryItemsMax = 64
  /// What libmicrohttpd needs in a connection's memory for each field and each query item.
  static let recordBytes = 64

  let method: UnsafePointer<CChar>
  let url: UnsafePointer<CChar>
  let version: UnsafePointer<CChar>
  /// Bytes from the method to the end of the blank line.
  let byteCount: Int
  /// The length of the target before libmicrohttpd cut it at its question mark.
  let targetCount: Int
  let fields: UnsafeBufferPointer<cmhd_field>

  /// Checks line ends, names, values and framing; returns how the body ends.
  func check() throws(Refusal) -> BodyFraming {
    guard hasStrictLines else {
      throw .malformed("lines must end in CR LF and must not be folded")
    }
    var hosts = 0
    var lengths = 0
    var encodings = 0
    var framing = BodyFraming.none
    for field in fields {
      let name = Self.bytes(field.name, field.name_length)
      let value = Self.bytes(field.value, field.value_length)
      guard Self.isToken(name) else {
        throw .malformed("a header name is not a token")
      }
      guard Self.isFieldValue(value) else {
        throw .malformed("a header value holds a control character")
      }
      if Self.equals(name, "host") {
        hosts += 1
      } else if Self.equals(name, "content-length") {
        lengths += 1
        guard let count = Self.decimal(value) else {
          throw .malformed("Content-Length is not a number")
        }
        framing = .count(count)
      } else if Self.equals(name, "transfer-encoding") {
        encodings += 1
        guard Self.equals(value, "chunked"), isVersion("HTTP/1.1") else {
          throw .malformed("chunked is the only transfer coding, in HTTP/1.1")
        }
        framing = .chunked
      }
    }
    guard lengths + encodings <= 1 else {
      throw .malformed("Content-Length or Transfer-Encoding must stand alone and once")
    }
    guard hosts == 1 || (hosts == 0 && isVersion("HTTP/1.0")) else {
      throw .malformed("Host must be given once")
    }
    return framing
  }

  func isVersion(_ text: String) -> Bool {
    strcmp(version, text) == 0
  }

  /// Whether single spaces and CR LF are all that stands between the parts (RFC 9112 section 2.2).
  private var hasStrictLines: Bool {
    let start = Int(bitPattern: method)
    let target = Int(bitPattern: url)
    let end = Int(bitPattern: version)
    guard target == start + strlen(method) + 1, end == target + targetCount + 1 else {
      return false
    }
    var cursor = end + strlen(version)
    for field in fields {
      guard Int(bitPattern: field.name) == cursor + 2 else { return false }
      cursor = Int(bitPattern: field.value) + field.value_length
    }
    return start + byteCount == cursor + 4
  }

  // MARK: Bytes

  static func bytes(_ text: UnsafePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: UnsafeRawPointer(text)?.assumingMemoryBound(to: UInt8.self), count: count)
  }

  private static func equals(_ bytes: UnsafeBufferPointer<UInt8>, _ text: String) -> Bool {
    guard bytes.count == text.utf8.count else { return false }
    for (byte, other) in zip(bytes, text.utf8) where lowercased(byte) != other { return false }
    return true
  }

  /// RFC 9110 section 5.6.2.
  private static func isToken(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
        UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
        UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"),
        UInt8(ascii: "~"):
        continue
      default: return false
      }
    }
    return !bytes.isEmpty
  }

  /// RFC 9110 section 5.5: tab, space, visible characters and bytes above ASCII.
  private static func isFieldValue(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    for byte in bytes where (byte < 0x20 && byte != 0x09) || byte == 0x7F { return false }
    return true
  }

  private static func decimal(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
    var value = 0
    for byte in bytes {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }
}
