internal import JSONText

/// What a node holds in the end.
struct DemoNodeState: Sendable, Equatable {
  /// The node's number, from 1.
  let node: Int
  /// Bundles over all lanes.
  let bundles: Int64
  /// Operations over all lanes.
  let operations: Int64
  /// The root over all lanes.
  let lanesRoot: String
  /// The digest of all rows.
  let rowsDigest: String

  /// Whether two nodes hold the same.
  func agrees(with other: DemoNodeState) -> Bool {
    bundles == other.bundles && lanesRoot == other.lanesRoot && rowsDigest == other.rowsDigest
  }
}

/// Reads from every node, after all is done, what it holds.
struct DemoInspection {
  private let endpoints: [String]
  private let client: SwarmClient

  init(endpoints: [String], isCancelled: @escaping @Sendable () -> Bool) {
    self.endpoints = endpoints
    client = SwarmClient(endpoints: endpoints, isCancelled: isCancelled)
  }

  /// Reads the states of all nodes until they are equal, or time is up.
  func states() throws -> [DemoNodeState] {
    var patience = Patience(milliseconds: SwarmClient.patienceMilliseconds)
    while true {
      let states = try endpoints.indices.map(state)
      let first = states[0]
      if states.allSatisfy({ $0.agrees(with: first) }) || !patience.pause() { return states }
    }
  }

  /// Finds acknowledged answers that a node lacks or has differently, as sentences.
  func lostAnswers(
    questions: [String], agents: [DemoAgent], replies: [[DemoBoard.Reply?]]
  ) throws -> [String] {
    var lost: [String] = []
    for node in endpoints.indices {
      for (place, question) in questions.enumerated() {
        let stored = try answers(to: question, at: node)
        for agent in agents {
          guard case .answered(let value, _)? = replies[place][agent.place] else { continue }
          guard stored.first(where: { $0.agent == agent.id })?.value != value else { continue }
          lost.append("node \(node + 1): \(agent.program.name), question \(place + 1)")
        }
      }
    }
    return lost
  }

  /// Finds nodes whose own score of an agent differs from the demonstration's count, as sentences.
  func wrongScores(_ tallies: [DemoTally]) throws -> [String] {
    var wrong: [String] = []
    for node in endpoints.indices {
      for tally in tallies {
        let score = try get("/v1/agents/\(tally.agent.id)", at: node)["score"]
        guard let resolved = score?["resolvedAnswers"]?.integer,
          let correct = score?["correct"]?.integer
        else { throw UnexpectedReply("an agent", lacks: "its score") }
        guard resolved != tally.answered || correct != tally.right else { continue }
        wrong.append(
          "node \(node + 1): \(tally.agent.program.name) \(correct) of \(resolved), expected "
            + "\(tally.right) of \(tally.answered)")
      }
    }
    return wrong
  }

  /// Reads what one node holds.
  func state(_ place: Int) throws -> DemoNodeState {
    let status = try get("/v1/status", at: place)
    guard let frontier = status["frontier"]?.object, let operations = status["operations"]?.integer,
      let lanesRoot = status["lanesRoot"]?.string, let rowsDigest = status["rowsDigest"]?.string
    else {
      throw UnexpectedReply(
        "the status of node \(place + 1)", lacks: "frontier, operations, lanesRoot or rowsDigest")
    }
    return DemoNodeState(
      node: place + 1, bundles: frontier.reduce(0) { $0 + ($1.value.integer ?? 0) },
      operations: operations, lanesRoot: lanesRoot, rowsDigest: rowsDigest)
  }

  private func answers(
    to question: String, at place: Int
  ) throws -> [(agent: String, value: String)] {
    let page = try get("/v1/questions/\(question)/answers?limit=100", at: place)
    guard let answers = page["answers"]?.array else {
      throw UnexpectedReply("a list of answers", lacks: "answers")
    }
    return answers.compactMap { answer in
      guard let agent = answer["agent"]?.string, let value = answer["value"]?.string else {
        return nil
      }
      return (agent, value)
    }
  }

  /// Reads from one node and no other.
  private func get(_ path: String, at place: Int) throws -> JSONValue {
    client.preferred = place
    let reply = try client.get(path)
    guard reply.endpoint == place else {
      throw UnexpectedReply("\(path) at node \(place + 1)", lacks: "an answer of that node")
    }
    return reply.json
  }
}
