internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Routes that change shared records.
extension AgentAPI {
  static let contextRule = FieldRule(
    "context", .token(RecordContext.length),
    "What the client has read of the record: the write supersedes exactly that. Without it the"
      + " write supersedes what this node shows.")

  static let priorityRule = FieldRule(
    "priority",
    .integer(Int64(LedgerLimits.priority.lowerBound)...Int64(LedgerLimits.priority.upperBound)),
    fallback: "0", "How much the write matters among concurrent ones; for the policy priority.")

  private static let path: [PathPart] = [
    .literal("v1"), .literal("records"), .collection, .recordKey,
  ]

  static let recordRoutes: [Route] = [
    Route(
      .put, path, "putRecord", "Writes a record's value.", access: .agent,
      body: ObjectRule(
        "RecordPut",
        [
          FieldRule(
            "value", .json(LedgerLimits.recordValueBytes), isRequired: true,
            "Any JSON value of up to 16 KiB when written without spaces."),
          priorityRule, contextRule,
        ]), isWrite: true,
      successes: [(201, .json(Shapes.recordChanged)), (200, .json(Shapes.recordChanged))],
      problems: [.notFound, .wrongPolicy, .recordFull, .idempotencyMismatch]
    ) { api, exchange throws(APIProblem) in try api.putRecord(exchange) },
    Route(
      .delete, path, "deleteRecord", "Deletes a record.", access: .agent,
      query: [priorityRule, contextRule], isWrite: true,
      successes: [(201, .json(Shapes.recordChanged)), (200, .json(Shapes.recordChanged))],
      problems: [.notFound, .wrongPolicy, .recordFull, .idempotencyMismatch]
    ) { api, exchange throws(APIProblem) in try api.deleteRecord(exchange) },
    Route(
      .post, path + [.literal("counter")], "addToCounter", "Adds to a counter.", access: .agent,
      body: ObjectRule(
        "CounterAddition",
        [
          FieldRule(
            "delta",
            .integer(-LedgerLimits.deltaMagnitude...LedgerLimits.deltaMagnitude),
            isRequired: true, "What to add; not 0.")
        ]), isWrite: true,
      successes: [(201, .json(Shapes.recordChanged)), (200, .json(Shapes.recordChanged))],
      problems: [.notFound, .wrongPolicy, .idempotencyMismatch]
    ) { api, exchange throws(APIProblem) in try api.addToCounter(exchange) },
    Route(
      .post, path + [.literal("set")], "changeSet",
      "Adds an element to a set, or takes back the additions of one that this node shows.",
      access: .agent,
      body: ObjectRule(
        "SetChange",
        [
          FieldRule(
            "add", .line(LedgerLimits.elementBytes), "The element to add. Not with remove."),
          FieldRule("remove", .line(LedgerLimits.elementBytes), "The element to take out."),
        ]), isWrite: true,
      successes: [(201, .json(Shapes.recordChanged)), (200, .json(Shapes.recordChanged))],
      problems: [.notFound, .wrongPolicy, .recordFull, .idempotencyMismatch]
    ) { api, exchange throws(APIProblem) in try api.changeSet(exchange) },
    Route(
      .get, path, "getRecord", "Gives a record as its collection's policy shows it.",
      successes: [(200, .json(Shapes.record))], problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getRecord(exchange) },
    Route(
      .get, [.literal("v1"), .literal("records"), .collection], "listRecords",
      "Lists a collection's records in the order of their keys; a page may hold fewer than limit,"
        + " go on while next is there.",
      query: afterRules + [
        FieldRule("prefix", .line(0...256), fallback: "\"\"", "Only keys that start with this.")
      ], successes: [(200, .json(Shapes.records))],
      problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.listRecords(exchange) },
  ]

  private func putRecord(_ exchange: Exchange) throws(APIProblem) {
    let name = try recordName(exchange) { $0.isRegister }
    let value = exchange.body.json("value") ?? "null"
    let priority = UInt8(exchange.body.integer("priority") ?? 0)
    let given = exchange.body.text("context")
    try change(name, writing: [.record(name.record)], exchange) { seen in
      .put(value: value, priority: priority, seen: seen)
    } seen: { [unowned self] () throws(APIProblem) in
      try seen(of: name.record, given, field: "context")
    }
  }

  private func deleteRecord(_ exchange: Exchange) throws(APIProblem) {
    let name = try recordName(exchange) { $0.isRegister }
    let priority = UInt8(exchange.query.integer("priority") ?? 0)
    let given = exchange.query.text("context")
    try change(name, writing: [.record(name.record)], exchange) { seen in
      .delete(priority: priority, seen: seen)
    } seen: { [unowned self] () throws(APIProblem) in
      try seen(of: name.record, given, field: "query.context")
    }
  }

  private func addToCounter(_ exchange: Exchange) throws(APIProblem) {
    let name = try recordName(exchange) { $0 == .counter }
    let delta = exchange.body.integer("delta") ?? 0
    try change(name, writing: [], exchange) { _ in
      .add(delta: delta)
    } seen: {
      []
    }
  }

