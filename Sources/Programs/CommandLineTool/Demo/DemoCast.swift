internal import Crypto
internal import JSONText
internal import Primitives

/// A registered agent of the demonstration.
struct DemoAgent: Sendable {
  /// Its place in the cast.
  let place: Int
  /// The checker behind it.
  let program: SpellingProgram
  /// Its identifier in the swarm.
  let id: String
  /// Its token.
  let token: String
  /// The place of its node.
  let home: Int
}

/// Everybody who takes part: the agents, who asks, and who knows the truth.
struct DemoCast: Sendable {
  /// Those who answer.
  let agents: [DemoAgent]
  /// The token of the one who asks.
  let askerToken: String
  /// The token of the one who resolves.
  let resolverToken: String

  /// Registers everybody, the agents at one node after the other.
  init(
    programs: [SpellingProgram], endpoints: [String], operatorToken: String,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    let register = { (name: String, text: String, capability: String, home: Int, bearer: String?) in
      let client = SwarmClient(
        endpoints: endpoints, preferred: home, token: bearer, isCancelled: isCancelled)
      return try DemoCast.register(name, text, capability, client)
    }
    agents = try programs.enumerated().map { place, program in
      let home = place % endpoints.count
      let text = "The spelling checker \(program.command.joined(separator: " "))"
      let (id, token) = try register(program.name, text, "answer", home, nil)
      return DemoAgent(place: place, program: program, id: id, token: token, home: home)
    }
    askerToken = try register("asker", "Asks what misspellings mean", "ask", 0, nil).token
    resolverToken = try register(
      "codespell", "Knows what misspellings mean", "resolve", 0, operatorToken
    ).token
  }

  /// Registers one agent with a token made here, so that a repetition is the same registration.
  static func register(
    _ name: String, _ text: String, _ capability: String, _ client: SwarmClient
  ) throws -> (id: String, token: String) {
    let token = "demo_" + Hexadecimal.text(Entropy.bytes(32))
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("name")
    writer.string(name)
    writer.key("description")
    writer.string(text)
    writer.key("platform")
    writer.string("custom")
    writer.key("capabilities")
    writer.beginArray()
    writer.string(capability)
    writer.endArray()
    writer.key("apiKey")
    writer.string(token)
    writer.endObject()
    let reply = try client.post(
      "/v1/agents/register?consistency=quorum", writer.bytes,
      key: Entropy.identifier(DemoCast.self).description)
    guard let id = reply.json["id"]?.string else {
      throw UnexpectedReply("a registration", lacks: "id")
    }
    return (id, token)
  }
}
