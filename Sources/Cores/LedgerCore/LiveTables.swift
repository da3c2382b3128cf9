internal import AnswerCore
package import Crypto
package import Primitives
package import Records
internal import Wire

/// The tentative live state of a swarm: agents, questions, answers, scores, members, records.
///
/// Lanes are applied as they come, so two nodes see the operations of concurrent lanes in different
/// orders, and a malicious lane may name things that arrive later or never. The tables are
/// therefore a function of the *set* of applied operations: every conflict is settled by the
/// operations' stamps and never by the order of arrival (a join in the sense of Shapiro, Preguiça,
/// Baquero and Zawirski, "Conflict-free replicated data types", 2011).
///
/// ```
///  operation ── decode, validate ──► fact (smallest stamp wins) ──► row, set hash
///                                       │ whatever depends on it
///                                       ▼
///                       standing of answers ──► sums per agent ──► score rows
/// ```
///
/// Invariants, whatever the order of arrival:
/// - **I1** Of operations with one key (agent; question; question and agent; question and resolver)
///   the one with the smallest stamp is kept. A node keeps the role of its smallest announcement
///   and the addresses of its largest.
/// - **I2** A resolution is effective if its question is posted, its resolver is registered and may
///   resolve, its value is one of the choices (if there are choices), and no smaller one is such.
/// - **I3** An answer counts if its question is posted, by an agent that is registered and may ask,
///   its own agent is registered and may answer, it is one of the choices (if there are choices),
///   its timestamp is not after the deadline, and its stamp is smaller than that of the effective
///   resolution, if any.
/// - **I4** A counted answer counts toward accuracy if the question has an effective resolution by
///   another agent; it is right if the canonical keys are equal.
/// - **I5** An agent's score is the sum over its answers. Every registered agent has a score row.
/// - **I6** The set hash covers exactly the newest row of every key.
/// - **I7** The definition of a collection with the smallest stamp counts; its policy chooses what
///   records show and nothing else. A record is what `RecordClock` makes of its writes, the sum of
///   its additions, a request being counted once, and the elements with an addition that stands.
/// - **I8** Changes of records are applied in the order of their lane, each once: lanes are
///   delivered so. A place that does not come after the last one of this run changes nothing.
///
/// A stamp must name one operation: lanes are checked for that before they are applied. Texts of
/// answers are in storage only; an answer takes about 150 bytes here with its lookup. An answer is
/// applied in O(1); a resolution in O(answers to its question); a registration that changes what
/// an agent may do in O(answers to the questions that it asked, answered or resolved).
package struct LiveTables: Sendable {
  var agents: [AgentEntry] = []
  var questions: [QuestionEntry] = []
  var answers: [AnswerEntry] = []
  var resolutions: [ResolutionEntry] = []
  var asked: [AskedLink] = []
  var lanes: [LaneID] = []
  var memberEntries = SortedMap<NodeID, MemberEntry>()
  var collections: [CollectionEntry] = []
  var records: [RecordEntry] = []
  /// Per lane the place of its last change of a record (I8), beside `lanes`.
  var lastChanges: [(number: UInt64, index: UInt32)] = []

  // For lookup alone: their order never reaches a result.
  var agentIndexes: [AgentID: UInt32] = [:]
  var questionIndexes: [QuestionID: UInt32] = [:]
  var answerIndexes: [UInt64: UInt32] = [:]
  var resolutionIndexes: [UInt64: UInt32] = [:]
  var laneIndexes: [LaneID: UInt32] = [:]
  /// The registered agent with the smallest stamp among those with a token; the rest hang off it.
  var tokenIndexes: [Digest: UInt32] = [:]

  var collectionIndexes: [String: UInt32] = [:]
  var recordIndexes: [RecordID: UInt32] = [:]
  var elements: [Identifier<ElementKind>: ElementEntry] = [:]
  var requests: [RecordRequestID: RequestEntry] = [:]

  /// Agents whose score row is to be written at the end of the step.
  var dirtyScores: [UInt32] = []
  var registeredAgents = 0
  var postedQuestions = 0
  var definedCollections = 0
  var appliedOperations = 0
  var ignoredOperations = 0

  /// Whether rows are being loaded; see `restore`.
  var isRestoring = false
  /// Score rows as loaded, to be compared with the sums.
  var restoredScores: [RestoredScore] = []

  /// The hash of the set of all rows (I6).
  package internal(set) var rowSet = LatticeHash()
  private let hashesRows: Bool

  /// Makes empty tables. Whoever commits to the rows in another way needs no hash of their set.
  package init(hashesRows: Bool = true) {
    self.hashesRows = hashesRows
  }

  /// The digest of the set of all rows: equal on nodes that applied the same operations; of no
  /// meaning when rows are not hashed.
  package var rowsDigest: Digest { rowSet.digest }

  /// Applies one operation and appends the rows that change to `rows`.
  ///
  /// Bytes that are no operation, or break a rule of `LedgerOperation.validate()`, change nothing
  /// and are counted. Applying an operation again at the same stamp changes nothing.
  package mutating func apply(
    _ operation: [UInt8], at stamp: OperationStamp, into rows: inout [Row]
  ) {
    precondition(!isRestoring, "an operation was applied before finishRestore()")
    appliedOperations += 1
    guard let decoded = LiveTables.decode(operation) else {
      ignoredOperations += 1
      return
    }
    settle(decoded, at: stamp, into: &rows)
    writeScores(into: &rows)
  }

  /// Applies an operation that keeps the rules; rows of scores follow with `writeScores`.
  package mutating func settle(
    _ operation: LedgerOperation, at stamp: OperationStamp, into rows: inout [Row]
  ) {
    let compact = compact(stamp)
    switch operation {
    case .register(let registration):
      register(registration, stamp, compact, into: &rows)
    case .ask(let posting): post(posting, stamp, compact, into: &rows)
    case .answer(let posting): answer(posting, stamp, compact, into: &rows)
    case .resolve(let resolution): resolve(resolution, stamp, compact, into: &rows)
    case .announce(let announcement): announce(announcement, stamp, compact, into: &rows)
    case .define(let definition): define(definition, stamp, compact, into: &rows)
    case .change(let change): self.change(change, stamp, compact, into: &rows)
    }
  }

  /// The operation that the bytes are, or `nil` when every node is to ignore them.
  private static func decode(_ bytes: [UInt8]) -> LedgerOperation? {
    do throws(WireError) {
      let operation = try LedgerOperation(decoding: bytes)
      return operation.validate() == nil ? operation : nil
    } catch {
      return nil
    }
  }
}

