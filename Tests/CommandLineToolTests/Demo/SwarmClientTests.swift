import CommandLineTool
import JSONText
import Testing

struct SwarmClientTests {
  private static let done = (status: 200, body: #"{"done": true}"#)
  private static let problem = #"{"type": "/problems/some", "detail": "because"}"#

  @Test func `a node that is gone is passed over`() throws {
    let nodes = [try ScriptedNode([]), try ScriptedNode([Self.done])]
    let client = SwarmClient(endpoints: nodes.map(\.endpoint))
    let reply = try client.get("/v1/status")
    #expect(reply.json["done"]?.bool == true)
    #expect(reply.endpoint == 1)
    #expect(client.failovers == 1)
  }

  @Test(arguments: [401, 404, 504])
  func `what may come true is asked again at the same node`(status: Int) throws {
    let node = try ScriptedNode([(status, Self.problem), (status, Self.problem), Self.done])
    let client = SwarmClient(endpoints: [node.endpoint, node.endpoint])
    let reply = try client.post("/v1/questions", Array("{}".utf8), key: "k")
    #expect(reply.endpoint == 0)
    #expect(client.failovers == 0)
  }

  @Test(arguments: [500, 503])
  func `a node that cannot is left for another`(status: Int) throws {
    let nodes = [try ScriptedNode([(status, Self.problem)]), try ScriptedNode([Self.done])]
    let client = SwarmClient(endpoints: nodes.map(\.endpoint))
    #expect(try client.get("/v1/status").endpoint == 1)
  }

  @Test(arguments: [400, 403, 409, 422])
  func `a refusal is final`(status: Int) throws {
    let node = try ScriptedNode([(status, Self.problem), Self.done])
    let client = SwarmClient(endpoints: [node.endpoint])
    #expect(throws: APIRefusal(status: status, kind: "some", detail: "because")) {
      try client.get("/v1/status")
    }
  }

  @Test func `nothing is asked when nobody wants to know`() throws {
    let client = SwarmClient(endpoints: ["http://127.0.0.1:1"], isCancelled: { true })
    #expect(throws: DemoInterruption.self) { try client.get("/v1/status") }
  }

  @Test func `what a frontier misses is counted by lane`() throws {
    let frontier = try #require(try JSONValue.parse(Array(#"{"a": 5, "b": 9}"#.utf8)).object)
    let target = try #require(try JSONValue.parse(Array(#"{"a": 7, "b": 4, "c": 3}"#.utf8)).object)
    #expect(DemoOutageDrill.missing(frontier, of: target) == 5)
    #expect(DemoOutageDrill.missing(target, of: target) == 0)
    #expect(DemoOutageDrill.missing([], of: target) == 14)
  }

  @Test func `missing programs are named by package, each once`() {
    let packages = DemoRequirements.packages(
      [
        SpellingProgram(.aspell, mode: "fast"), SpellingProgram(.aspell, mode: "slow"),
        SpellingProgram(.hunspell, mode: "en_GB"), SpellingProgram(.nuspell, mode: "en_GB"),
      ], lacksDictionary: true)
    #expect(
      packages == ["aspell", "aspell-en", "hunspell", "hunspell-en-gb", "nuspell", "codespell"])
  }
}
