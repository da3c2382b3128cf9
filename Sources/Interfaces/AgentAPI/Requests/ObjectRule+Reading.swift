internal import HTTPServer
internal import JSONText
internal import Primitives

extension ObjectRule {
  /// At most this many broken rules are reported; the first ones are enough to go on with.
  static let errorsMax = 16

  /// Reads an object by its rules, or reports what is wrong with it under paths below `path`.
  func read(_ value: JSONValue, at path: String = "") -> Result<FieldValues, APIProblem> {
    guard case .object(let members) = value else {
      let field = path.isEmpty ? "body" : path
      return .failure(APIProblem(field: field, rule: "type", "must be a JSON object"))
    }
    var values = FieldValues()
    var errors: [FieldError] = []
    let prefix = path.isEmpty ? "" : path + "."
    for member in members {
      guard let rule = fields.first(where: { $0.name.utf8.elementsEqual(member.key.utf8) }) else {
        errors.append(unknown(prefix + member.key, "member"))
        continue
      }
      switch rule.read(member.value) {
      case .success(let value): values.set(rule.name, value)
      case .failure(let broken):
        errors.append(
          FieldError(field: prefix + rule.name, rule: broken.rule, detail: broken.detail))
      }
    }
    for rule in fields where rule.isRequired && !members.contains(where: { $0.key == rule.name }) {
      errors.append(
        FieldError(field: prefix + rule.name, rule: "required", detail: "is required"))
    }
    guard errors.isEmpty else {
      return .failure(APIProblem(errors: Array(errors.prefix(ObjectRule.errorsMax))))
    }
    return .success(values)
  }

  /// Reads query parameters by the rules; a parameter may be given once.
  func read(query: [HTTPQueryItem]) -> Result<FieldValues, APIProblem> {
    var values = FieldValues()
    var errors: [FieldError] = []
    for item in query {
      let field = "query." + item.name
      guard let rule = fields.first(where: { $0.name.utf8.elementsEqual(item.name.utf8) }) else {
        errors.append(unknown(field, "parameter"))
        continue
      }
      guard !values.has(rule.name) else {
        errors.append(FieldError(field: field, rule: "repeated", detail: "is given twice"))
        continue
      }
      switch rule.read(query: item.value) {
      case .success(let value): values.set(rule.name, value)
      case .failure(let broken):
        errors.append(FieldError(field: field, rule: broken.rule, detail: broken.detail))
      }
    }
    for rule in fields where rule.isRequired && !query.contains(where: { $0.name == rule.name }) {
      errors.append(
        FieldError(field: "query." + rule.name, rule: "required", detail: "is required"))
    }
    guard errors.isEmpty else {
      return .failure(APIProblem(errors: Array(errors.prefix(ObjectRule.errorsMax))))
    }
    return .success(values)
  }

  private func unknown(_ field: String, _ word: String) -> FieldError {
    let known = fields.map(\.name).joined(separator: ", ")
    let hint = known.isEmpty ? "there are none here" : "known are: \(known)"
    return FieldError(
      field: String(field.prefix(100)), rule: "unknown", detail: "is no known \(word); \(hint)")
  }
}

/// The rule that a value breaks, before it is known where the value stands.
struct BrokenRule: Error {
  let rule: String
  let detail: String

  init(_ rule: String, _ detail: String) {
    self.rule = rule
    self.detail = detail
  }
}

extension FieldRule {
  /// Reads a value of a JSON body.
  func read(_ value: JSONValue) -> Result<FieldValue, BrokenRule> {
    switch kind {
    case .line, .text, .bytes, .base64, .token, .word, .identifier, .timestamp:
      guard case .string(let text) = value else {
        return .failure(BrokenRule("type", "must be a string"))
      }
      return read(text: text)
    case .words, .lines:
      return readList(value)
    case .integer(let range):
      // 3.0 is a whole number too (JSON Schema 2020-12, section 6.1.1).
      guard let number = value.fixedPoint(scale: 0) else {
        return .failure(
          BrokenRule(
            "type", "must be a whole number from \(range.lowerBound) to \(range.upperBound)"))
      }
      return FieldRule.check(number, range)
    case .decimal(let range):
      guard let number = DecimalNumber(value) else {
        return .failure(BrokenRule("type", "must be a number"))
      }
      guard number.lies(in: range) else {
        let bounds = (FieldRule.units(range.lowerBound), FieldRule.units(range.upperBound))
        return .failure(BrokenRule("range", "must be from \(bounds.0) to \(bounds.1)"))
      }
      return .success(.millionths(number.millionths))
    case .json(let range):
      var writer = JSONWriter(capacity: 256)
      writer.value(value)
      guard range.contains(writer.bytes.count) else {
        return .failure(
          BrokenRule(
            "length",
            "must have at most \(range.upperBound) bytes of JSON, not \(writer.bytes.count)"))
      }
      return .success(.json(String(decoding: writer.bytes, as: UTF8.self)))
    case .flag:
      guard case .bool(let truth) = value else {
        return .failure(BrokenRule("type", "must be true or false"))
      }
      return .success(.flag(truth))
    case .objects(_, let count):
      guard case .array(let elements) = value else {
        return .failure(BrokenRule("type", "must be a list of objects"))
      }
      guard count.contains(elements.count) else {
        return .failure(FieldRule.wrongCount(count, elements.count))
      }
      return .success(.objects(elements))
    }
  }

