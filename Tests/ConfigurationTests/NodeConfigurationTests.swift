import Configuration
import Records
import Telemetry
import Testing

@Suite struct `Node settings` {
  private static let least = """
    {"version": 1, "name": "one", "transport": {"listen": ["127.0.0.1:4001"]},
     "api": {"listen": "127.0.0.1:8001"}}
    """

  @Test func `need only a name and two addresses`() throws {
    let settings = try NodeSettings(json: Array(Self.least.utf8))
    let expected = NodeSettings(
      name: "one", transport: try Examples.address("127.0.0.1:4001"),
      api: try Examples.address("127.0.0.1:8001"))
    #expect(settings == expected)
  }

  @Test func `survive their JSON form`() throws {
    var settings = try NodeSettings(json: Array(Self.least.utf8))
    #expect(try NodeSettings(json: settings.json) == settings)
    settings.transportListen = [try Examples.address("[::]:1"), try Examples.address("0.0.0.0:1")]
    settings.transportAdvertise = try Examples.address("[2001:db8::1]:1")
    settings.apiTLS = NodeSettings.TLSFiles(certificate: "a.pem", privateKey: "/k.pem")
    settings.logLevel = .debug
    settings.limits.pendingWrites = 77
    settings.limits.parkedBytes = 4 << 30
    settings.ticketFile = "t"
    settings.dataDirectory = "/var/lib/x"
    #expect(try NodeSettings(json: settings.json) == settings)
  }

  @Test(arguments: [
    ("\"one\"", "\"a/b\"", "node.json: name is \"a/b\": expected 1 to 64 letters"),
    ("\"one\"", "5", "name is 5: expected a text"),
    ("[\"127.0.0.1:4001\"]", "[]", "transport.listen is []: expected a list of 1 to 8"),
    ("[\"127.0.0.1:4001\"]", "[7]", "transport.listen[0] is 7: expected a numeric address"),
    ("127.0.0.1:4001", "host:1", "transport.listen[0] is \"host:1\""),
    ("127.0.0.1:4001", "0.0.0.0:1", "transport.advertise is \"0.0.0.0:1\": others cannot"),
    ("127.0.0.1:8001", "[::]:1", "api.advertise is \"[::]:1\": others cannot connect"),
    ("{\"listen\": \"127.0.0.1:8001\"}", "[]", "api: expected an object"),
    ("8001\"", "8001\", \"certificateFile\": \"c\"", "api.certificateFile is \"c\": needs"),
    ("8001\"", "8001\", \"privateKeyFile\": \"c\"", "api.privateKeyFile is \"c\": needs"),
    ("8001\"", "8001\", \"port\": 1", "api.port: unknown key; known here are advertise"),
    ("8001\"}", "8001\"}, \"logLevel\": \"loud\"", "expected one of debug, info, warning, error"),
    ("8001\"}", "8001\"}, \"limits\": {\"pendingWrites\": 0}", "limits.pendingWrites is 0: exp"),
    ("8001\"}", "8001\"}, \"limits\": {\"x\": 0}", "limits.x: unknown key"),
    ("8001\"}", "8001\"}, \"keyFile\": \"\"", "keyFile is \"\": expected a file name"),
    ("8001\"}", "8001\"}, \"dataDirectory\": \"a\\u0000\"", "expected a file name"),
    ("\"version\": 1, ", "", "version: the key is missing"),
    ("\"version\": 1", "\"version\": 1, \"version\": 1", "the key is repeated"),
    ("\"name\"", "\"nmae\"", "name: the key is missing"),
  ])
  func `name what they refuse`(find: String, replacement: String, expected: String) throws {
    let range = try #require(Self.least.firstRange(of: find))
    let changed = Self.least.replacingCharacters(in: range, with: replacement)
    let refusal = Examples.refusal { _ = try NodeSettings(json: Array(changed.utf8)) }
    #expect(refusal.contains(expected), "\(refusal)")
  }

  @Test func `match the example in the repository`() throws {
    let example = Array(#filePath.split(separator: "/").dropLast(3)).joined(separator: "/")
    let bytes = try Files.read("/\(example)/configs/node.example.json")
    let settings = try NodeSettings(json: bytes)
    #expect(settings.json == bytes)
  }
}

@Suite struct `A node's directory` {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func settings() throws -> NodeSettings {
    NodeSettings(
      name: "one", transport: try Examples.address("127.0.0.1:4001"),
      api: try Examples.address("127.0.0.1:8001"))
  }