// MARK: - Dense indices and stamps

extension LiveTables {
  /// The index of an agent, as a placeholder when it is new.
  mutating func index(of agent: AgentID) -> UInt32 {
    if let index = agentIndexes[agent] { return index }
    let index = UInt32(agents.count)
    agents.append(AgentEntry(agent: agent))
    agentIndexes[agent] = index
    return index
  }

  /// The index of a question, as a placeholder when it is new.
  mutating func index(of question: QuestionID) -> UInt32 {
    if let index = questionIndexes[question] { return index }
    let index = UInt32(questions.count)
    questions.append(QuestionEntry(question: question))
    questionIndexes[question] = index
    return index
  }

  /// The key of a question with an agent in the lookup tables.
  static func pair(_ question: UInt32, _ agent: UInt32) -> UInt64 {
    UInt64(question) << 32 | UInt64(agent)
  }

  mutating func compact(_ stamp: OperationStamp) -> CompactStamp {
    precondition(
      (0...Int(UInt32.max)).contains(stamp.index), "index \(stamp.index) within a bundle")
    return CompactStamp(
      time: stamp.time.raw, number: stamp.number, lane: laneIndex(of: stamp.lane),
      index: UInt32(stamp.index))
  }

  /// The index of a lane, which is a new one when it was not named before.
  mutating func laneIndex(of lane: LaneID) -> UInt32 {
    if let known = laneIndexes[lane] { return known }
    let index = UInt32(lanes.count)
    lanes.append(lane)
    lastChanges.append((0, 0))
    laneIndexes[lane] = index
    return index
  }

  func expand(_ stamp: CompactStamp) -> OperationStamp {
    OperationStamp(
      time: HybridTime(raw: stamp.time), lane: lanes[Int(stamp.lane)], number: stamp.number,
      index: Int(stamp.index))
  }

  /// The order of `OperationStamp`, on the compact form.
  func precedes(_ left: CompactStamp, _ right: CompactStamp) -> Bool {
    if left.time != right.time { return left.time < right.time }
    if left.lane != right.lane { return lanes[Int(left.lane)] < lanes[Int(right.lane)] }
    if left.number != right.number { return left.number < right.number }
    return left.index < right.index
  }

  /// Replaces a row in the set hash (I6).
  mutating func replaceDigest(_ old: Digest?, with new: Digest) {
    guard hashesRows else { return }
    if let old { rowSet.remove(old) }
    rowSet.insert(new)
  }
}

extension LiveTables {
  /// Applies every operation of a bundle, each with its stamp.
  package mutating func apply(_ bundle: SignedBundle, into rows: inout [Row]) {
    let header = bundle.header
    for (index, operation) in bundle.operations.enumerated() {
      let time = HybridTime(raw: header.firstTime.raw + UInt64(index))
      let stamp = OperationStamp(
        time: time, lane: header.lane, number: header.number, index: index)
      apply(operation, at: stamp, into: &rows)
    }
  }
}
