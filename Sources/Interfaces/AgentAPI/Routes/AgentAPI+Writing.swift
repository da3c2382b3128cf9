internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// What a write writes, as far as two requests can write the same.
enum ObjectKey: Hashable {
  case agent(AgentID)
  case token(Digest)
  case question(QuestionID)
  case answer(QuestionID, AgentID)
  case resolution(QuestionID)
  case collection(String)
  case record(RecordID)
  case request(RecordRequestID)
}

/// A write that reached the level asked for.
struct WriteReceipt {
  let operations: [OperationID]
  let requested: WriteLevel
  let reached: WriteLevel
  let isReplayed: Bool
  /// What executing the operations answered, when the level is final.
  var receipts: [OperationReceipt] = []

  /// Writes the members that every confirmed write has.
  func write(to writer: inout JSONWriter) {
    writer.key("replayed")
    writer.bool(isReplayed)
    writer.key("operations")
    writer.beginArray()
    for operation in operations { writer.string(operation.description) }
    writer.endArray()
    if requested == .final { writer.writeReceipts(receipts) }
    writer.key("consistency")
    writer.beginObject()
    writer.key("requested")
    writer.string(requested.rawValue)
    writer.key("reached")
    writer.string(reached.rawValue)
    writer.endObject()
  }

  static let members: [Shape.Member] = [
    .init("replayed", .flag), .init("operations", .list(.operation)),
    .init("receipts", .list(Shapes.receipt), isOptional: true),
    .init(
      "consistency",
      .named(
        "Consistency",
        .object([
          .init("requested", .word(WriteLevel.allCases.map(\.rawValue))),
          .init("reached", .word(WriteLevel.allCases.map(\.rawValue))),
        ]))),
  ]
}

extension AgentAPI {
  /// Submits operations that write the objects `keys`, and hands the receipt to `confirmed`.
  ///
  /// When another request is writing one of the objects, this one is handled anew after that (A2).
  /// With `releasesEarly` that is as soon as the operations are local, so that a level that cannot
  /// be reached holds up nobody else.
  func submit(
    _ operations: [LedgerOperation], writing keys: [ObjectKey], for exchange: Exchange,
    releasesEarly: Bool = false, confirmed: @escaping (WriteReceipt) -> Void
  ) {
    guard exchange.park() else { return }
    for key in keys where underWay[key] != nil {
      underWay[key]?.append { [unowned self] in run(exchange) }
      return
    }
    for key in keys { underWay[key] = [] }
    let level = exchange.options.level
    backend.submit(
      operations, level: releasesEarly ? .local : level,
      deadlineMilliseconds: exchange.remainingMilliseconds(at: backend.now)
    ) { [unowned self] result in
      let waiting = keys.flatMap { underWay.removeValue(forKey: $0) ?? [] }
      if case .reached(let reached, let operations) = result, reached < level {
        follow(operations, for: exchange, confirmed: confirmed)
      } else {
        settle(result, for: exchange, isReplayed: false, confirmed: confirmed)
      }
      for resume in waiting { resume() }
    }
  }

  /// Waits until operations that this request wrote have its level.
  private func follow(
    _ operations: [OperationID], for exchange: Exchange,
    confirmed: @escaping (WriteReceipt) -> Void
  ) {
    backend.wait(
      for: operations, level: exchange.options.level,
      deadlineMilliseconds: exchange.remainingMilliseconds(at: backend.now)
    ) { [unowned self] result in
      // They are written and local, so a full queue of waits says nothing about them.
      let isTold = if case .overloaded = result { false } else { true }
      settle(
        isTold ? result : .undecided(reached: .local, operations), for: exchange,
        isReplayed: false, confirmed: confirmed)
    }
  }

  /// Waits until what an earlier request wrote has the level that this one asks for.
  func wait(
    for operations: [OperationID], for exchange: Exchange,
    confirmed: @escaping (WriteReceipt) -> Void
  ) {
    guard exchange.park() else { return }
    backend.wait(
      for: operations, level: exchange.options.level,
      deadlineMilliseconds: exchange.remainingMilliseconds(at: backend.now)
    ) { [unowned self] result in
      settle(result, for: exchange, isReplayed: true, confirmed: confirmed)
    }
  }

  private func settle(
    _ result: WriteResult, for exchange: Exchange, isReplayed: Bool,
    confirmed: @escaping (WriteReceipt) -> Void
  ) {
    switch result {
    case .reached(let level, let operations):
      if isReplayed { metrics.replays += 1 } else { metrics.writesReached += 1 }
      let receipt = WriteReceipt(
        operations: operations, requested: exchange.options.level, reached: level,
        isReplayed: isReplayed)
      if level == .final {
        sign(receipt, for: exchange, confirmed: confirmed)
      } else {
        confirmed(receipt)
      }
    case .undecided(let reached, let operations):
      metrics.writesUndecided += 1
      finish(exchange, undecided(operations, reached, exchange.options))
    case .overloaded(let seconds):
      metrics.writesOverloaded += 1
      finish(exchange, AgentAPI.overloaded(seconds, "writes"))
    case .failed(let reason):
      metrics.writesFailed += 1
      finish(
        exchange,
        APIProblem(.storageFailed, "nothing was written: \(reason); try another node"))
    }
  }

