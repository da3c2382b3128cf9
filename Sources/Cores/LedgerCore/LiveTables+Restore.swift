internal import AnswerCore
internal import Crypto
internal import Primitives
package import Records

/// A score row as loaded.
struct RestoredScore {
  let agent: UInt32
  let resolvedAnswers: Int64
  let correct: Int64
  let accuracyBound: Int64
}

/// Why stored rows are not a state of the live tables.
package struct RestoreError: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// No table has the number.
    case unknownTable
    /// A value has the wrong type, length or range for its column, counting from zero.
    case badValue(column: Int)
    /// Two rows have the same key.
    case repeatedKey
    /// A score does not belong to a registered agent, is missing, or is not the sum over answers.
    case wrongScore
  }

  /// The number of the table.
  package let table: UInt16
  /// What is wrong.
  package let reason: Reason

  /// Says what is wrong with a row of a table.
  package init(_ table: UInt16, _ reason: Reason) {
    self.table = table
    self.reason = reason
  }
}

/// Loading: the rows of every table, in any order, then `finishRestore()`.
extension LiveTables {
  /// Loads one row into tables that nothing was applied to.
  package mutating func restore(_ row: Row) throws(RestoreError) {
    precondition(appliedOperations == 0, "a row was loaded after an operation was applied")
    isRestoring = true
    let reader = RowReader(row: row)
    switch row.table {
    case LiveTables.agentSchema.number: try restoreAgent(reader)
    case LiveTables.questionSchema.number: try restoreQuestion(reader)
    case LiveTables.answerSchema.number: try restoreAnswer(reader)
    case LiveTables.resolutionSchema.number: try restoreResolution(reader)
    case LiveTables.scoreSchema.number: try restoreScore(reader)
    case LiveTables.memberSchema.number: try restoreMember(reader)
    case LiveTables.collectionSchema.number: try restoreCollection(reader)
    case LiveTables.recordSchema.number: try restoreRecord(reader)
    case LiveTables.recordWriteSchema.number: try restoreWrite(reader)
    case LiveTables.setElementSchema.number: try restoreElement(reader)
    case LiveTables.recordRequestSchema.number: try restoreRequest(reader)
    // open set: numbers of tables that do not exist
    default: throw RestoreError(row.table, .unknownTable)
    }
  }

  /// Settles every answer and checks the loaded scores against the sums. O(rows).
  package mutating func finishRestore() throws(RestoreError) {
    isRestoring = false
    for index in questions.indices {
      electResolution(of: UInt32(index))
      reviewAnswers(to: UInt32(index))
    }
    let table = LiveTables.scoreSchema.number
    guard restoredScores.count == registeredAgents else {
      throw RestoreError(table, .wrongScore)
    }
    for score in restoredScores {
      let agent = agents[Int(score.agent)]
      guard agent.registration != nil, Int64(agent.resolvedAnswers) == score.resolvedAnswers,
        Int64(agent.correct) == score.correct,
        Int64(
          AccuracyBound.millionths(correct: agent.correct, resolved: agent.resolvedAnswers))
          == score.accuracyBound
      else { throw RestoreError(table, .wrongScore) }
    }
    for index in dirtyScores { agents[Int(index)].isScoreDirty = false }
    dirtyScores = []
    restoredScores = []
  }
}

// MARK: - One table each

