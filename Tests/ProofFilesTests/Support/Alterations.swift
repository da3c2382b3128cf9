import JSONText

/// Copies of a JSON value that each differ from it in one place, with the place's name.
struct Alterations {
  private(set) var all: [(place: String, value: JSONValue)] = []

  init(of value: JSONValue) {
    collect(value, "") { $0 }
    all.removeAll { $0.value == value }
  }

  private mutating func collect(
    _ value: JSONValue, _ place: String, _ rebuild: @escaping (JSONValue) -> JSONValue
  ) {
    switch value {
    case .object(let members):
      for (index, member) in members.enumerated() {
        let name = place + "." + member.key
        collect(member.value, name) { new in
          var copy = members
          copy[index].value = new
          return rebuild(.object(copy))
        }
        var fewer = members
        fewer.remove(at: index)
        all.append((name + " left out", rebuild(.object(fewer))))
      }
      for (name, copy) in Alterations.shifts(members) {
        all.append(("\(place).\(name) shifted", rebuild(.object(copy))))
      }
      let more = members + [JSONMember(key: "more", value: .null)]
      all.append((place + " with a member more", rebuild(.object(more))))
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        collect(element, "\(place)[\(index)]") { new in
          var copy = elements
          copy[index] = new
          return rebuild(.array(copy))
        }
      }
      all.append((place + " reversed", rebuild(.array(elements.reversed()))))
      all.append((place + " shorter", rebuild(.array(Array(elements.dropLast())))))
      all.append((place + " without its first", rebuild(.array(Array(elements.dropFirst())))))
      if let last = elements.last {
        all.append((place + " longer", rebuild(.array(elements + [last]))))
      }
    case .string(let text):
      for altered in Alterations.alter(text) {
        all.append(("\(place) as \(altered.prefix(24))", rebuild(.string(altered))))
      }
      all.append((place + " as null", rebuild(.null)))
    case .integer(let number):
      for other in [number + 1, number - 1, number + (1 << 32), -1] {
        all.append(("\(place) as \(other)", rebuild(.integer(other))))
      }
      all.append((place + " as text", rebuild(.string("\(number)"))))
    case .null, .bool, .decimal:
      all.append((place + " as a number", rebuild(.integer(7))))
      all.append((place + " as text", rebuild(.string("00"))))
    }
  }

  /// The same digits with the border between two texts at another place: what is joined before it
  /// is hashed has the same hash.
  private static func shifts(_ members: [JSONMember]) -> [(name: String, members: [JSONMember])] {
    var all: [(name: String, members: [JSONMember])] = []
    for index in members.indices.dropLast() {
      guard case .string(let left) = members[index].value,
        case .string(let right) = members[index + 1].value
      else { continue }
      for (first, second) in [
        (left + right.prefix(2), String(right.dropFirst(2))),
        (String(left.dropLast(2)), left.suffix(2) + right),
      ] {
        var copy = members
        copy[index].value = .string(first)
        copy[index + 1].value = .string(second)
        all.append((members[index].key, copy))
      }
    }
    return all
  }

  /// Other texts: a digit changed at both ends and in the middle, shorter, longer, in capitals.
  private static func alter(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty else { return ["00"] }
    var texts = [0, bytes.count / 2, bytes.count - 1].map { index in
      var copy = bytes
      copy[index] = copy[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
      return String(decoding: copy, as: UTF8.self)
    }
    texts.append(String(decoding: bytes.dropLast(2), as: UTF8.self))
    texts.append(text + "00")
    texts.append(text.uppercased())
    texts.append(" " + text)
    return texts.filter { $0 != text }
  }
}
