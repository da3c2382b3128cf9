internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// The list of conflicts between concurrent writes.
extension AgentAPI {
  static let conflictRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("conflicts")], "listConflicts",
      "Lists records of which several writes stand, or writes that superseded several, the newest"
        + " first; a page may hold fewer than limit, go on while next is there.",
      query: pageRules + [
        FieldRule(
          "status", .word(["open", "resolved"]), fallback: "open",
          "Conflicts that stand, or those that a write has ended."),
        FieldRule(
          "collection", .token(LedgerLimits.collection), "Only records of this collection."),
      ], successes: [(200, .json(Shapes.conflicts))], problems: [.overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.listConflicts(exchange) }
  ]

  private func listConflicts(_ exchange: Exchange) throws(APIProblem) {
    let collection = exchange.query.text("collection")
    if exchange.query.text("status") == "resolved" {
      try listResolved(in: collection, exchange)
    } else {
      try listOpen(in: collection, exchange)
    }
  }

  private func listOpen(in collection: String?, _ exchange: Exchange) throws(APIProblem) {
    let page = try Page(
      exchange, list: .openConflicts, filters: [collection ?? ""], now: backend.wallMilliseconds)
    read(
      [.openConflicts(in: collection, after: page.cursor, limit: page.limit + 1)], for: exchange
    ) { [unowned self] sets throws(APIProblem) in
      let rows = try sets[0].prefix(page.limit).map { row throws(APIProblem) in
        try RecordRow(row)
      }
      let next =
        sets[0].count > page.limit ? rows.last.map { page.next($0.conflict, $0.record) } : nil
      // What was resolved since the rows were written is left out.
      let open = rows.compactMap { row in
        backend.record(row.record).flatMap { $0.isConflict ? (row.name, $0) : nil }
      }
      let queries = open.flatMap { _, known in
        known.writes.suffix(AgentAPI.conflictWritesMax).map { write in
          (
            RowQuery.write(known.record, write.stamp, valueBytesMax: AgentAPI.excerptBytesMax),
            write.stamp
          )
        }
      }
      readRows(queries, for: exchange) { [unowned self] rows throws(APIProblem) in
        let writes = try rows.map { row throws(APIProblem) in try RecordWriteRow(row) }
        finish(
          exchange,
          conflicts(
            open.map { name, known in
              ConflictView(
                name: name, policy: known.policy, winner: known.shown?.stamp, resolver: nil,
                writes: writes.filter { $0.record == known.record })
            }, next: next))
      }
    }
  }

  private func listResolved(in collection: String?, _ exchange: Exchange) throws(APIProblem) {
    let page = try Page(
      exchange, list: .resolvedConflicts, filters: [collection ?? ""],
      now: backend.wallMilliseconds)
    let query = RowQuery.resolvedConflicts(
      in: collection, after: page.cursor, limit: page.limit + 1,
      valueBytesMax: AgentAPI.excerptBytesMax)
    read([query], for: exchange) { [unowned self] sets throws(APIProblem) in
      let resolvers = try sets[0].prefix(page.limit).map { row throws(APIProblem) in
        let write = try RecordWriteRow(row)
        return (write, try RecordRow(write.rest))
      }
      let next =
        sets[0].count > page.limit
        ? resolvers.last.map { write, _ in
          page.next(
            Int64(bitPattern: write.stamp.time.raw),
            Identifier<LaneEpoch>(truncating: write.stamp.lane.digest))
        } : nil
      let queries = resolvers.flatMap { write, _ in
        write.seen.sorted { $0.time < $1.time }.suffix(AgentAPI.conflictWritesMax).map {
          RowQuery.write(write.record, named: $0, valueBytesMax: AgentAPI.excerptBytesMax)
        }
      }
      readResolved(resolvers, queries, next, exchange)
    }
  }

  private func readResolved(
    _ resolvers: [(RecordWriteRow, RecordRow)], _ queries: [RowQuery], _ next: String?,
    _ exchange: Exchange
  ) {
    read(queries, for: exchange) { [unowned self] sets throws(APIProblem) in
      // A write that a dishonest node names need not exist.
      let writes = try sets.compactMap(\.first).map { row throws(APIProblem) in
        try RecordWriteRow(row)
      }
      let views = resolvers.compactMap { resolver, row -> ConflictView? in
        guard let known = backend.record(row.record), known.policy.isRegister else { return nil }
        return ConflictView(
          name: row.name, policy: known.policy, winner: known.shown?.stamp, resolver: resolver,
          writes: writes.filter { write in
            write.record == row.record
              && resolver.seen.contains(
                RecordDot(lane: write.stamp.lane, time: write.stamp.time))
          })
      }
      finish(exchange, conflicts(views, next: next))
    }
  }

  private func conflicts(_ views: [ConflictView], next: String?) -> HTTPResponse {
    json { writer in
      writer.page("conflicts", next: next) { writer in
        for view in views { writer.write(view) { [unowned self] in node(of: $0) } }
      }
    }
  }
}

/// A conflict as it is shown.
struct ConflictView {
  let name: RecordName
  let policy: CollectionPolicy
  /// What is the record's value at present.
  let winner: OperationStamp?
  /// The write that ended it; `nil` while it is open.
  let resolver: RecordWriteRow?
  let writes: [RecordWriteRow]
}
