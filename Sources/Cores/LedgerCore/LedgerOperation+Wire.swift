internal import Primitives
internal import Records
package import Wire

/// The canonical form of operations: one tag byte, then the fields in their declared order.
///
/// Texts are a length in base 128 and UTF-8, numbers are base 128 in the fewest bytes, lists are a
/// count and their elements, and enumerations one byte. Decoding refuses what is not this form and
/// lengths in bytes beyond four times the limit in characters; `validate()` checks the rest.
extension LedgerOperation: WireCodable {
  private enum Tag: UInt8 {
    case register = 1
    case ask = 2
    case answer = 3
    case resolve = 4
    case announce = 5
    case define = 6
    case put = 7
    case delete = 8
    case add = 9
    case insert = 10
    case remove = 11

    init(_ action: RecordAction) {
      self =
        switch action {
        case .put: .put
        case .delete: .delete
        case .add: .add
        case .insert: .insert
        case .remove: .remove
        }
    }
  }

  package func encode(into writer: inout WireWriter) {
    switch self {
    case .register(let registration):
      writer.write(Tag.register.rawValue)
      registration.encode(into: &writer)
    case .ask(let posting):
      writer.write(Tag.ask.rawValue)
      posting.encode(into: &writer)
    case .answer(let posting):
      writer.write(Tag.answer.rawValue)
      posting.encode(into: &writer)
    case .resolve(let resolution):
      writer.write(Tag.resolve.rawValue)
      resolution.encode(into: &writer)
    case .announce(let announcement):
      writer.write(Tag.announce.rawValue)
      announcement.encode(into: &writer)
    case .define(let definition):
      writer.write(Tag.define.rawValue)
      definition.encode(into: &writer)
    case .change(let change):
      writer.write(Tag(change.action).rawValue)
      change.encode(into: &writer)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch Tag(rawValue: tag) {
    case .register: self = .register(try AgentRegistration(from: span, at: &cursor))
    case .ask: self = .ask(try QuestionPosting(from: span, at: &cursor))
    case .answer: self = .answer(try AnswerPosting(from: span, at: &cursor))
    case .resolve: self = .resolve(try Resolution(from: span, at: &cursor))
    case .announce: self = .announce(try MemberAnnouncement(from: span, at: &cursor))
    case .define: self = .define(try CollectionDefinition(from: span, at: &cursor))
    case .put: self = .change(try RecordChange(from: span, at: &cursor, RecordAction.putting))
    case .delete: self = .change(try RecordChange(from: span, at: &cursor, RecordAction.deletion))
    case .add: self = .change(try RecordChange(from: span, at: &cursor, RecordAction.addition))
    case .insert: self = .change(try RecordChange(from: span, at: &cursor, RecordAction.insertion))
    case .remove: self = .change(try RecordChange(from: span, at: &cursor, RecordAction.removal))
    case nil: throw .unknownTag(tag)
    }
  }
}

extension WireCursor {
  /// Reads text of at most `characters.upperBound` Unicode scalars, by its bytes.
  fileprivate mutating func readText(
    _ span: borrowing RawSpan, _ characters: ClosedRange<Int>
  ) throws(WireError) -> String {
    try readText(span, limit: characters.upperBound * 4)
  }

  fileprivate mutating func readEnumeration<Value: RawRepresentable>(
    _ span: borrowing RawSpan, as type: Value.Type = Value.self
  ) throws(WireError) -> Value where Value.RawValue == UInt8 {
    let tag = try readUInt8(span)
    guard let value = Value(rawValue: tag) else { throw .unknownTag(tag) }
    return value
  }
}

extension AgentRegistration {
  fileprivate func encode(into writer: inout WireWriter) {
    writer.write(agent)
    writer.writeText(name)
    writer.writeText(description)
    writer.writeText(platform)
    writer.writeVariable(UInt64(specialties.count))
    for specialty in specialties { writer.write(specialty.rawValue) }
    writer.write(capabilities.rawValue)
    writer.write(tokenDigest)
  }

