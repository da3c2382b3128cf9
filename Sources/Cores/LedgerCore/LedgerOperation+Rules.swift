internal import AnswerCore

extension LedgerOperation {
  /// The first rule that the operation breaks by itself, whatever else is known; `nil` when none.
  ///
  /// Fields are checked in the order of their declaration. O(bytes).
  package func validate() -> LedgerFault? {
    do throws(LedgerFault) {
      switch self {
      case .register(let registration): try registration.check()
      case .ask(let posting): try posting.check()
      case .answer(let posting): try posting.check()
      case .resolve(let resolution): try resolution.check()
      case .announce(let announcement): try announcement.check()
      case .define(let definition): try CollectionRule.check(definition.name)
      case .change(let change): try change.check()
      }
      return nil
    } catch {
      return error
    }
  }
}

extension AgentRegistration {
  fileprivate func check() throws(LedgerFault) {
    try TextRule.check(name, .name, LedgerLimits.name, lines: .one)
    try TextRule.check(description, .description, LedgerLimits.description, lines: .many)
    try TextRule.check(platform, .platform, LedgerLimits.platform, lines: .one)
    guard platform.utf8.allSatisfy(AddressRule.isWordByte) else {
      throw LedgerFault(.platform, .notAWord)
    }
    for (left, right) in zip(specialties, specialties.dropFirst())
    where left.rawValue >= right.rawValue {
      throw LedgerFault(.specialties, .repeated)
    }
    guard capabilities.isSubset(of: .all) else { throw LedgerFault(.capabilities, .unknownFlag) }
  }
}

extension QuestionPosting {
  fileprivate func check() throws(LedgerFault) {
    try TextRule.check(text, .text, LedgerLimits.questionText, lines: .many)
    try NumberRule.check(deadlineMilliseconds, .deadline, LedgerLimits.deadlineMilliseconds)
    try NumberRule.check(UInt64(minimumAnswers), .minimumAnswers, LedgerLimits.minimumAnswers)
    guard choices.isEmpty || LedgerLimits.choiceCount.contains(choices.count) else {
      throw LedgerFault(
        .choices,
        .wrongCount(
          minimum: LedgerLimits.choiceCount.lowerBound,
          maximum: LedgerLimits.choiceCount.upperBound, actual: choices.count))
    }
    for choice in choices {
      try TextRule.check(choice, .choices, LedgerLimits.choice, lines: .one)
    }
    let keys = choices.map { CanonicalAnswer.key(of: $0) }.sorted()
    for (left, right) in zip(keys, keys.dropFirst()) where left == right {
      throw LedgerFault(.choices, .repeated)
    }
  }
}

extension AnswerPosting {
  fileprivate func check() throws(LedgerFault) {
    if !value.isEmpty { try TextRule.check(value, .value, LedgerLimits.value, lines: .one) }
    try TextRule.check(content, .content, LedgerLimits.content, lines: .many)
    try TextRule.check(reasoning, .reasoning, LedgerLimits.reasoning, lines: .many)
    try NumberRule.check(
      UInt64(confidenceMillionths), .confidence, LedgerLimits.confidenceMillionths)
    try NumberRule.check(stakeMillionths, .stake, LedgerLimits.stakeMillionths)
  }
}

extension Resolution {
  fileprivate func check() throws(LedgerFault) {
    try TextRule.check(value, .value, LedgerLimits.resolution, lines: .many)
  }
}

extension MemberAnnouncement {
  fileprivate func check() throws(LedgerFault) {
    try TextRule.check(transportAddress, .transportAddress, LedgerLimits.address, lines: .one)
    guard AddressRule.isHostAndPort(transportAddress.utf8[...]) else {
      throw LedgerFault(.transportAddress, .notAnAddress)
    }
    try TextRule.check(apiAddress, .apiAddress, LedgerLimits.address, lines: .one)
    guard AddressRule.isURL(apiAddress) else { throw LedgerFault(.apiAddress, .notAnAddress) }
  }
}

/// The rule for names of collections, which stand in paths.
enum CollectionRule {
  static func check(_ name: String) throws(LedgerFault) {
    try TextRule.check(name, .collection, LedgerLimits.collection, lines: .one)
    guard name.utf8.allSatisfy(AddressRule.isWordByte) else {
      throw LedgerFault(.collection, .notAWord)
    }
  }
}

extension RecordChange {
  fileprivate func check() throws(LedgerFault) {
    try CollectionRule.check(name.collection)
    try TextRule.checkBytes(name.key, .key, LedgerLimits.recordKeyBytes, lines: .one)
    switch action {
    case .put(let value, let priority, let seen):
      try TextRule.checkBytes(value, .value, LedgerLimits.recordValueBytes, lines: .many)
      try NumberRule.check(UInt64(priority), .priority, LedgerLimits.priority)
      try RecordChange.check(seen)
    case .delete(let priority, let seen):
      try NumberRule.check(UInt64(priority), .priority, LedgerLimits.priority)
      try RecordChange.check(seen)
    case .add(let delta):
      guard delta != 0, delta.magnitude <= LedgerLimits.deltaMagnitude.magnitude else {
        throw LedgerFault(.delta, .notAnAmount(maximum: LedgerLimits.deltaMagnitude))
      }
    case .insert(let element, let seen), .remove(let element, let seen):
      try TextRule.checkBytes(element, .element, LedgerLimits.elementBytes, lines: .one)
      try RecordChange.check(seen)
    }
  }

  private static func check(_ seen: [RecordDot]) throws(LedgerFault) {
    guard LedgerLimits.seenCount.contains(seen.count) else {
      throw LedgerFault(
        .seen,
        .wrongCount(
          minimum: LedgerLimits.seenCount.lowerBound, maximum: LedgerLimits.seenCount.upperBound,
          actual: seen.count))
    }
    for (left, right) in zip(seen, seen.dropFirst()) where left >= right {
      throw LedgerFault(.seen, .repeated)
    }
  }
}

extension Capabilities {
  /// Every capability there is.
  package static let all: Capabilities = [.ask, .answer, .resolve]
}
