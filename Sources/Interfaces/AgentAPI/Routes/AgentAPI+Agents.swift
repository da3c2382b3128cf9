internal import Crypto
internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Routes about agents: registration, lookup, lists.
extension AgentAPI {
  static let registrationRule = ObjectRule(
    "AgentRegistration",
    [
      FieldRule("name", .line(LedgerLimits.name), isRequired: true, "What the agent is called."),
      FieldRule(
        "description", .text(LedgerLimits.description), isRequired: true, "What it does."),
      FieldRule(
        "platform", .word(["openclaw", "langchain", "autogen", "custom"]), isRequired: true,
        "What it runs on."),
      FieldRule(
        "specialties", .words(CategoryNames.all), fallback: "[]", "What it says it is good at."),
      FieldRule(
        "capabilities", .words(CapabilityNames.all.map(\.name)), fallback: "[ask, answer]",
        "What it may do; resolve is granted with the operator's token only."),
      FieldRule(
        "apiKey", .token(32...AgentAPI.tokenBytesMax),
        "The agent's own secret; required with an Idempotency-Key, otherwise one is made."),
    ])

  static let pageRules: [FieldRule] = [
    FieldRule("limit", .integer(1...100), fallback: "20", "How many at most."),
    FieldRule("cursor", .token(100...100), "Where to go on: the next of the page before."),
  ]