  fileprivate init(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    let agent = try cursor.readIdentifier(span, of: AgentKind.self)
    let name = try cursor.readText(span, LedgerLimits.name)
    let description = try cursor.readText(span, LedgerLimits.description)
    let platform = try cursor.readText(span, LedgerLimits.platform)
    let count = try cursor.readCount(span, limit: QuestionCategory.allCases.count)
    var specialties: [QuestionCategory] = []
    for _ in 0..<count {
      let specialty: QuestionCategory = try cursor.readEnumeration(span)
      if let last = specialties.last, last.rawValue >= specialty.rawValue { throw .notCanonical }
      specialties.append(specialty)
    }
    let capabilities = Capabilities(rawValue: try cursor.readUInt8(span))
    guard capabilities.isSubset(of: .all) else { throw .invalid("unknown capability") }
    self.init(
      agent: agent, name: name, description: description, platform: platform,
      specialties: specialties, capabilities: capabilities,
      tokenDigest: try cursor.readDigest(span))
  }
}

extension QuestionPosting {
  fileprivate func encode(into writer: inout WireWriter) {
    writer.write(question)
    writer.write(asker)
    writer.writeText(text)
    writer.write(category.rawValue)
    writer.writeVariable(deadlineMilliseconds)
    writer.writeVariable(UInt64(minimumAnswers))
    writer.writeVariable(UInt64(choices.count))
    for choice in choices { writer.writeText(choice) }
  }

  fileprivate init(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    let question = try cursor.readIdentifier(span, of: QuestionKind.self)
    let asker = try cursor.readIdentifier(span, of: AgentKind.self)
    let text = try cursor.readText(span, LedgerLimits.questionText)
    let category: QuestionCategory = try cursor.readEnumeration(span)
    let deadline = try cursor.readVariable(
      span, limit: LedgerLimits.deadlineMilliseconds.upperBound)
    let minimumAnswers = try cursor.readVariable(
      span, limit: LedgerLimits.minimumAnswers.upperBound)
    let count = try cursor.readCount(span, limit: LedgerLimits.choiceCount.upperBound)
    var choices: [String] = []
    choices.reserveCapacity(count)
    for _ in 0..<count { choices.append(try cursor.readText(span, LedgerLimits.choice)) }
    self.init(
      question: question, asker: asker, text: text, category: category,
      deadlineMilliseconds: deadline, minimumAnswers: UInt32(minimumAnswers), choices: choices)
  }
}

extension AnswerPosting {
  fileprivate func encode(into writer: inout WireWriter) {
    writer.write(question)
    writer.write(agent)
    writer.writeText(value)
    writer.writeText(content)
    writer.writeText(reasoning)
    writer.writeVariable(UInt64(confidenceMillionths))
    writer.writeVariable(stakeMillionths)
  }

  fileprivate init(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    let question = try cursor.readIdentifier(span, of: QuestionKind.self)
    let agent = try cursor.readIdentifier(span, of: AgentKind.self)
    let value = try cursor.readText(span, LedgerLimits.value)
    let content = try cursor.readText(span, LedgerLimits.content)
    let reasoning = try cursor.readText(span, LedgerLimits.reasoning)
    let confidence = try cursor.readVariable(
      span, limit: LedgerLimits.confidenceMillionths.upperBound)
    let stake = try cursor.readVariable(span, limit: LedgerLimits.stakeMillionths.upperBound)
    self.init(
      question: question, agent: agent, value: value, content: content, reasoning: reasoning,
      confidenceMillionths: UInt32(confidence), stakeMillionths: stake)
  }
}

extension Resolution {
  fileprivate func encode(into writer: inout WireWriter) {
    writer.write(question)
    writer.write(resolver)
    writer.writeText(value)
  }

  fileprivate init(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    let question = try cursor.readIdentifier(span, of: QuestionKind.self)
    let resolver = try cursor.readIdentifier(span, of: AgentKind.self)
    self.init(
      question: question, resolver: resolver,
      value: try cursor.readText(span, LedgerLimits.resolution))
  }
}

extension MemberAnnouncement {
  fileprivate func encode(into writer: inout WireWriter) {
    writer.write(node.key)
    writer.write(role.rawValue)
    writer.writeText(transportAddress)
    writer.writeText(apiAddress)
  }

  fileprivate init(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) {
    let node = NodeID(key: try cursor.readDigest(span))
    let role: MemberRole = try cursor.readEnumeration(span)
    let transportAddress = try cursor.readText(span, LedgerLimits.address)
    self.init(
      node: node, role: role, transportAddress: transportAddress,
      apiAddress: try cursor.readText(span, LedgerLimits.address))
  }
}
