internal import AnswerCore
internal import Primitives
internal import Records

/// Rows of facts: columns in the order of the schemas.
extension LiveTables {
  static func row(of registration: AgentRegistration, at stamp: OperationStamp) -> Row {
    let specialties = registration.specialties.reduce(Int64(0)) { $0 | 1 << Int64($1.rawValue - 1) }
    return Row(
      agentSchema,
      [
        .bytes(registration.agent.bytes), .text(registration.name),
        .text(registration.description), .text(registration.platform), .integer(specialties),
        .integer(Int64(registration.capabilities.rawValue)),
        .bytes(registration.tokenDigest.bytes), time(stamp), lane(stamp), number(stamp),
        place(stamp),
      ])
  }

  static func row(of posting: QuestionPosting, at stamp: OperationStamp) -> Row {
    // Choices have no control characters, so line feeds keep them apart.
    Row(
      questionSchema,
      [
        .bytes(posting.question.bytes), .bytes(posting.asker.bytes), .text(posting.text),
        .integer(Int64(posting.category.rawValue)),
        .integer(Int64(posting.deadlineMilliseconds)), .integer(Int64(posting.minimumAnswers)),
        .text(posting.choices.joined(separator: "\n")), time(stamp), lane(stamp), number(stamp),
        place(stamp),
      ])
  }

  static func row(of posting: AnswerPosting, key: AnswerKey, at stamp: OperationStamp) -> Row {
    Row(
      answerSchema,
      [
        .bytes(posting.question.bytes), .bytes(posting.agent.bytes), .bytes(key.bytes),
        .text(posting.value), .text(posting.content), .text(posting.reasoning),
        .integer(Int64(posting.confidenceMillionths)), .integer(Int64(posting.stakeMillionths)),
        time(stamp), lane(stamp), number(stamp), place(stamp),
      ])
  }

  static func row(of resolution: Resolution, key: AnswerKey, at stamp: OperationStamp) -> Row {
    Row(
      resolutionSchema,
      [
        .bytes(resolution.question.bytes), .bytes(resolution.resolver.bytes),
        .bytes(key.bytes), .text(resolution.value), time(stamp), lane(stamp), number(stamp),
        place(stamp),
      ])
  }

  static func scoreRow(of entry: AgentEntry) -> Row {
    let bound = AccuracyBound.millionths(correct: entry.correct, resolved: entry.resolvedAnswers)
    return Row(
      scoreSchema,
      [
        .bytes(entry.agent.bytes), .integer(Int64(entry.resolvedAnswers)),
        .integer(Int64(entry.correct)), .integer(Int64(bound)),
      ])
  }

  func row(of entry: MemberEntry, for node: NodeID) -> Row {
    let first = expand(entry.firstStamp)
    let last = expand(entry.lastStamp)
    return Row(
      LiveTables.memberSchema,
      [
        .bytes(node.key.bytes), .integer(Int64(entry.role.rawValue)),
        .text(entry.transportAddress), .text(entry.apiAddress), LiveTables.time(first),
        LiveTables.lane(first), LiveTables.number(first), LiveTables.place(first),
        LiveTables.time(last), LiveTables.lane(last), LiveTables.number(last),
        LiveTables.place(last),
      ])
  }

  static func time(_ stamp: OperationStamp) -> ColumnValue {
    .integer(Int64(bitPattern: stamp.time.raw))
  }

  static func lane(_ stamp: OperationStamp) -> ColumnValue {
    .bytes(stamp.lane.digest.bytes)
  }

  static func number(_ stamp: OperationStamp) -> ColumnValue {
    .integer(Int64(bitPattern: stamp.number))
  }

  static func place(_ stamp: OperationStamp) -> ColumnValue {
    .integer(Int64(stamp.index))
  }
}
