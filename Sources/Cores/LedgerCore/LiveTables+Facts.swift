internal import AnswerCore
internal import Primitives
internal import Records

/// Facts: what operations say, kept by the smallest stamp (I1).
extension LiveTables {
  mutating func register(
    _ registration: AgentRegistration, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    let index = index(of: registration.agent)
    if let old = agents[Int(index)].registration, !precedes(compact, old.stamp) { return }
    let row = LiveTables.row(of: registration, at: stamp)
    install(
      AgentEntry.Registered(
        name: registration.name, capabilities: registration.capabilities,
        tokenDigest: registration.tokenDigest, stamp: compact, rowDigest: row.digest),
      as: index)
    rows.append(row)
  }

  mutating func post(
    _ posting: QuestionPosting, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    let index = index(of: posting.question)
    if let old = questions[Int(index)].posted, !precedes(compact, old.stamp) { return }
    let row = LiveTables.row(of: posting, at: stamp)
    install(
      QuestionEntry.Posted(
        asker: self.index(of: posting.asker), category: posting.category,
        deadlineMilliseconds: posting.deadlineMilliseconds,
        minimumAnswers: posting.minimumAnswers, choices: posting.choices,
        choiceKeys: posting.choices.map { CanonicalAnswer.key(of: $0) }, stamp: compact,
        rowDigest: row.digest),
      as: index)
    rows.append(row)
  }

  mutating func answer(
    _ posting: AnswerPosting, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    let question = index(of: posting.question)
    let agent = index(of: posting.agent)
    if let old = answerIndexes[LiveTables.pair(question, agent)],
      !precedes(compact, answers[Int(old)].stamp)
    {
      return
    }
    let key = CanonicalAnswer.key(value: posting.value, content: posting.content)
    let row = LiveTables.row(of: posting, key: key, at: stamp)
    install(
      AnswerEntry(
        question: question, agent: agent, key: key, stamp: compact, rowDigest: row.digest,
        confidenceMillionths: posting.confidenceMillionths, nextOfQuestion: noIndex,
        nextOfAgent: noIndex))
    rows.append(row)
  }

  mutating func resolve(
    _ resolution: Resolution, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    let question = index(of: resolution.question)
    let resolver = index(of: resolution.resolver)
    if let old = resolutionIndexes[LiveTables.pair(question, resolver)],
      !precedes(compact, resolutions[Int(old)].stamp)
    {
      return
    }
    let key = CanonicalAnswer.key(of: resolution.value)
    let row = LiveTables.row(of: resolution, key: key, at: stamp)
    install(
      ResolutionEntry(
        question: question, resolver: resolver, key: key, value: resolution.value,
        stamp: compact, rowDigest: row.digest,
        nextOfQuestion: questions[Int(question)].firstResolution,
        nextOfResolver: agents[Int(resolver)].firstResolution))
    rows.append(row)
  }

  mutating func announce(
    _ announcement: MemberAnnouncement, _ stamp: OperationStamp, _ compact: CompactStamp,
    into rows: inout [Row]
  ) {
    let old = memberEntries[announcement.node]
    var entry =
      old
      ?? MemberEntry(
        role: announcement.role, firstStamp: compact,
        transportAddress: announcement.transportAddress, apiAddress: announcement.apiAddress,
        lastStamp: compact, rowDigest: .zero)
    let isFirst = precedes(compact, entry.firstStamp)
    let isLast = precedes(entry.lastStamp, compact)
    guard old == nil || isFirst || isLast else { return }
    if isFirst {
      entry.role = announcement.role
      entry.firstStamp = compact
    }
    if isLast {
      entry.transportAddress = announcement.transportAddress
      entry.apiAddress = announcement.apiAddress
      entry.lastStamp = compact
    }
    let row = self.row(of: entry, for: announcement.node)
    entry.rowDigest = row.digest
    replaceDigest(old?.rowDigest, with: entry.rowDigest)
    memberEntries[announcement.node] = entry
    rows.append(row)
  }
}

// MARK: - Installing a fact that won

extension LiveTables {
  mutating func install(_ new: AgentEntry.Registered, as index: UInt32) {
    let old = agents[Int(index)].registration
    if old != nil { unlinkToken(of: index) }
    agents[Int(index)].registration = new
    linkToken(of: index)
    replaceDigest(old?.rowDigest, with: new.rowDigest)
    if old == nil {
      registeredAgents += 1
      markScore(of: index)
    }
    let changed = new.capabilities.symmetricDifference(old?.capabilities ?? [])
    if !isRestoring { reviewDependents(of: index, changed) }
  }

