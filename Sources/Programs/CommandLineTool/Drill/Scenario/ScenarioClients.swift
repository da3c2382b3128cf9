internal import Crypto
internal import JSONText
internal import Primitives
internal import Simulator

/// The clients of a scenario, with what they need to write.
struct ScenarioClients {
  private let commandClients: [CommandClient]
  private let laneClients: [LaneClient]

  /// Registers agents and defines collections while everything is well.
  init(
    _ scenario: Scenario, addresses: [PlainAddress], operatorToken: String, seed: UInt64,
    books: ScenarioBooks
  ) throws {
    let commands = scenario.commands
    commandClients = (0..<commands.count).map { number in
      CommandClient(
        number, nodes: addresses, token: operatorToken, keys: commands.keys,
        periodNanoseconds: 1_000_000_000 * UInt64(commands.count) / commands.perSecond,
        seed: seed, books: books)
    }
    let clients = scenario.clients
    var lanes: [LaneClient] = []
    if clients.count > 0 {
      let setup = ScenarioSetup(PlainConnection(addresses[0]))
      let tokens = try (0..<clients.count).map { try setup.register("drill \($0)") }
      for (collection, policy) in LaneClient.collections {
        try setup.define(collection, policy, token: tokens[0])
      }
      for address in addresses {
        try ScenarioSetup(PlainConnection(address)).waitFor(LaneClient.collections.map(\.0))
      }
      lanes = tokens.enumerated().map { number, token in
        LaneClient(
          number, nodes: addresses, token: token,
          periodNanoseconds: 1_000_000_000 * UInt64(clients.count) / clients.writesPerSecond,
          quorumMillionths: clients.quorumMillionths, seed: seed, books: books)
      }
    }
    laneClients = lanes
  }

  /// Starts a thread for each.
  func start() -> [WorkerThread] {
    commandClients.map { client in
      let client = ThreadConfined(client)
      return WorkerThread { client.value.run() }
    }
      + laneClients.map { client in
        let client = ThreadConfined(client)
        return WorkerThread { client.value.run() }
      }
  }
}

/// Hands an object over to the one thread that uses it from then on.
// Safe: whoever makes one gives the object away: the thread that is started with it is its only
// user, and starting a thread orders what was done before it.
private struct ThreadConfined<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }
}

/// What is written before the load begins.
private struct ScenarioSetup {
  private let node: PlainConnection

  init(_ node: PlainConnection) { self.node = node }

  /// Registers an agent and returns its token.
  func register(_ name: String) throws -> String {
    let token = "so_" + Hexadecimal.text(Entropy.bytes(32))
    var body = JSONWriter()
    body.beginObject()
    for (key, value) in [
      ("name", name), ("description", "writes during a drill"), ("platform", "custom"),
      ("apiKey", token),
    ] {
      body.key(key)
      body.string(value)
    }
    body.endObject()
    try write(
      PlainRequest("POST", "/v1/agents/register?consistency=quorum", body: body.bytes))
    return token
  }

  /// Gives a collection its policy.
  func define(_ collection: String, _ policy: String, token: String) throws {
    let body = Array("{\"policy\":\"\(policy)\"}".utf8)
    try write(
      PlainRequest(
        "PUT", "/v1/collections/\(collection)?consistency=quorum", token: token, body: body))
  }

  /// Waits until the node knows some collections: then it knows the agents too, which were written
  /// before.
  func waitFor(_ collections: [String]) throws {
    for collection in collections {
      var patience = Patience(milliseconds: 10_000)
      while try send(PlainRequest("GET", "/v1/collections/\(collection)")).status != 200 {
        guard patience.pause() else {
          throw DrillError("a node does not learn of the collection \(collection)")
        }
      }
    }
  }

  private func write(_ request: PlainRequest) throws {
    let response = try send(request)
    guard response.status == 200 || response.status == 201 else {
      let text = String(decoding: response.body.prefix(300), as: UTF8.self)
      throw DrillError("a write before the load was answered \(response.status): \(text)")
    }
  }

  private func send(_ request: PlainRequest) throws -> ResponseReader.Response {
    do throws(PlainConnection.Failure) {
      return try node.send(request, timeoutMilliseconds: 10_000)
    } catch {
      throw DrillError("a node could not be asked although it is up: \(error)")
    }
  }
}
