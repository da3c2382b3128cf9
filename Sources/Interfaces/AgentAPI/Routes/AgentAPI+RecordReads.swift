internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Reads of shared records.
extension AgentAPI {
  /// The bytes of the longest value in a list of conflicts; longer ones are left out.
  static let excerptBytesMax = 1_024
  /// How many writes of one conflict are shown: the newest ones.
  static let conflictWritesMax = 16
  /// How many writes of a record are shown beside one another: the newest ones.
  static let siblingsMax = 64

  func getRecord(_ exchange: Exchange) throws(APIProblem) {
    let collection = try knownCollection(exchange)
    let name = RecordName(collection: collection.name, key: exchange.segments[3])
    guard let known = backend.record(name.record), known.hasContent else {
      var problem = APIProblem(.notFound, "this node knows no such record, or it was deleted")
      if let seen = backend.record(name.record)?.seen, !seen.isEmpty {
        let context = RecordContext(record: name.record, seen: seen).text
        problem.members = [("context", json { $0.string(context) }.body)]
      }
      throw problem
    }
    switch known.policy {
    case .lastWriter, .siblings, .priority: readWrites(of: name, known, exchange)
    case .counter: finish(exchange, json { $0.write(name, known, elements: []) })
    case .set:
      read([.elements(of: known.record, limit: LedgerLimits.setElements)], for: exchange) {
        [unowned self] sets throws(APIProblem) in
        let elements = try sets[0].map { row throws(APIProblem) in
          var reader = ColumnReader(row)
          return try reader.text()
        }
        finish(exchange, json { $0.write(name, known, elements: elements) })
      }
    }
  }

  private func readWrites(of name: RecordName, _ known: RecordSummary, _ exchange: Exchange) {
    let shown = known.writes.suffix(AgentAPI.siblingsMax)
    let most = LedgerLimits.recordValueBytes.upperBound
    readRows(
      shown.map { (.write(known.record, $0.stamp, valueBytesMax: most), $0.stamp) },
      for: exchange
    ) { [unowned self] rows throws(APIProblem) in
      let writes = try rows.map { row throws(APIProblem) in try RecordWriteRow(row) }
      finish(
        exchange,
        json { writer in
          writer.write(name, known, writes: writes) { [unowned self] in node(of: $0) }
        })
    }
  }

  /// The node whose lane it is.
  func node(of lane: LaneID) -> NodeID? { backend.lastOperation(of: lane)?.node }

  func listRecords(_ exchange: Exchange) throws(APIProblem) {
    let collection = try knownCollection(exchange)
    let limit = Int(exchange.query.integer("limit") ?? 20)
    let query = RowQuery.records(
      in: collection.name, prefix: exchange.query.text("prefix") ?? "",
      after: exchange.query.text("after"), limit: limit + 1)
    read([query], for: exchange) { [unowned self] sets throws(APIProblem) in
      let rows = try sets[0].prefix(limit).map { row throws(APIProblem) in try RecordRow(row) }
      let next = sets[0].count > limit ? rows.last?.name.key : nil
      let shown = rows.compactMap { row in
        backend.record(row.record).flatMap { $0.hasContent ? (row, $0) : nil }
      }
      readWinners(of: shown, exchange) { [unowned self] values in
        finish(
          exchange,
          json { writer in
            writer.page("records", next: next) { writer in
              for (row, known) in shown {
                writer.write(row.name.key, known, value: values[row.record])
              }
            }
          })
      }
    }
  }

  /// Reads the values that the policies show without the others beside them.
  private func readWinners(
    of records: [(RecordRow, RecordSummary)], _ exchange: Exchange,
    found: @escaping ([RecordID: String]) -> Void
  ) {
    let most = LedgerLimits.recordValueBytes.upperBound
    let winners = records.compactMap { row, known in
      known.shown.map { (RowQuery.write(row.record, $0.stamp, valueBytesMax: most), $0.stamp) }
    }
    readRows(winners, for: exchange) { rows throws(APIProblem) in
      var values: [RecordID: String] = [:]
      for row in rows {
        let write = try RecordWriteRow(row)
        values[write.record] = write.value
      }
      found(values)
    }
  }
}

extension RecordSummary {
  /// The one write that is the record's value; `nil` while siblings are in conflict.
  var shown: RecordVersion? {
    policy == .siblings && isConflict ? nil : winner
  }

  /// Whether there is something to show.
  var hasContent: Bool {
    switch policy {
    case .lastWriter, .priority: winner.map { !$0.isDelete } ?? false
    case .siblings: writes.contains { !$0.isDelete }
    case .counter: total != nil
    case .set: true
    }
  }
}