  mutating func install(_ new: QuestionEntry.Posted, as index: UInt32) {
    let old = questions[Int(index)].posted
    questions[Int(index)].posted = new
    if old?.asker != new.asker {
      // Links to earlier askers stay: a review too many changes nothing.
      asked.append(AskedLink(question: index, next: agents[Int(new.asker)].firstAsked))
      agents[Int(new.asker)].firstAsked = UInt32(asked.count - 1)
    }
    replaceDigest(old?.rowDigest, with: new.rowDigest)
    if old == nil { postedQuestions += 1 }
    if !isRestoring {
      electResolution(of: index)
      reviewAnswers(to: index)
    }
  }

  mutating func install(_ entry: AnswerEntry) {
    let pair = LiveTables.pair(entry.question, entry.agent)
    let index: UInt32
    if let known = answerIndexes[pair] {
      index = known
      replaceDigest(answers[Int(index)].rowDigest, with: entry.rowDigest)
      answers[Int(index)].key = entry.key
      answers[Int(index)].stamp = entry.stamp
      answers[Int(index)].rowDigest = entry.rowDigest
      answers[Int(index)].confidenceMillionths = entry.confidenceMillionths
    } else {
      index = UInt32(answers.count)
      answerIndexes[pair] = index
      replaceDigest(nil, with: entry.rowDigest)
      answers.append(entry)
      answers[Int(index)].nextOfQuestion = questions[Int(entry.question)].firstAnswer
      answers[Int(index)].nextOfAgent = agents[Int(entry.agent)].firstAnswer
      questions[Int(entry.question)].firstAnswer = index
      questions[Int(entry.question)].answers += 1
      agents[Int(entry.agent)].firstAnswer = index
    }
    if !isRestoring { review(answer: index) }
  }

  mutating func install(_ entry: ResolutionEntry) {
    let pair = LiveTables.pair(entry.question, entry.resolver)
    let index: UInt32
    if let known = resolutionIndexes[pair] {
      index = known
      replaceDigest(resolutions[Int(index)].rowDigest, with: entry.rowDigest)
      resolutions[Int(index)].key = entry.key
      resolutions[Int(index)].value = entry.value
      resolutions[Int(index)].stamp = entry.stamp
      resolutions[Int(index)].rowDigest = entry.rowDigest
    } else {
      index = UInt32(resolutions.count)
      resolutionIndexes[pair] = index
      replaceDigest(nil, with: entry.rowDigest)
      resolutions.append(entry)
      questions[Int(entry.question)].firstResolution = index
      agents[Int(entry.resolver)].firstResolution = index
    }
    if isRestoring { return }
    let changed = electResolution(of: entry.question)
    if changed || questions[Int(entry.question)].effective == index {
      reviewAnswers(to: entry.question)
    }
  }
}

// MARK: - Tokens

extension LiveTables {
  /// Puts an agent among those with its token: first if its stamp is the smallest, else second.
  private mutating func linkToken(of index: UInt32) {
    guard let new = agents[Int(index)].registration else { return }
    guard let head = tokenIndexes[new.tokenDigest],
      let first = agents[Int(head)].registration
    else {
      tokenIndexes[new.tokenDigest] = index
      agents[Int(index)].nextWithToken = noIndex
      return
    }
    if precedes(new.stamp, first.stamp) {
      agents[Int(index)].nextWithToken = head
      tokenIndexes[new.tokenDigest] = index
    } else {
      agents[Int(index)].nextWithToken = agents[Int(head)].nextWithToken
      agents[Int(head)].nextWithToken = index
    }
  }

  /// Takes an agent from among those with its token, and finds who is first of the rest.
  private mutating func unlinkToken(of index: UInt32) {
    guard let token = agents[Int(index)].registration?.tokenDigest,
      let head = tokenIndexes.removeValue(forKey: token)
    else { return }
    var rest: [UInt32] = []
    var next = head
    while next != noIndex {
      if next != index { rest.append(next) }
      next = agents[Int(next)].nextWithToken
    }
    for other in rest { linkToken(of: other) }
  }
}
