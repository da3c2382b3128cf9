internal import LedgerCore
internal import Primitives
internal import Records

/// The columns of one stored row, read in order by type.
struct ColumnReader {
  private let values: [ColumnValue]
  private var index = 0

  init(_ values: [ColumnValue]) {
    self.values = values
  }

  mutating func integer() throws(APIProblem) -> Int64 {
    guard case .integer(let number)? = next() else { throw bad("an integer") }
    return number
  }

  mutating func text() throws(APIProblem) -> String {
    guard case .text(let text)? = next() else { throw bad("text") }
    return text
  }

  mutating func bytes() throws(APIProblem) -> [UInt8] {
    guard case .bytes(let bytes)? = next() else { throw bad("bytes") }
    return bytes
  }

  mutating func optionalBytes() throws(APIProblem) -> [UInt8]? {
    switch next() {
    case .bytes(let bytes): return bytes
    case .null: return nil
    case .integer, .text, nil: throw bad("bytes")
    }
  }

  mutating func identifier<Kind>(
    _ kind: Kind.Type = Kind.self
  ) throws(APIProblem) -> Identifier<Kind> {
    guard case .bytes(let bytes)? = next(), let value = Identifier<Kind>(bytes) else {
      throw bad("an identifier")
    }
    return value
  }

  private mutating func next() -> ColumnValue? {
    defer { index += 1 }
    return index < values.count ? values[index] : nil
  }

  private func bad(_ wanted: String) -> APIProblem {
    APIProblem(
      .storageFailed,
      "a stored row has no \(wanted) in column \(index - 1); check this node's storage and ask"
        + " another node")
  }
}

/// An agent as stored.
struct AgentRow {
  let agent: AgentID
  let name: String
  let description: String
  let platform: String
  let specialties: [QuestionCategory]
  let capabilities: Capabilities
  let createdMilliseconds: UInt64

  static let columns = "agent, name, description, platform, specialties, capabilities, time"

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    agent = try reader.identifier()
    name = try reader.text()
    description = try reader.text()
    platform = try reader.text()
    let bits = try reader.integer()
    specialties = QuestionCategory.allCases.filter { bits >> Int64($0.rawValue - 1) & 1 == 1 }
    capabilities = Capabilities(rawValue: UInt8(truncatingIfNeeded: try reader.integer()))
    createdMilliseconds = HybridTime(raw: UInt64(bitPattern: try reader.integer())).milliseconds
  }

  /// Whether a retry of the registration says the same; the token's digest is part of the id.
  func matches(_ registration: AgentRegistration) -> Bool {
    name.isSame(as: registration.name) && description.isSame(as: registration.description)
      && platform.isSame(as: registration.platform) && specialties == registration.specialties
      && capabilities == registration.capabilities
  }
}

/// A question as stored.
struct QuestionRow {
  let question: QuestionID
  let asker: AgentID
  let text: String
  let category: QuestionCategory
  let deadlineMilliseconds: UInt64
  let minimumAnswers: UInt32
  let choices: [String]
  let time: HybridTime

  static let columns =
    "question, asker, text, category, deadline, minimum_answers, choices, time"

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    question = try reader.identifier()
    asker = try reader.identifier()
    text = try reader.text()
    guard let category = QuestionCategory(rawValue: UInt8(clamping: try reader.integer())) else {
      throw APIProblem(.storageFailed, "a stored question has an unknown category")
    }
    self.category = category
    deadlineMilliseconds = UInt64(clamping: try reader.integer())
    minimumAnswers = UInt32(clamping: try reader.integer())
    // Choices are stored one per line.
    choices = try reader.text().split(separator: "\n").map(String.init)
    time = HybridTime(raw: UInt64(bitPattern: try reader.integer()))
  }

  /// Whether a retry of the posting says the same; a deadline counted from now cannot.
  func matches(_ posting: QuestionPosting, comparesDeadline: Bool) -> Bool {
    text.isSame(as: posting.text) && category == posting.category
      && minimumAnswers == posting.minimumAnswers && choices.count == posting.choices.count
      && zip(choices, posting.choices).allSatisfy { $0.isSame(as: $1) }
      && (!comparesDeadline || deadlineMilliseconds == posting.deadlineMilliseconds)
  }
}

/// An answer as stored.
struct AnswerRow {
  let question: QuestionID
  let agent: AgentID
  let value: String
  let content: String
  let reasoning: String
  let confidenceMillionths: Int64
  let stakeMillionths: Int64
  let createdMilliseconds: UInt64

  static let columns =
    "question, agent, value, content, reasoning, confidence, stake, time"

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    question = try reader.identifier()
    agent = try reader.identifier()
    value = try reader.text()
    content = try reader.text()
    reasoning = try reader.text()
    confidenceMillionths = try reader.integer()
    stakeMillionths = try reader.integer()
    createdMilliseconds = HybridTime(raw: UInt64(bitPattern: try reader.integer())).milliseconds
  }

  /// Whether a retry of the posting says the same.
  func matches(_ posting: AnswerPosting) -> Bool {
    value.isSame(as: posting.value) && content.isSame(as: posting.content)
      && reasoning.isSame(as: posting.reasoning)
      && confidenceMillionths == Int64(posting.confidenceMillionths)
      && stakeMillionths == Int64(posting.stakeMillionths)
  }
}

/// An agent's place on the leaderboard as stored.
struct RankRow {
  let agent: AgentID
  let name: String
  let resolvedAnswers: Int64
  let correct: Int64
  let boundMillionths: Int64

  init(_ row: [ColumnValue]) throws(APIProblem) {
    var reader = ColumnReader(row)
    agent = try reader.identifier()
    name = try reader.text()
    resolvedAnswers = try reader.integer()
    correct = try reader.integer()
    boundMillionths = try reader.integer()
  }

  /// Bound and answers as one number with their order; both fit 32 bits.
  var sortKey: Int64 { boundMillionths << 32 | resolvedAnswers }
}

extension String {
  /// Whether the bytes are the same; `==` also equates canonical equivalents.
  func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