extension LiveTables {
  private mutating func restoreAgent(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.agentSchema)
    let index = index(of: try reader.identifier(0, of: AgentKind.self))
    guard agents[Int(index)].registration == nil else { throw reader.repeatedKey }
    let capabilities = Capabilities(
      rawValue: UInt8(try reader.integer(5, in: 0...Int64(Capabilities.all.rawValue))))
    install(
      AgentEntry.Registered(
        name: try reader.text(1), capabilities: capabilities, tokenDigest: try reader.digest(6),
        stamp: compact(try reader.stamp(7)), rowDigest: reader.row.digest),
      as: index)
  }

  private mutating func restoreQuestion(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.questionSchema)
    let index = index(of: try reader.identifier(0, of: QuestionKind.self))
    guard questions[Int(index)].posted == nil else { throw reader.repeatedKey }
    let asker = self.index(of: try reader.identifier(1, of: AgentKind.self))
    guard let category = QuestionCategory(rawValue: UInt8(try reader.integer(3, in: 0...255)))
    else { throw reader.bad(3) }
    let choices = try reader.text(6)
      .split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    install(
      QuestionEntry.Posted(
        asker: asker, category: category,
        deadlineMilliseconds: UInt64(
          try reader.integer(4, LedgerLimits.deadlineMilliseconds)),
        minimumAnswers: UInt32(try reader.integer(5, LedgerLimits.minimumAnswers)),
        choices: choices, choiceKeys: choices.map { CanonicalAnswer.key(of: $0) },
        stamp: compact(try reader.stamp(7)), rowDigest: reader.row.digest),
      as: index)
  }

  private mutating func restoreAnswer(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.answerSchema)
    let question = index(of: try reader.identifier(0, of: QuestionKind.self))
    let agent = index(of: try reader.identifier(1, of: AgentKind.self))
    guard answerIndexes[LiveTables.pair(question, agent)] == nil else { throw reader.repeatedKey }
    install(
      AnswerEntry(
        question: question, agent: agent, key: try reader.identifier(2),
        stamp: compact(try reader.stamp(8)), rowDigest: reader.row.digest,
        confidenceMillionths: UInt32(
          try reader.integer(6, LedgerLimits.confidenceMillionths)),
        nextOfQuestion: noIndex, nextOfAgent: noIndex))
  }

  private mutating func restoreResolution(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.resolutionSchema)
    let question = index(of: try reader.identifier(0, of: QuestionKind.self))
    let resolver = index(of: try reader.identifier(1, of: AgentKind.self))
    guard resolutionIndexes[LiveTables.pair(question, resolver)] == nil else {
      throw reader.repeatedKey
    }
    install(
      ResolutionEntry(
        question: question, resolver: resolver, key: try reader.identifier(2),
        value: try reader.text(3), stamp: compact(try reader.stamp(4)),
        rowDigest: reader.row.digest,
        nextOfQuestion: questions[Int(question)].firstResolution,
        nextOfResolver: agents[Int(resolver)].firstResolution))
  }

  private mutating func restoreScore(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.scoreSchema)
    let index = index(of: try reader.identifier(0, of: AgentKind.self))
    guard agents[Int(index)].scoreDigest == nil else { throw reader.repeatedKey }
    let digest = reader.row.digest
    agents[Int(index)].scoreDigest = digest
    replaceDigest(nil, with: digest)
    restoredScores.append(
      RestoredScore(
        agent: index, resolvedAnswers: try reader.integer(1, in: 0...Int64(UInt32.max)),
        correct: try reader.integer(2, in: 0...Int64(UInt32.max)),
        accuracyBound: try reader.integer(3, in: 0...1_000_000)))
  }

  private mutating func restoreMember(_ reader: RowReader) throws(RestoreError) {
    try reader.expectColumns(of: LiveTables.memberSchema)
    let node = NodeID(key: try reader.digest(0))
    guard memberEntries[node] == nil else { throw reader.repeatedKey }
    guard let role = MemberRole(rawValue: UInt8(try reader.integer(1, in: 0...255))) else {
      throw reader.bad(1)
    }
    let digest = reader.row.digest
    memberEntries[node] = MemberEntry(
      role: role, firstStamp: compact(try reader.stamp(4)),
      transportAddress: try reader.text(2), apiAddress: try reader.text(3),
      lastStamp: compact(try reader.stamp(8)), rowDigest: digest)
    replaceDigest(nil, with: digest)
  }
}
