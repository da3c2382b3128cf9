internal import JSONText

/// Reads the text form of a history, within limits; empty lines are allowed.
package struct HistoryReader {
  private let limits: HistoryLimits
  private let json: JSONLimits
  private var line = 0

  /// Reads a whole text; the history it returns takes `recordsMax` operations.
  package static func read(
    _ text: [UInt8], limits: HistoryLimits = HistoryLimits()
  ) throws(HistoryReadError) -> History {
    var reader = HistoryReader(limits: limits)
    return try reader.history(text)
  }

  private init(limits: HistoryLimits) {
    self.limits = limits
    var json = JSONLimits()
    json.depth = 5
    json.bytesMax = limits.lineBytesMax
    json.membersMax = limits.lineBytesMax
    json.stringBytesMax = limits.lineBytesMax
    self.json = json
  }

  private mutating func history(_ text: [UInt8]) throws(HistoryReadError) -> History {
    var history = History(capacity: limits.recordsMax)
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      line += 1
      let bytes = text[start..<end]
      start = end + 1
      guard bytes.count <= limits.lineBytesMax else {
        throw failure(.lineTooLong(limit: limits.lineBytesMax))
      }
      guard bytes.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
      guard !history.isFull else { throw failure(.tooManyRecords(limit: limits.recordsMax)) }
      _ = history.append(try record(Array(bytes)))
    }
    return history
  }

  private func record(_ bytes: [UInt8]) throws(HistoryReadError) -> HistoryRecord {
    let value: JSONValue
    do {
      value = try JSONValue.parse(bytes, limits: json)
    } catch {
      throw failure(.notJSON(error))
    }
    try check(value, "line", ["client", "op", "key", "args", "result", "call", "return"])
    let client = try number(value, "client")
    let key = try text(value, "key")
    let operation = try operation(value)
    let call = try number(value, "call")
    let answered = try optionalNumber(value, "return", isRequired: true)
    let result = try result(value, of: operation)
    if let answered, answered < call { throw failure(.answeredBeforeCall) }
    if answered == nil, result != .unknown { throw failure(.answerWithoutInstant) }
    return HistoryRecord(
      client: client, key: key, operation: operation, result: result, call: call,
      answered: answered)
  }

  private func operation(_ value: JSONValue) throws(HistoryReadError) -> HistoryOperation {
    let name = try text(value, "op")
    let arguments = value["args"] ?? .null
    switch name {
    case "get":
      try check(arguments, "args", [])
      return .get
    case "put":
      try check(arguments, "args", ["value"])
      return .put(value: try text(arguments, "value"))
    case "cas":
      try check(arguments, "args", ["expected", "value"])
      let expected = try number(arguments, "expected")
      return .compareAndSet(expected: expected, value: try text(arguments, "value"))
    case "delete":
      try check(arguments, "args", ["expected"])
      return .delete(expected: try optionalNumber(arguments, "expected", isRequired: false))
    case "lock":
      try check(arguments, "args", [])
      return .lock
    case "unlock":
      try check(arguments, "args", ["token"])
      return .unlock(token: try number(arguments, "token"))
    case "watch":
      try check(arguments, "args", ["after"])
      return .watch(after: try number(arguments, "after"))
    default: throw failure(.unknownOperation(name))
    }
  }

  private func result(
    _ value: JSONValue, of operation: HistoryOperation
  ) throws(HistoryReadError) -> HistoryResult {
    let value = value["result"] ?? .null
    guard value.object != nil else {
      throw failure(.invalidMember("result", expected: "an object"))
    }
    let status = try text(value, "status")
    let (members, result) = try outcome(value, status, of: operation)
    try check(value, "result", ["status"] + members)
    guard operation.admits(result) else {
      throw failure(.unfittingResult(operation: operation.name, status: status))
    }
    return result
  }

  /// The result, and the members of the object that it was made of.
  private func outcome(
    _ value: JSONValue, _ status: String, of operation: HistoryOperation
  ) throws(HistoryReadError) -> ([String], HistoryResult) {
    switch (status, operation) {
    case ("unknown", _): return ([], .unknown)
    case ("refused", _): return ([], .refused)
    case ("absent", _): return ([], .absent)
    case ("held", _): return ([], .held)
    case ("lost", _): return ([], .lost)
    case ("conflict", _):
      return (["version"], .conflict(version: try number(value, "version")))
    case ("ok", .put), ("ok", .compareAndSet):
      return (["version"], .written(version: try number(value, "version")))
    case ("ok", .delete):
      let version = try optionalNumber(value, "version", isRequired: false)
      return (["version"], .deleted(version: version))
    case ("ok", .get):
      let read = try text(value, "value")
      return (["value", "version"], .value(read, version: try number(value, "version")))
    case ("ok", .lock): return (["token"], .acquired(token: try number(value, "token")))
    case ("ok", .unlock): return ([], .released)
    case ("ok", .watch):
      let through = try number(value, "through")
      let events = try events(value)
      return (["through", "events"], .observed(through: through, events: events))
    default:
      throw failure(.unfittingResult(operation: operation.name, status: status))
    }
  }

  private func events(_ value: JSONValue) throws(HistoryReadError) -> [WatchEvent] {
    guard let elements = value["events"]?.array else {
      throw failure(.invalidMember("events", expected: "an array"))
    }
    var events: [WatchEvent] = []
    events.reserveCapacity(elements.count)
    for element in elements {
      try check(element, "events", ["revision", "key", "value"])
      let revision = try number(element, "revision")
      let key = try text(element, "key")
      let isRemoval = element["value"]?.isNull ?? false
      let value = isRemoval ? nil : try text(element, "value")
      events.append(WatchEvent(revision: revision, key: key, value: value))
    }
    return events
  }
}

// MARK: - Members

extension HistoryReader {
  private func failure(_ reason: HistoryReadError.Reason) -> HistoryReadError {
    HistoryReadError(line: line, reason: reason)
  }

  private func check(
    _ value: JSONValue, _ name: String, _ allowed: [String]
  ) throws(HistoryReadError) {
    guard let members = value.object else {
      throw failure(.invalidMember(name, expected: "an object"))
    }
    for member in members where !allowed.contains(member.key) {
      throw failure(.unexpectedMember(member.key))
    }
  }

  private func text(_ value: JSONValue, _ name: String) throws(HistoryReadError) -> String {
    guard let text = value[name]?.string else {
      throw failure(.invalidMember(name, expected: "a string"))
    }
    return text
  }

  private func number(_ value: JSONValue, _ name: String) throws(HistoryReadError) -> UInt64 {
    let whole = "a whole number from 0 to 18446744073709551615"
    switch value[name] {
    case .integer(let number) where number >= 0: return UInt64(number)
    case .decimal(let decimal):
      // Text of digits alone: what exceeds a signed number but not an unsigned one.
      if let number = UInt64(String(decoding: decimal.text, as: UTF8.self)) { return number }
    default: break
    }
    throw failure(.invalidMember(name, expected: whole))
  }

  private func optionalNumber(
    _ value: JSONValue, _ name: String, isRequired: Bool
  ) throws(HistoryReadError) -> UInt64? {
    guard let member = value[name] else {
      guard isRequired else { return nil }
      throw failure(.invalidMember(name, expected: "a whole number or null"))
    }
    return member.isNull ? nil : try number(value, name)
  }
}
