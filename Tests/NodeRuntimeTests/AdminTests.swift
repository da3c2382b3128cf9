import AdminSocket
import Configuration
import Crypto
import Glibc
import JSONText
import Primitives
import Testing

/// What a node does that its operator asks for on its own host.
@Suite(.timeLimit(.minutes(5)))
struct AdminTests {
  private func call(_ line: String, _ swarm: TestSwarm, _ number: Int) throws -> JSONValue {
    let path = "\(swarm.places[number - 1].directory)/\(NodeConfiguration.adminSocketName)"
    return try JSONValue.parse(Array(try AdminClient.call(path: path, line: line).utf8))
  }

  private func leader(_ swarm: TestSwarm) throws -> Int {
    var leader: Int?
    try swarm.eventually("somebody leads") {
      leader = try swarm.places.indices.first { index in
        try call(#"{"command":"status"}"#, swarm, index + 1)["role"]?.string == "leader"
      }.map { $0 + 1 }
      return leader != nil
    }
    return try #require(leader)
  }

  @Test func `a leader that is cut off is followed by another, and comes back`() throws {
    let swarm = try TestSwarm(voters: 3)
    let nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    try swarm.waitUntilLed([1, 2, 3])
    let old = try leader(swarm)
    let others = [1, 2, 3].filter { $0 != old }
    let faults = others.map { number in
      let peer = swarm.places[number - 1].key.publicKey.hexadecimal
      return #"{"peer":"\#(peer)","block":true}"#
    }
    let answer = try call(
      #"{"command":"faults","faults":[\#(faults.joined(separator: ","))]}"#, swarm, old)
    #expect(answer["faults"]?.integer == 2)
    try swarm.eventually("one of the others leads, and the old leader does not") {
      let roles = try (1...3).map {
        try call(#"{"command":"status"}"#, swarm, $0)["role"]?.string
      }
      return roles[old - 1] != "leader" && others.contains { roles[$0 - 1] == "leader" }
    }
    try swarm.put("during", "v", at: others)
    #expect(try call(#"{"command":"status"}"#, swarm, old)["faults"]?.integer == 2)
    #expect(try call(#"{"command":"heal"}"#, swarm, old)["faults"]?.integer == 0)
    #expect(try swarm.value(of: "during", at: old) == "v")
  }

  @Test func `a leader hands over, and nobody else does`() throws {
    let swarm = try TestSwarm(voters: 3)
    let nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    try swarm.waitUntilLed([1, 2, 3])
    let old = try leader(swarm)
    let heir = try #require([1, 2, 3].first { $0 != old })
    let id = swarm.places[heir - 1].key.publicKey.hexadecimal
    let refusal = try call(#"{"command":"transfer"}"#, swarm, heir)["error"]?.string
    #expect(refusal?.contains("does not lead") == true, "\(refusal ?? "")")
    let stranger = String(repeating: "ab", count: 32)
    let unknown = try call(
      #"{"command":"transfer","node":"\#(stranger)"}"#, swarm, old)["error"]?.string
    #expect(unknown?.contains("does not vote") == true, "\(unknown ?? "")")
    let answer = try call(#"{"command":"transfer","node":"\#(id)"}"#, swarm, old)
    #expect(answer["transferring"]?.bool == true)
    try swarm.eventually("the heir leads") {
      try call(#"{"command":"status"}"#, swarm, heir)["role"]?.string == "leader"
    }
  }

  @Test func `a wrong line is answered with what is wrong`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    defer { node.crash() }
    for line in ["{", "{}", #"{"command":"explode"}"#, #"{"command":"heal","x":1}"#] {
      #expect(try call(line, swarm, 1)["error"]?.string != nil, "\(line)")
    }
    #expect(node.isRunning)
    var status = stat()
    let path = "\(swarm.places[0].directory)/\(NodeConfiguration.adminSocketName)"
    #expect(lstat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }
}
