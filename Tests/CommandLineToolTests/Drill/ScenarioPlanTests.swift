import CommandLineTool
import Configuration
import Histories
import NodeRuntime
import Primitives
import QUICTransport
import Simulator
import Testing

@Suite struct `A scenario for processes` {
  @Test(arguments: [
    ("at 1s slow disk 2 50ms for 1s", ["slow disk"]), ("at 1s clock 2 jump 3s", ["clock jump"]),
    ("at 1s equivocate 2", ["equivocate"]), ("at 1s forge 2", ["forge"]),
    ("at 1s damage 2", ["damage"]), ("at 1s fail sync 2 for 1s", ["fail sync"]),
    ("clock skew 1s", ["clock"]), ("relays", ["relays"]), ("chaos crashes 1", ["chaos"]),
    ("network duplicate 1%", ["network duplicate"]),
    ("expect detection within 3s", ["expect detection"]),
    ("at 1s forge 2\nat 2s forge 3\nat 3s damage 1", ["forge", "damage"]),
    ("at 1s crash 2\nat 2s start 2\nat 3s pause 1 for 1s\nat 4s isolate leader", []),
    ("at 1s partition 1,2 | 3,4,5\nat 2s heal\nat 3s clog 1 -> 2 for 1s\nat 4s cut 1 -> 2", []),
    ("at 1s wipe 2 for 1s\nat 2s role 3 learner\nat 3s remove 4\nat 4s transfer", []),
    ("from 1s every 500ms repeat 5 crash leader for 100ms", []),
  ]) func `names what processes cannot be made to do`(text: String, refused: [String]) throws {
    let scenario = try Scenario(name: "x", parsing: text)
    #expect(ScenarioPlan.refusals(of: scenario) == refused)
  }

  @Test func `is refused as a wrong command line`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("hostile.txt")
    try Files.create(path, Array("nodes 3\nat 1s forge 2\n".utf8))
    let (status, _, errors) = Tool.standard { _ in 0 }.transcript("drill", path)
    #expect(status == 64)
    #expect(errors.contains("forge"), "\(errors)")
  }

  @Test func `that is not there is an error with its path`() {
    let (status, _, errors) = Tool.standard { _ in 0 }.transcript("drill", "/nonexistent/x.txt")
    #expect(status == 1)
    #expect(errors.contains("/nonexistent/x.txt"), "\(errors)")
  }

  @Test func `has a page and a picture of one name`() {
    for name in ["/a/b", "/a/b.html", "/a/b.svg"] {
      let files = DrillVerbs.pictureFiles(name)
      #expect(files.html == "/a/b.html")
      #expect(files.svg == "/a/b.svg")
    }
  }
}

@Suite struct `What stands between nodes` {
  private static let ids = (0..<5).map { number in
    Hexadecimal.text(Array(repeating: UInt8(number + 1), count: 32))
  }

  private func faults(_ links: LinkFaults, of node: Int) throws -> [PeerFault] {
    let line = NodeOrders.faults(links.links(of: node), ids: Self.ids, seed: 7)
    guard case .faults(let faults, let seed) = try AdminCommand(line) else {
      Issue.record("\(line) is no order of faults")
      return []
    }
    #expect(seed == (faults.isEmpty ? 0 : 7))
    return faults
  }

  private func key(_ node: Int) throws -> PeerKey {
    try #require(PeerKey(Array(repeating: UInt8(node + 1), count: 32)))
  }