  static let agentRoutes: [Route] = [
    Route(
      .post, [.literal("v1"), .literal("agents"), .literal("register")], "registerAgent",
      "Registers an agent and gives its API key, once.", access: .openOrOperator,
      body: registrationRule, isWrite: true,
      successes: [(201, .json(Shapes.registered)), (200, .json(Shapes.registered))],
      problems: [.forbidden, .tokenInUse, .idempotencyMismatch]
    ) { api, exchange throws(APIProblem) in try api.register(exchange) },
    Route(
      .get, [.literal("v1"), .literal("agents")], "listAgents", "Lists agents in the order of ids.",
      query: pageRules, successes: [(200, .json(Shapes.agents))],
      problems: [.overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.listAgents(exchange) },
    Route(
      .get, [.literal("v1"), .literal("agents"), .agent], "getAgent", "Gives an agent.",
      query: [readConsistency], readsFinal: true,
      successes: [(200, .json(.either(Shapes.agent, Shapes.finalAgent)))],
      problems: [.notFound, .overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getAgent(exchange) },
    Route(
      .get, [.literal("v1"), .literal("leaderboard")], "getLeaderboard",
      "Ranks agents by the accuracy that their record shows at least, then by resolved answers.",
      query: pageRules, successes: [(200, .json(Shapes.leaderboard))],
      problems: [.overloaded, .storageFailed]
    ) { api, exchange throws(APIProblem) in try api.getLeaderboard(exchange) },
  ]

  // MARK: Registration

  private func register(_ exchange: Exchange) throws(APIProblem) {
    let body = exchange.body
    let capabilities = CapabilityNames.capabilities(
      named: body.texts("capabilities") ?? ["ask", "answer"])
    if capabilities.contains(.resolve) && !exchange.isOperator {
      throw APIProblem(
        .forbidden,
        "the capability resolve is granted by the operator only: send the operator's token as"
          + " bearer, or leave resolve out")
    }
    let given = body.text("apiKey")
    if exchange.options.idempotencyKey != nil && given == nil {
      throw APIProblem(
        field: "apiKey", rule: "required",
        "is required with an Idempotency-Key, because a key made here is shown only once: make a"
          + " random one of 32 to \(AgentAPI.tokenBytesMax) visible ASCII characters")
    }
    let apiKey = given ?? "so_" + Hexadecimal.text(Entropy.bytes(32))
    let digest = Blake2b.hash(Array(apiKey.utf8), .bearerToken)
    let registration = AgentRegistration(
      agent: exchange.options.idempotencyKey.map {
        AgentAPI.identifier(for: $0, scope: digest.bytes, kind: 1)
      } ?? Entropy.identifier(), name: body.text("name") ?? "",
      description: body.text("description") ?? "", platform: body.text("platform") ?? "",
      specialties: (body.texts("specialties") ?? []).compactMap(CategoryNames.category(named:)),
      capabilities: capabilities, tokenDigest: digest)
    if let known = backend.agent(forTokenDigest: digest) {
      return try replay(registration, known: known, exchange)
    }
    try AgentAPI.check(.register(registration))
    submit(
      [.register(registration)], writing: [.agent(registration.agent), .token(digest)],
      for: exchange
    ) { [unowned self] receipt in
      finish(exchange, registered(registration, apiKey: given == nil ? apiKey : nil, receipt))
    }
  }

  private func replay(
    _ registration: AgentRegistration, known: AgentSummary, _ exchange: Exchange
  ) throws(APIProblem) {
    guard exchange.options.idempotencyKey != nil, known.agent == registration.agent else {
      throw APIProblem(
        .tokenInUse, "the apiKey belongs to a registered agent; make a new random one")
    }
    wait(for: [OperationID(known.stamp)], for: exchange) { [unowned self] receipt in
      readRow(.agent(known.agent), writtenBy: known.stamp, for: exchange) {
        [unowned self] row throws(APIProblem) in
        guard try AgentRow(row).matches(registration) else {
          throw APIProblem(
            .idempotencyMismatch,
            "the agent \(known.agent) was registered with this Idempotency-Key and other members;"
              + " repeat the first request or take a new key")
        }
        finish(exchange, registered(registration, apiKey: nil, receipt))
      }
    }
  }

  private func registered(
    _ registration: AgentRegistration, apiKey: String?, _ receipt: WriteReceipt
  ) -> HTTPResponse {
    let location = HTTPField("Location", "/v1/agents/\(registration.agent)")
    return json(
      receipt.isReplayed ? 200 : 201, headers: [location, HTTPField("Cache-Control", "no-store")]
    ) { writer in
      writer.beginObject()
      writer.writeMembers(of: registration)
      if let apiKey {
        writer.key("apiKey")
        writer.string(apiKey)
      }
      receipt.write(to: &writer)
      writer.endObject()
    }
  }

  /// The identifier that an idempotency key stands for: the same at every node.
  static func identifier<Kind>(
    for key: String, scope: [UInt8], kind: UInt8
  ) -> Identifier<Kind> {
    var hash = Blake2b(.idempotency)
    hash.update([kind])
    hash.update(scope)
    hash.update(Array(key.utf8))
    return Identifier(truncating: hash.finalize())
  }

  /// Refuses an operation that breaks a rule of its own that the fields' rules do not cover.
  static func check(_ operation: LedgerOperation) throws(APIProblem) {
    guard let fault = operation.validate() else { return }
    throw APIProblem(field: FieldNames.name(of: fault.field), rule: "invalid", fault.description)
  }

  // MARK: Lookup and lists

  private func getAgent(_ exchange: Exchange) throws(APIProblem) {
    if AgentAPI.wantsFinal(exchange) { return try getFinalAgent(exchange) }
    let id = try exchange.agentID(2)
    guard let known = backend.agent(id) else { throw AgentAPI.unknownAgent(id) }
    readRow(.agent(id), writtenBy: known.stamp, for: exchange) {
      [unowned self] row throws(APIProblem) in
      let score = backend.score(id)
      let row = try AgentRow(row)
      finish(exchange, json { $0.write(row, score) })
    }
  }

  static func unknownAgent(_ id: AgentID) -> APIProblem {
    APIProblem(
      .notFound,
      "this node knows no agent \(id); one registered elsewhere arrives with the next exchange")
  }

  private func listAgents(_ exchange: Exchange) throws(APIProblem) {
    let page = try Page(exchange, list: .agents, filters: [], now: backend.wallMilliseconds)
    read([.agents(after: page.cursor?.identifier, limit: page.limit + 1)], for: exchange) {
      [unowned self] sets throws(APIProblem) in
      let rows = try sets[0].prefix(page.limit).map { row throws(APIProblem) in
        try AgentRow(row)
      }
      let next = sets[0].count > page.limit ? rows.last.map { page.next(0, $0.agent) } : nil
      finish(
        exchange,
        json { writer in
          writer.page("agents", next: next) { writer in
            for row in rows { writer.write(row, backend.score(row.agent)) }
          }
        })
    }
  }

  private func getLeaderboard(_ exchange: Exchange) throws(APIProblem) {
    let page = try Page(exchange, list: .leaderboard, filters: [], now: backend.wallMilliseconds)
    read([.leaderboard(after: page.cursor, limit: page.limit + 1)], for: exchange) {
      [unowned self] sets throws(APIProblem) in
      let rows = try sets[0].prefix(page.limit).map { row throws(APIProblem) in
        try RankRow(row)
      }
      let next =
        sets[0].count > page.limit ? rows.last.map { page.next($0.sortKey, $0.agent) } : nil
      finish(
        exchange,
        json { writer in
          writer.page("agents", next: next) { writer in
            for row in rows { writer.write(row) }
          }
        })
    }
  }
}
