internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Records

/// Routes about collections of records.
extension AgentAPI {
  static let afterRules: [FieldRule] = [
    FieldRule("limit", .integer(1...100), fallback: "20", "How many at most."),
    FieldRule(
      "after", .line(LedgerLimits.recordKeyBytes), "Where to go on: the next of the page before."),
  ]

  static let collectionRoutes: [Route] = [
    Route(
      .put, [.literal("v1"), .literal("collections"), .collection], "defineCollection",
      "Gives a collection of records its policy, once.", access: .agent,
      body: ObjectRule(
        "CollectionDefinition",
        [
          FieldRule(
            "policy", .word(PolicyNames.all), isRequired: true,
            "What becomes of concurrent writes to one record.")
        ]), isWrite: true,
      successes: [(201, .json(Shapes.collectionDefined)), (200, .json(Shapes.collectionDefined))],
      problems: [.collectionExists]
    ) { api, exchange throws(APIProblem) in try api.putCollection(exchange) },
    Route(
      .get, [.literal("v1"), .literal("collections")], "listCollections",
      "Lists collections in the order of their names.", query: afterRules,
      successes: [(200, .json(Shapes.collections))], problems: [.overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.listCollections(exchange) },
    Route(
      .get, [.literal("v1"), .literal("collections"), .collection], "getCollection",
      "Gives a collection.", successes: [(200, .json(Shapes.collection))],
      problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getCollection(exchange) },
  ]

  private func putCollection(_ exchange: Exchange) throws(APIProblem) {
    let name = exchange.segments[2]
    guard let policy = exchange.body.text("policy").flatMap(PolicyNames.policy(named:)) else {
      preconditionFailure("a policy passed the rules that has no name")
    }
    let definition = CollectionDefinition(
      name: name, policy: policy, agent: exchange.agent.agent)
    try AgentAPI.check(.define(definition))
    if let known = backend.collection(name) {
      guard known.policy == policy else {
        throw APIProblem(
          .collectionExists,
          "\(name) was defined with the policy \(PolicyNames.name(of: known.policy)), which stays;"
            + " take another name")
      }
      wait(for: [OperationID(known.stamp)], for: exchange) { [unowned self] receipt in
        finish(exchange, defined(definition, receipt))
      }
      return
    }
    submit([.define(definition)], writing: [.collection(name)], for: exchange, releasesEarly: true)
    {
      [unowned self] receipt in finish(exchange, defined(definition, receipt))
    }
  }

  private func defined(
    _ definition: CollectionDefinition, _ receipt: WriteReceipt
  ) -> HTTPResponse {
    let location = HTTPField("Location", "/v1/collections/\(definition.name)")
    return json(receipt.isReplayed ? 200 : 201, headers: [location]) { writer in
      writer.beginObject()
      writer.key("name")
      writer.string(definition.name)
      writer.key("policy")
      writer.string(PolicyNames.name(of: definition.policy))
      receipt.write(to: &writer)
      writer.endObject()
    }
  }

  private func getCollection(_ exchange: Exchange) throws(APIProblem) {
    let known = try knownCollection(exchange)
    readRow(.collection(known.name), writtenBy: known.stamp, for: exchange) {
      [unowned self] row throws(APIProblem) in
      let row = try CollectionRow(row)
      finish(exchange, json { $0.write(row) })
    }
  }

  private func listCollections(_ exchange: Exchange) throws(APIProblem) {
    let limit = Int(exchange.query.integer("limit") ?? 20)
    let after = exchange.query.text("after") ?? ""
    read([.collections(after: after, limit: limit + 1)], for: exchange) {
      [unowned self] sets throws(APIProblem) in
      let rows = try sets[0].prefix(limit).map { row throws(APIProblem) in
        try CollectionRow(row)
      }
      let next = sets[0].count > limit ? rows.last?.name : nil
      finish(
        exchange,
        json { writer in
          writer.page("collections", next: next) { writer in
            for row in rows { writer.write(row) }
          }
        })
    }
  }

  /// The collection that the path names after `/v1/records/` or `/v1/collections/`.
  func knownCollection(_ exchange: Exchange) throws(APIProblem) -> CollectionSummary {
    let name = exchange.segments[2]
    guard let known = backend.collection(name) else {
      throw APIProblem(
        .notFound,
        "this node knows no collection \"\(name.prefix(80))\"; define it with PUT"
          + " /v1/collections/{collection}, one defined elsewhere arrives with the next exchange")
    }
    return known
  }
}
