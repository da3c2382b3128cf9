internal import JSONText

/// The members of one JSON object of a configuration file, taken by name until none is left.
///
/// Whatever is not taken is an unknown key, so that a misspelt key is refused instead of ignored.
struct JSONFields {
  let source: String
  private let prefix: String
  private var members: [JSONMember]
  private var known: [String] = []

  /// Reads a whole file's text, which must be one object.
  init(parsing bytes: [UInt8], source: String) throws {
    let value: JSONValue
    do {
      value = try JSONValue.parse(bytes)
    } catch {
      throw ConfigurationError(source: source, reason: "not valid JSON: \(error)")
    }
    try self.init(value, source: source, prefix: "")
  }

  private init(_ value: JSONValue, source: String, prefix: String) throws {
    guard case .object(let members) = value else {
      let key = String(prefix.dropLast())
      throw ConfigurationError(source: source, key: key, reason: "expected an object {…}")
    }
    self.source = source
    self.prefix = prefix
    self.members = members
  }

  /// Takes a text; `nil` when the key is absent.
  mutating func optionalText(_ key: String) throws -> String? {
    guard let value = take(key) else { return nil }
    guard let text = value.string else { throw refusal(key, value, "expected a text") }
    return text
  }

  /// Takes a text that must be there.
  mutating func text(_ key: String) throws -> String {
    guard let text = try optionalText(key) else { throw missing(key) }
    return text
  }

  /// Takes a whole number in `range`; `nil` when the key is absent.
  mutating func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = take(key) else { return nil }
    guard let number = value.integer, range.contains(Int(number)) else {
      throw refusal(
        key, value, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return Int(number)
  }

  /// Takes a whole number in `range` that must be there.
  mutating func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int {
    guard let number = try optionalInteger(key, in: range) else { throw missing(key) }
    return number
  }

  /// A flag that may be absent.
  mutating func optionalFlag(_ key: String) throws -> Bool? {
    guard let value = take(key) else { return nil }
    guard case .bool(let flag) = value else {
      throw refusal(key, value, "expected true or false")
    }
    return flag
  }

  /// Takes an address; `nil` when the key is absent.
  mutating func optionalAddress(_ key: String) throws -> NetworkAddress? {
    guard let text = try optionalText(key) else { return nil }
    return try address(text, key)
  }

  /// Takes an address that must be there.
  mutating func address(_ key: String) throws -> NetworkAddress {
    try address(try text(key), key)
  }

  /// Takes a list of addresses.
  mutating func addresses(_ key: String, countMax: Int) throws -> [NetworkAddress] {
    guard let value = take(key) else { throw missing(key) }
    guard let elements = value.array, (1...countMax).contains(elements.count) else {
      throw refusal(key, value, "expected a list of 1 to \(countMax) addresses")
    }
    return try elements.enumerated().map { index, element in
      guard let text = element.string else {
        throw refusal("\(key)[\(index)]", element, NetworkAddress.expectation)
      }
      return try address(text, "\(key)[\(index)]")
    }
  }

  /// Takes an object's members; `nil` when the key is absent.
  mutating func optionalObject(_ key: String) throws -> JSONFields? {
    guard let value = take(key) else { return nil }
    return try JSONFields(value, source: source, prefix: "\(prefix)\(key).")
  }

  /// Takes an object's members that must be there.
  mutating func object(_ key: String) throws -> JSONFields {
    guard let fields = try optionalObject(key) else { throw missing(key) }
    return fields
  }

  /// Takes a list of objects.
  mutating func objects(_ key: String, count: ClosedRange<Int>) throws -> [JSONFields] {
    guard let value = take(key) else { throw missing(key) }
    guard let elements = value.array, count.contains(elements.count) else {
      throw refusal(key, value, "expected a list of \(count.lowerBound) to \(count.upperBound)")
    }
    return try elements.enumerated().map { index, element in
      try JSONFields(element, source: source, prefix: "\(prefix)\(key)[\(index)].")
    }
  }

  /// Refuses keys that nobody took.
  func expectNoMore() throws {
    guard let member = members.first else { return }
    throw ConfigurationError(
      source: source, key: prefix + member.key,
      reason: "unknown key; known here are \(known.sorted().joined(separator: ", "))")
  }

  /// Describes a refused value.
  func refusal(_ key: String, _ value: JSONValue, _ reason: String) -> ConfigurationError {
    var writer = JSONWriter()
    writer.value(value)
    var text = String(decoding: writer.bytes, as: UTF8.self)
    if text.count > 80 { text = "\(text.prefix(80))…" }
    return ConfigurationError(source: source, key: prefix + key, value: text, reason: reason)
  }

  /// Describes a refused text.
  func refusal(_ key: String, _ text: String, _ reason: String) -> ConfigurationError {
    refusal(key, .string(text), reason)
  }

  private func missing(_ key: String) -> ConfigurationError {
    ConfigurationError(source: source, key: prefix + key, reason: "the key is missing")
  }

  private func address(_ text: String, _ key: String) throws -> NetworkAddress {
    guard let address = NetworkAddress(text) else {
      throw refusal(key, text, NetworkAddress.expectation)
    }
    return address
  }

  private mutating func take(_ key: String) -> JSONValue? {
    known.append(key)
    guard let index = members.firstIndex(where: { $0.key == key }) else { return nil }
    return members.remove(at: index).value
  }
}