  /// Reads the value of a query parameter.
  func read(query text: String) -> Result<FieldValue, BrokenRule> {
    switch kind {
    case .line, .text, .bytes, .base64, .token, .word, .identifier, .timestamp:
      return read(text: text)
    case .integer(let range):
      guard text.utf8.count <= 20, let number = Int64(text), !text.hasPrefix("+") else {
        return .failure(
          BrokenRule(
            "type", "must be a whole number from \(range.lowerBound) to \(range.upperBound)"))
      }
      return FieldRule.check(number, range)
    case .flag:
      switch text {
      case "1", "true": return .success(.flag(true))
      case "0", "false": return .success(.flag(false))
      default: return .failure(BrokenRule("type", "must be true or false"))
      }
    case .words, .lines, .decimal, .json, .objects:
      preconditionFailure("query parameter \(name) has a kind that only bodies can have")
    }
  }

  private func read(text: String) -> Result<FieldValue, BrokenRule> {
    switch kind {
    case .line(let range): return TextCheck.check(text, range, allowsLines: false)
    case .text(let range): return TextCheck.check(text, range, allowsLines: true)
    case .bytes(let range): return FieldRule.check(text, range)
    case .base64(let range):
      guard let bytes = Base64.bytes(text) else {
        return .failure(BrokenRule("format", "must be base 64 of RFC 4648 with its padding"))
      }
      guard range.contains(bytes.count) else {
        return .failure(FieldRule.wrongLength(range, bytes.count))
      }
      return .success(.bytes(bytes))
    case .token(let range):
      guard range.contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
      else {
        let length = "\(range.lowerBound) to \(range.upperBound)"
        return .failure(BrokenRule("format", "must be \(length) visible ASCII characters"))
      }
      return .success(.text(text))
    case .word(let words):
      guard words.contains(where: { $0.utf8.elementsEqual(text.utf8) }) else {
        return .failure(BrokenRule("choice", "must be one of: \(words.joined(separator: ", "))"))
      }
      return .success(.text(text))
    case .identifier:
      guard let value = PathValue.identifier(text) else {
        return .failure(
          BrokenRule("format", "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000"))
      }
      return .success(.identifier(value))
    case .timestamp:
      guard let value = CalendarTime.milliseconds(text) else {
        return .failure(
          BrokenRule("format", "must be an RFC 3339 date-time such as 2030-01-31T08:15:00Z"))
      }
      return .success(.milliseconds(value))
    case .words, .lines, .integer, .decimal, .json, .flag, .objects:
      preconditionFailure("field \(name) is no text")
    }
  }

  private func readList(_ value: JSONValue) -> Result<FieldValue, BrokenRule> {
    guard case .array(let elements) = value else {
      return .failure(BrokenRule("type", "must be a list of strings"))
    }
    var texts: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        return .failure(BrokenRule("type", "must be a list of strings"))
      }
      texts.append(text)
    }
    switch kind {
    case .words(let words):
      for (index, text) in texts.enumerated() {
        guard words.contains(text) else {
          return .failure(
            BrokenRule("choice", "may only hold: \(words.joined(separator: ", "))"))
        }
        guard !texts[..<index].contains(text) else {
          return .failure(BrokenRule("repeated", "names \(text) twice"))
        }
      }
    case .lines(let each, let count):
      guard count.contains(texts.count) else {
        return .failure(FieldRule.wrongCount(count, texts.count))
      }
      for text in texts {
        if case .failure(let broken) = TextCheck.check(text, each, allowsLines: false) {
          return .failure(BrokenRule(broken.rule, "every element \(broken.detail)"))
        }
      }
    case .line, .text, .bytes, .base64, .token, .word, .integer, .decimal, .json, .flag,
      .identifier, .timestamp, .objects:
      preconditionFailure("field \(name) is no list of texts")
    }
    return .success(.texts(texts))
  }

  private static func check(
    _ number: Int64, _ range: ClosedRange<Int64>
  ) -> Result<FieldValue, BrokenRule> {
    guard range.contains(number) else {
      return .failure(
        BrokenRule("range", "must be from \(range.lowerBound) to \(range.upperBound)"))
    }
    return .success(.integer(number))
  }

  private static func check(
    _ text: String, _ range: ClosedRange<Int>
  ) -> Result<FieldValue, BrokenRule> {
    let count = text.utf8.count
    return range.contains(count) ? .success(.text(text)) : .failure(wrongLength(range, count))
  }

  private static func wrongLength(_ range: ClosedRange<Int>, _ count: Int) -> BrokenRule {
    BrokenRule(
      "length", "must have \(range.lowerBound) to \(range.upperBound) bytes, not \(count)")
  }

  private static func wrongCount(_ range: ClosedRange<Int>, _ count: Int) -> BrokenRule {
    BrokenRule(
      "count", "must have \(range.lowerBound) to \(range.upperBound) elements, not \(count)")
  }

  /// Writes millionths as a decimal number without superfluous zeros.
  static func units(_ millionths: UInt64) -> String {
    let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
    if rest == 0 { return "\(whole)" }
    var decimals = String(rest + 1_000_000).dropFirst()
    while decimals.last == "0" { decimals.removeLast() }
    return "\(whole).\(decimals)"
  }
}
