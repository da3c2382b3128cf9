internal import JSONText
internal import Primitives

/// A value that has passed its rule.
enum FieldValue {
  case text(String)
  case bytes([UInt8])
  case texts([String])
  /// A JSON text.
  case json(String)
  case integer(Int64)
  case millionths(UInt64)
  case flag(Bool)
  case identifier(Identifier<AnyKind>)
  case milliseconds(UInt64)
  case objects([JSONValue])
}

/// The kind of an identifier before it is known what it names.
enum AnyKind: Sendable {}

/// The values of a request that passed their rules, by name.
///
/// Asking for a name under the wrong type is a programmer error, because the rules fix the types.
struct FieldValues {
  private var values: [(name: String, value: FieldValue)] = []

  mutating func set(_ name: String, _ value: FieldValue) {
    values.append((name, value))
  }

  private subscript(name: String) -> FieldValue? {
    for entry in values where entry.name == name { return entry.value }
    return nil
  }

  func has(_ name: String) -> Bool { self[name] != nil }

  func text(_ name: String) -> String? {
    switch self[name] {
    case .text(let text): text
    case nil: nil
    case let other?: preconditionFailure("\(name) is no text: \(other)")
    }
  }

  func bytes(_ name: String) -> [UInt8]? {
    switch self[name] {
    case .bytes(let bytes): bytes
    case nil: nil
    case let other?: preconditionFailure("\(name) is no bytes: \(other)")
    }
  }

  func texts(_ name: String) -> [String]? {
    switch self[name] {
    case .texts(let texts): texts
    case nil: nil
    case let other?: preconditionFailure("\(name) is no list of texts: \(other)")
    }
  }

  func json(_ name: String) -> String? {
    switch self[name] {
    case .json(let text): text
    case nil: nil
    case let other?: preconditionFailure("\(name) is no JSON text: \(other)")
    }
  }

  func integer(_ name: String) -> Int64? {
    switch self[name] {
    case .integer(let number): number
    case nil: nil
    case let other?: preconditionFailure("\(name) is no integer: \(other)")
    }
  }

  func millionths(_ name: String) -> UInt64? {
    switch self[name] {
    case .millionths(let number): number
    case nil: nil
    case let other?: preconditionFailure("\(name) is no decimal: \(other)")
    }
  }

  func flag(_ name: String) -> Bool {
    switch self[name] {
    case .flag(let truth): truth
    case nil: false
    case let other?: preconditionFailure("\(name) is no flag: \(other)")
    }
  }

  func identifier<Kind>(_ name: String, _ kind: Kind.Type = Kind.self) -> Identifier<Kind>? {
    switch self[name] {
    case .identifier(let value): Identifier(high: value.high, low: value.low)
    case nil: nil
    case let other?: preconditionFailure("\(name) is no identifier: \(other)")
    }
  }

  func milliseconds(_ name: String) -> UInt64? {
    switch self[name] {
    case .milliseconds(let number): number
    case nil: nil
    case let other?: preconditionFailure("\(name) is no timestamp: \(other)")
    }
  }

  func objects(_ name: String) -> [JSONValue]? {
    switch self[name] {
    case .objects(let objects): objects
    case nil: nil
    case let other?: preconditionFailure("\(name) is no list of objects: \(other)")
    }
  }
}
