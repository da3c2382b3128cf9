/// The names that people give to clusters and nodes.
package enum Name {
  /// Bytes of the longest name.
  package static let bytesMax = 64

  /// Refuses a name that is empty, long, or not made of letters, digits, `-`, `_` and `.`.
  package static func check(_ name: String, key: String, source: String) throws {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isPlain, (1...bytesMax).contains(name.utf8.count) else {
      throw ConfigurationError(
        source: source, key: key, value: "\"\(name.prefix(80))\"",
        reason: "expected 1 to \(bytesMax) letters, digits, '-', '_' or '.'")
    }
  }
}
