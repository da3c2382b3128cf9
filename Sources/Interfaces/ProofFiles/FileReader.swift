internal import Crypto
internal import JSONText
internal import Primitives
internal import Records

/// The members of one JSON object, each read once; what is left over is refused.
struct FileReader {
  private var members: [JSONMember]
  /// Where the object stands in the file, for the words of a refusal.
  private let place: String

  init(_ value: JSONValue, _ place: String) throws(LedgerProofFault) {
    guard let members = value.object else { throw .format("\(place) is no JSON object") }
    self.members = members
    self.place = place
  }

  private func name(_ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

  /// Takes a member out, if it is there.
  mutating func optional(_ key: String) -> JSONValue? {
    guard let index = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
      return nil
    }
    return members.remove(at: index).value
  }

  /// Takes a member out.
  mutating func value(_ key: String) throws(LedgerProofFault) -> JSONValue {
    guard let value = optional(key) else { throw .format("\(name(key)) is missing") }
    return value
  }

  mutating func text(_ key: String) throws(LedgerProofFault) -> String {
    guard let text = try value(key).string else { throw .format("\(name(key)) is no text") }
    return text
  }

  mutating func number(
    _ key: String, max: UInt64 = BundleLimits.numberMax
  ) throws(LedgerProofFault) -> UInt64 {
    guard let number = try value(key).integer, let value = UInt64(exactly: number), value <= max
    else { throw .format("\(name(key)) is no whole number up to \(max)") }
    return value
  }

  mutating func object(_ key: String) throws(LedgerProofFault) -> FileReader {
    try FileReader(try value(key), name(key))
  }

  /// Takes a list of up to `max` elements, each with its place.
  mutating func list(
    _ key: String, max: Int
  ) throws(LedgerProofFault) -> [(value: JSONValue, place: String)] {
    guard let elements = try value(key).array else { throw .format("\(name(key)) is no list") }
    guard elements.count <= max else {
      throw .format("\(name(key)) has \(elements.count) elements, more than \(max)")
    }
    return elements.enumerated().map { ($0.element, "\(name(key))[\($0.offset)]") }
  }

  mutating func bytes(_ key: String) throws(LedgerProofFault) -> [UInt8] {
    try FileReader.bytes(try value(key), name(key))
  }

  mutating func digest(_ key: String) throws(LedgerProofFault) -> Digest {
    try FileReader.digest(try value(key), name(key))
  }

  mutating func digests(_ key: String, max: Int) throws(LedgerProofFault) -> [Digest] {
    var digests: [Digest] = []
    for element in try list(key, max: max) {
      digests.append(try FileReader.digest(element.value, element.place))
    }
    return digests
  }

  mutating func signature(_ key: String) throws(LedgerProofFault) -> Signature {
    guard let signature = Signature(try bytes(key)) else {
      throw .format("\(name(key)) is no signature of 128 hexadecimal digits")
    }
    return signature
  }

  /// Refuses members that nobody asked for.
  func end() throws(LedgerProofFault) {
    if let member = members.first { throw .format("\(name(member.key)) is no member of this") }
  }

  /// Bytes have one spelling: lower-case digits.
  static func bytes(_ value: JSONValue, _ place: String) throws(LedgerProofFault) -> [UInt8] {
    guard let text = value.string, let bytes = Hexadecimal.bytes(text),
      Hexadecimal.text(bytes).utf8.elementsEqual(text.utf8)
    else { throw .format("\(place) is no text of lower-case hexadecimal digits") }
    return bytes
  }

  static func digest(_ value: JSONValue, _ place: String) throws(LedgerProofFault) -> Digest {
    guard let digest = Digest(try bytes(value, place)) else {
      throw .format("\(place) has not 64 hexadecimal digits")
    }
    return digest
  }
}