  /// The refusal that says neither yes nor no (A3).
  private func undecided(
    _ operations: [OperationID], _ reached: WriteLevel?, _ options: WriteOptions
  ) -> APIProblem {
    let present = reached.map { "it has the level \($0.rawValue)" } ?? "no level is confirmed"
    var problem = APIProblem(
      .outcomeUnknown,
      "the level \(options.level.rawValue) was not reached within \(options.timeoutMilliseconds)"
        + " ms; \(present), and it may yet complete; repeat the same request to wait on, which"
        + " writes nothing twice when it has the same Idempotency-Key or is an answer")
    problem.members = [
      ("requested", json { $0.string(options.level.rawValue) }.body),
      (
        "reached",
        json { writer in
          if let reached { writer.string(reached.rawValue) } else { writer.null() }
        }.body
      ),
      (
        "operations",
        json { writer in
          writer.beginArray()
          for operation in operations { writer.string(operation.description) }
          writer.endArray()
        }.body
      ),
    ]
    return problem
  }

  static func overloaded(_ seconds: Int, _ what: String) -> APIProblem {
    let seconds = max(1, seconds)
    return APIProblem(
      .overloaded, "too many \(what) wait; come back after \(seconds) s, or try another node",
      headers: [HTTPField("Retry-After", "\(seconds)")])
  }

  /// Reads rows and hands them to `found`; what it throws becomes the answer.
  func read(
    _ queries: [RowQuery], for exchange: Exchange,
    found: @escaping ([RowSet]) throws(APIProblem) -> Void
  ) {
    guard exchange.park() else { return }
    backend.read(queries) { [unowned self] result in
      do throws(APIProblem) {
        try found(try AgentAPI.rows(of: result, count: queries.count))
      } catch {
        finish(exchange, error)
      }
    }
  }

  private static func rows(
    of result: Result<[RowSet], ReadFault>, count: Int
  ) throws(APIProblem) -> [RowSet] {
    switch result {
    case .success(let sets):
      precondition(sets.count == count, "\(sets.count) row sets for \(count) queries")
      return sets
    case .failure(let fault):
      throw problem(for: fault)
    }
  }

  static func problem(for fault: ReadFault) -> APIProblem {
    switch fault {
    case .busy(let seconds): overloaded(seconds, "reads")
    case .failed(let reason):
      APIProblem(.storageFailed, "nothing was read: \(reason); try another node")
    case .notHeld(let reason): APIProblem(.notFound, reason)
    }
  }

  /// Reads one row that is known to exist, waiting until it is local when it is not there yet.
  func readRow(
    _ query: RowQuery, writtenBy stamp: OperationStamp, for exchange: Exchange,
    found: @escaping ([ColumnValue]) throws(APIProblem) -> Void
  ) {
    readRows([(query, stamp)], for: exchange) { rows throws(APIProblem) in try found(rows[0]) }
  }

  /// Reads one row per query, all known to exist, waiting until they are local when one is not
  /// there yet.
  func readRows(
    _ rows: [(query: RowQuery, stamp: OperationStamp)], for exchange: Exchange,
    found: @escaping ([[ColumnValue]]) throws(APIProblem) -> Void
  ) {
    guard !rows.isEmpty else {
      do throws(APIProblem) {
        try found([])
      } catch {
        finish(exchange, error)
      }
      return
    }
    let queries = rows.map(\.query)
    read(queries, for: exchange) { [unowned self] sets throws(APIProblem) in
      let present = sets.compactMap(\.first)
      if present.count == rows.count { return try found(present) }
      let missing = zip(rows, sets).filter { $0.1.isEmpty }.map { OperationID($0.0.stamp) }
      backend.wait(
        for: missing, level: .local, deadlineMilliseconds: AgentAPI.commitMilliseconds
      ) { [unowned self] _ in
        read(queries, for: exchange) { sets throws(APIProblem) in
          let present = sets.compactMap(\.first)
          guard present.count == rows.count else {
            throw APIProblem(
              .notReady, "what was asked for is being written; try again",
              headers: [HTTPField("Retry-After", "1")])
          }
          try found(present)
        }
      }
    }
  }

  /// How long a read waits for a write that is known but not yet on disk.
  private static var commitMilliseconds: Int { 2_000 }
}

extension OperationID {
  /// The operation at a stamp.
  init(_ stamp: OperationStamp) {
    self.init(
      bundle: LanePosition(lane: stamp.lane, number: stamp.number), index: stamp.index)
  }
}