  @Test func `is nothing at first and after healing`() throws {
    var links = LinkFaults(nodeCount: 5, network: nil)
    for node in 0..<5 { #expect(links.links(of: node).isEmpty) }
    links.partition([[0, 1], [2, 3, 4]])
    links.slow(1, delay: .milliseconds(5), lossMillionths: 10)
    links.hold(from: 3, to: 4, .seconds(1))
    links.heal()
    for node in 0..<5 { #expect(try faults(links, of: node).isEmpty) }
    #expect(!links.isDivided)
  }

  @Test func `sets groups apart both ways and leaves others alone`() throws {
    var links = LinkFaults(nodeCount: 5, network: nil)
    links.partition([[0], [2, 3]])
    #expect(try faults(links, of: 0) == [.block(key(2)), .block(key(3))])
    #expect(try faults(links, of: 3) == [.block(key(0))])
    #expect(try faults(links, of: 1).isEmpty)
    #expect(links.isDivided)
  }

  @Test func `can go one way only`() throws {
    var links = LinkFaults(nodeCount: 5, network: nil)
    links.cut(from: 0, to: 1)
    links.hold(from: 2, to: 1, .milliseconds(1_500))
    var out = PeerFault(key: try key(1))
    out.blocksOut = true
    #expect(try faults(links, of: 0) == [out])
    var into = PeerFault(key: try key(0))
    into.blocksIn = true
    #expect(try faults(links, of: 1) == [into])
    var held = PeerFault(key: try key(1))
    held.delayNanoseconds = 1_500_000_000
    #expect(try faults(links, of: 2) == [held])
  }

  @Test func `loses each packet of a link once, not at both ends`() throws {
    let scenario = try Scenario(name: "x", parsing: "network delay 200us..2ms loss 5%")
    let links = LinkFaults(nodeCount: 5, network: scenario.network)
    for (node, peer) in [(0, 4), (4, 0)] {
      let fault = try #require(try faults(links, of: node).first { try $0.key == key(peer) })
      #expect(fault.delayNanoseconds == 200_000)
      #expect(fault.jitterNanoseconds == 1_800_000)
      #expect(fault.lossMillionths == (node < peer ? 50_000 : 0))
    }
  }
}

@Suite struct `An order to a node` {
  @Test(arguments: [
    ("", "no JSON"), ("[]", "no JSON object"), ("{}", "command must be a string"),
    (#"{"command":"explode"}"#, "there are faults, heal, scrub, status and transfer"),
    (#"{"command":"heal","seed":1}"#, "seed is unknown"),
    (#"{"command":"faults"}"#, "faults must be an array"),
    (#"{"command":"faults","faults":[1]}"#, "faults[0] is no JSON object"),
    (#"{"command":"faults","faults":[{"peer":"ab"}]}"#, "faults[0].peer must be 64"),
    (#"{"command":"faults","faults":[],"seed":-1}"#, "seed must be a whole number"),
    (#"{"command":"transfer","node":7}"#, "node must be a string"),
  ]) func `is refused with what is wrong`(line: String, words: String) {
    let error = #expect(throws: AdminCommandError.self) { try AdminCommand(line) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [
    (#""block":"sideways""#, "block must be"), (#""lossPercent":101"#, "from 0 to 100"),
    (#""lossPercent":-1"#, "from 0 to 100"), (#""lossPercent":0.00001"#, "four decimals"),
    (#""delayMilliseconds":60001"#, "from 0 to 60000"),
    (#""jitterMilliseconds":"5""#, "from 0 to 60000"),
    (#""speed":1"#, "faults[0].speed is unknown"),
  ]) func `names the member of a fault`(member: String, words: String) {
    let peer = String(repeating: "ab", count: 32)
    let line = "{\"command\":\"faults\",\"faults\":[{\"peer\":\"\(peer)\",\(member)}]}"
    let error = #expect(throws: AdminCommandError.self) { try AdminCommand(line) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func `does not name a peer twice`() {
    let peer = "{\"peer\":\"\(String(repeating: "ab", count: 32))\"}"
    let line = "{\"command\":\"faults\",\"faults\":[\(peer),\(peer)]}"
    #expect(throws: AdminCommandError.self) { try AdminCommand(line) }
  }
}

@Suite struct `An answer about a key` {
  private func result(
    _ status: Int, _ body: String, _ operation: HistoryOperation
  ) -> HistoryResult? {
    KeyAnswer.result(status: status, body: Array(body.utf8), to: operation)
  }

  @Test func `means what the history's reference says`() {
    #expect(result(200, #"{"version":5}"#, .put(value: "v")) == .written(version: 5))
    let cas = HistoryOperation.compareAndSet(expected: 4, value: "v")
    #expect(result(200, #"{"version":5}"#, cas) == .written(version: 5))
    #expect(result(409, #"{"version":0}"#, cas) == .conflict(version: 0))
    #expect(result(404, "{}", .get) == .absent)
    #expect(result(200, #"{"value":"v","version":5}"#, .get) == .value("v", version: 5))
    let delete = HistoryOperation.delete(expected: nil)
    #expect(result(200, #"{"deleted":true,"revision":6}"#, delete) == .deleted(version: 6))
    #expect(result(200, #"{"deleted":false,"revision":6}"#, delete) == .absent)
    for operation in [cas, .get, delete] {
      #expect(result(503, "", operation) == .refused)
      #expect(result(504, "", operation) == .unknown)
    }
  }

  @Test func `that nothing explains is none`() {
    #expect(result(200, "{}", .put(value: "v")) == nil)
    #expect(result(200, "no JSON", .get) == nil)
    #expect(result(500, "{}", .get) == nil)
    #expect(result(404, "{}", .put(value: "v")) == nil)
    #expect(result(200, #"{"version":-1}"#, .put(value: "v")) == nil)
  }
}