  private func changeSet(_ exchange: Exchange) throws(APIProblem) {
    let name = try recordName(exchange) { $0 == .set }
    let record = name.record
    switch (exchange.body.text("add"), exchange.body.text("remove")) {
    case (let element?, nil):
      try change(name, writing: [], exchange) { seen in
        .insert(element: element, seen: seen)
      } seen: { [unowned self] () throws(APIProblem) in
        let additions = backend.additions(of: element, in: record)
        let count = backend.record(record)?.elements ?? 0
        guard count < LedgerLimits.setElements || !additions.isEmpty else {
          throw APIProblem(
            .recordFull, "the set has \(count) elements, which is the most; take another record")
        }
        return additions
      }
    case (nil, let element?):
      try change(name, writing: [], exchange) { seen in
        .remove(element: element, seen: seen)
      } seen: { [unowned self] in
        backend.additions(of: element, in: record)
      }
    case (nil, nil), (_?, _?):
      throw APIProblem(field: "add", rule: "choice", "give either add or remove")
    }
  }

  // MARK: What all changes share

  /// The record that the path names, in a collection whose policy fits the change.
  private func recordName(
    _ exchange: Exchange, fits: (CollectionPolicy) -> Bool
  ) throws(APIProblem) -> RecordName {
    let collection = try knownCollection(exchange)
    guard fits(collection.policy) else {
      throw APIProblem(
        .wrongPolicy,
        "the collection \(collection.name) has the policy"
          + " \(PolicyNames.name(of: collection.policy)): counters change with POST .../counter,"
          + " sets with POST .../set, all others with PUT and DELETE")
    }
    return RecordName(collection: collection.name, key: exchange.segments[3])
  }

  /// What a write supersedes: what the client says that it has read, or what this node shows.
  private func seen(
    of record: RecordID, _ given: String?, field: String
  ) throws(APIProblem) -> [RecordDot] {
    let known = backend.record(record)
    guard let given else { return known?.seen ?? [] }
    guard let context = RecordContext(text: given, record: record) else {
      throw APIProblem(
        field: field, rule: "format",
        "is no context of this record; take context from a read of it, or leave it out")
    }
    for dot in context.seen where dot.time.milliseconds >= backend.wallMilliseconds {
      // What is applied here is smaller than what is written next; else the clock must say so.
      guard let last = backend.lastOperation(of: dot.lane), last.time >= dot.time else {
        throw APIProblem(
          .notReady, "the context was read at a node whose clock is ahead of this one; try again",
          headers: [HTTPField("Retry-After", "1")])
      }
    }
    try checkRoom(known, beside: context.seen)
    return context.seen
  }

  /// Refuses a write that would push an earlier one of its lane out; see `RecordClock`.
  private func checkRoom(
    _ known: RecordSummary?, beside seen: [RecordDot]
  ) throws(APIProblem) {
    let writes = (known?.writes ?? []).filter { write in
      !seen.contains { $0.lane == write.stamp.lane && $0.time >= write.stamp.time }
    }
    for write in writes {
      let lane = write.stamp.lane
      guard writes.count(where: { $0.stamp.lane == lane }) >= LedgerLimits.siblingsPerLane else {
        continue
      }
      throw APIProblem(
        .recordFull,
        "\(LedgerLimits.siblingsPerLane) writes stand that the context does not name; read the"
          + " record and write what they come to")
    }
  }

  /// Answers a request that was answered before, or changes the record.
  private func change(
    _ name: RecordName, writing keys: [ObjectKey], _ exchange: Exchange,
    action: ([RecordDot]) -> RecordAction, seen: () throws(APIProblem) -> [RecordDot]
  ) throws(APIProblem) {
    let agent = exchange.agent.agent
    let request: RecordRequestID? = exchange.options.idempotencyKey.map {
      AgentAPI.identifier(for: $0, scope: agent.bytes, kind: 4)
    }
    var change = RecordChange(name: name, agent: agent, request: request, action: action([]))
    if let request, let known = backend.request(request, in: name.record) {
      guard known.fingerprint == change.fingerprint else {
        throw APIProblem(
          .idempotencyMismatch,
          "the record was changed with this Idempotency-Key and other members; repeat the first"
            + " request or take a new key")
      }
      wait(for: [OperationID(known.stamp)], for: exchange) { [unowned self] receipt in
        finish(exchange, changed(name, receipt))
      }
      return
    }
    change.action = action(try seen())
    try AgentAPI.check(.change(change))
    let requestKeys = request.map { [ObjectKey.request($0)] } ?? []
    submit(
      [.change(change)], writing: keys + requestKeys, for: exchange, releasesEarly: true
    ) { [unowned self] receipt in
      finish(exchange, changed(name, receipt))
    }
  }

  private func changed(_ name: RecordName, _ receipt: WriteReceipt) -> HTTPResponse {
    // The write's own name is what its writer knows of the record; others may have come since.
    let stamp = backend.record(name.record)?.writes.map(\.stamp)
      .first { receipt.operations.contains(OperationID($0)) }
    return json(receipt.isReplayed ? 200 : 201) { writer in
      writer.beginObject()
      writer.writeMembers(of: name)
      if let stamp {
        writer.key("context")
        let dot = RecordDot(lane: stamp.lane, time: stamp.time)
        writer.string(RecordContext(record: name.record, seen: [dot]).text)
      }
      receipt.write(to: &writer)
      writer.endObject()
    }
  }
}