  private func write(
    _ settings: NodeSettings, isVoter: Bool = true, ticket: Ticket? = nil
  ) throws -> NodeKey {
    let key = try NodeKey.create(at: directory.file("node.key"))
    let voter = Voter(
      node: key.node, transport: settings.transportAdvertise, api: settings.apiAdvertise)
    let genesis = try Genesis(
      name: "example", createdMilliseconds: Examples.created,
      voters: isVoter ? [voter] : [try Examples.voter(1)])
    try NodeConfiguration.write(
      settings, genesis: genesis, operatorToken: .make(), ticket: ticket, in: directory.path)
    return key
  }

  @Test func `loads as it was written`() throws {
    let key = try write(settings())
    let configuration = try NodeConfiguration(loading: directory.path)
    #expect(configuration.node == key.node)
    #expect(configuration.genesis.voters.count == 1)
    #expect(configuration.ticket == nil)
    #expect(configuration.dataDirectory == directory.file("data"))
  }

  @Test func `loads with a ticket for its cluster`() throws {
    let ticket = try Examples.ticket()
    _ = try write(settings(), isVoter: false, ticket: ticket)
    let configuration = try NodeConfiguration(loading: directory.path)
    #expect(configuration.ticket == ticket)
    #expect(try Files.mode(of: directory.file("join.ticket")) == 0o600)
  }

  @Test func `is refused when its key is no voter's and there is no ticket`() throws {
    _ = try write(settings(), isVoter: false)
    let refusal = Examples.refusal { _ = try NodeConfiguration(loading: directory.path) }
    #expect(refusal.contains("is no voter of genesis.json"), "\(refusal)")
  }

  @Test func `is refused when its ticket is for another cluster`() throws {
    _ = try write(settings(), ticket: Examples.ticket())
    let refusal = Examples.refusal { _ = try NodeConfiguration(loading: directory.path) }
    #expect(refusal.contains("the ticket is for cluster"), "\(refusal)")
  }

  @Test func `is refused when its TLS files are missing`() throws {
    var settings = try settings()
    settings.apiTLS = NodeSettings.TLSFiles(certificate: "c.pem", privateKey: "k.pem")
    _ = try write(settings)
    let refusal = Examples.refusal { _ = try NodeConfiguration(loading: directory.path) }
    #expect(refusal.contains("api.certificateFile is \(directory.file("c.pem")): no such file"))
  }

  @Test func `is not written twice`() throws {
    _ = try write(settings())
    #expect(throws: FileError.self) { try write(settings()) }
  }
}

@Suite struct `cluster.json` {
  private static let file = ClusterFile(
    cluster: "ab", operatorTokenFile: "/d/operator.token",
    nodes: [
      ClusterFile.Node(
        index: 1, id: "01", pid: 4_242, startTicks: 77, api: "http://127.0.0.1:8001",
        quic: "127.0.0.1:4001", dir: "/d/node-1"),
      ClusterFile.Node(
        index: 2, id: "02", pid: 4_243, startTicks: 78, api: "http://127.0.0.1:8002",
        quic: "127.0.0.1:4002", dir: "/d/node-2"),
    ])

  @Test func `survives being written and read`() throws {
    let directory = try TemporaryDirectory()
    try Self.file.write(in: directory.path)
    #expect(try ClusterFile(in: directory.path) == Self.file)
  }

  @Test func `has the names that other programs read`() {
    let text = String(decoding: Self.file.json, as: UTF8.self)
    for name in ["cluster", "nodes", "index", "id", "pid", "api", "quic", "dir"] {
      #expect(text.contains("\"\(name)\": "))
    }
  }

  @Test(arguments: [
    ("4242", "1", "nodes[0].pid is 1: expected"), ("4242", "0", "nodes[0].pid is 0"),
    ("4242", "-4242", "pid is -4242"), ("\"index\": 2", "\"index\": 1", "nodes[1].index is 1"),
    ("\"dir\"", "\"dri\"", "nodes[0].dir: the key is missing"),
  ])
  func `names what it refuses`(find: String, replacement: String, expected: String) throws {
    let text = String(decoding: Self.file.json, as: UTF8.self)
    let range = try #require(text.firstRange(of: find))
    let changed = text.replacingCharacters(in: range, with: replacement)
    let refusal = Examples.refusal { _ = try ClusterFile(json: Array(changed.utf8)) }
    #expect(refusal.contains(expected), "\(refusal)")
  }
}
