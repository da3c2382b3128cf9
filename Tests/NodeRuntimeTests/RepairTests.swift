import AdminSocket
import Configuration
import Crypto
import Foundation
import JSONText
import Primitives
import Testing

/// A byte changes in a database of a node: it is found, repaired, and nothing is lost.
@Suite(.timeLimit(.minutes(5)))
struct RepairTests {
  private func path(_ swarm: TestSwarm, _ number: Int, _ file: String) -> String {
    "\(swarm.places[number - 1].directory)/data/main/\(file)"
  }

  /// Changes a byte inside the last copy of a text in a file.
  private func flip(_ text: String, in path: String) throws {
    let bytes = try #require(FileManager.default.contents(atPath: path))
    let range = try #require(bytes.range(of: Data(text.utf8), options: .backwards))
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    try handle.seek(toOffset: UInt64(range.lowerBound + 2))
    try handle.write(contentsOf: Data([bytes[range.lowerBound + 2] ^ 0x01]))
    try handle.close()
  }

  private func scrub(_ swarm: TestSwarm, _ number: Int) throws {
    let answer = try AdminClient.call(
      path: "\(swarm.places[number - 1].directory)/\(NodeConfiguration.adminSocketName)",
      line: #"{"command":"scrub"}"#, timeoutMilliseconds: 5_000)
    #expect(answer == #"{"scrubbing":true}"#)
  }

  @Test(arguments: ["state.db", "log.db"])
  func `a node in use finds a flipped byte, repairs itself and becomes equal again`(file: String)
    throws
  {
    let swarm = try TestSwarm(voters: 3)
    var nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    let apis = (1...3).map { swarm.api($0) }
    let token = try swarm.register("asker", level: "quorum", at: 2)
    let questions = try (10..<40).map {
      try swarm.ask("What is number \($0) of many?", token: token, level: "quorum", at: 2)
    }
    try swarm.waitUntilEqual(apis)
    // An orderly end moves everything into the databases.
    nodes[1].send(SIGTERM)
    #expect(nodes[1].waitForEnd() == 0)
    nodes[1] = try swarm.start(2)
    let digest = try swarm.waitUntilEqual(apis)
    try scrub(swarm, 2)
    #expect(nodes[1].line(containing: "the databases are sound") != nil)
    try flip("What is number 25", in: path(swarm, 2, file))
    try scrub(swarm, 2)
    #expect(nodes[1].line(containing: "a database is damaged", file) != nil)
    let repaired = nodes[1].line(containing: "the database is repaired")
    #expect(repaired != nil, "\(nodes[1].log)")
    try swarm.eventually("the node serves again") {
      (try? swarm.get("/v1/status", from: 2))?["rowsDigest"]?.string == digest
    }
    #expect(try swarm.waitUntilEqual(apis) == digest)
    if file == "log.db" {
      #expect(repaired?.contains("lost=1") == true)
      #expect(nodes[1].line(containing: "everything that a repair rescued is held again") != nil)
    }
    #expect(try swarm.metric("swarmoracle_repairs", of: 2) == 1)
    // It writes again: to its lane, or to a new one when the old may have lost its end.
    let new = try swarm.ask("What comes after?", token: token, level: "quorum", at: 2)
    try swarm.waitUntilEqual(apis)
    let name = swarm.places[1].key.publicKey.hexadecimal
    for number in 1...3 {
      let lanes = try swarm.get("/v1/lanes", from: number)["lanes"]?.array ?? []
      let own = lanes.filter { $0["node"]?.string == name }
      #expect(own.count == (file == "log.db" ? 2 : 1))
      #expect(own.allSatisfy { $0["isForked"]?.bool != true && $0["forked"]?.bool != true })
      for question in questions + [new] {
        #expect(try swarm.get("/v1/questions/\(question)", from: number)["id"] != nil)
      }
    }
    let kept = try FileManager.default.contentsOfDirectory(atPath: path(swarm, 2, ""))
    #expect(kept.contains { $0.hasPrefix("\(file).damaged-") })
    nodes[1].send(SIGTERM)
    #expect(nodes[1].waitForEnd() == 0)
  }

  @Test(arguments: [true, false])
  func `a damaged ledger is made again from the blocks of peers`(isRunning: Bool) throws {
    let swarm = try TestSwarm(voters: 2)
    var nodes = try (1...2).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    let token = try swarm.register("asker", level: "final", at: 2)
    for number in 10..<30 {
      _ = try swarm.ask("What is number \(number) of many?", token: token, level: "final", at: 2)
    }
    // An orderly end moves everything into the database.
    nodes[1].send(SIGTERM)
    #expect(nodes[1].waitForEnd() == 0)
    let ledger = "\(swarm.places[1].directory)/data/finality/ledger"
    if !isRunning { try flip("What is number 25", in: "\(ledger)/ledger.db") }
    nodes[1] = try swarm.start(2)
    if isRunning {
      try flip("What is number 25", in: "\(ledger)/ledger.db")
      try scrub(swarm, 2)
      #expect(nodes[1].line(containing: "the ledger is damaged") != nil)
    }
    #expect(nodes[1].line(containing: "made again from peers' blocks") != nil)
    try swarm.eventually("the node serves again") {
      (try? swarm.get("/v1/status", from: 2)) != nil
    }
    _ = try swarm.ask("What comes after?", token: token, level: "final", at: 2)
    try swarm.eventually("both have executed the same") {
      let heads = try (1...2).map { try swarm.get("/v1/ledger/head", from: $0)["executed"] }
      return heads[0]?["root"]?.string == heads[1]?["root"]?.string
    }
    let kept = try FileManager.default.contentsOfDirectory(atPath: ledger)
    #expect(kept.contains { $0.hasPrefix("ledger.db.damaged-") })
    nodes[1].send(SIGTERM)
    #expect(nodes[1].waitForEnd() == 0)
  }

  @Test func `rows that changed while the node was down are repaired when it starts`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    let token = try swarm.register("asker")
    for number in 10..<30 { _ = try swarm.ask("What is number \(number)?", token: token) }
    let digest = try swarm.waitUntilEqual([swarm.api(1)])
    node.send(SIGTERM)
    #expect(node.waitForEnd() == 0)
    try flip("What is number 15", in: path(swarm, 1, "state.db"))
    let again = try swarm.start(1)
    #expect(again.line(containing: "the database is repaired") != nil)
    #expect(again.line(containing: "replayed bundles") != nil)
    #expect(try swarm.waitUntilEqual([swarm.api(1)]) == digest)
    again.crash()
  }

  @Test func `a node that was repaired too often stops and says what to do`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    let token = try swarm.register("asker")
    for number in 10..<20 { _ = try swarm.ask("What is number \(number)?", token: token) }
    node.send(SIGTERM)
    #expect(node.waitForEnd() == 0)
    for round in 1...4 {
      try flip("What is number 15", in: path(swarm, 1, "state.db"))
      guard round <= 3 else {
        let last = try NodeChild(["node", "start", "--dir", swarm.places[0].directory])
        #expect(last.line(containing: "repaired 3 times within an hour") != nil)
        #expect(last.line(containing: "swarmoracle recover") != nil)
        #expect(last.waitForEnd() == 1)
        return
      }
      let again = try swarm.start(1)
      again.send(SIGTERM)
      #expect(again.waitForEnd() == 0)
    }
  }

  private func recover(_ swarm: TestSwarm, _ options: String...) throws -> NodeChild {
    try NodeChild(["recover", swarm.places[0].directory] + options)
  }

  @Test func `recover tells what is damaged, repairs when told to, and refuses a running node`()
    throws
  {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    let token = try swarm.register("asker")
    for number in 10..<30 { _ = try swarm.ask("What is number \(number)?", token: token) }
    let refused = try recover(swarm)
    #expect(refused.waitForEnd() == 1)
    #expect(refused.line(containing: "is in use by process") != nil)
    node.send(SIGTERM)
    #expect(node.waitForEnd() == 0)
    let sound = try recover(swarm)
    #expect(sound.waitForEnd() == 0, "\(sound.log)")
    try flip("What is number 20", in: path(swarm, 1, "log.db"))
    let found = try recover(swarm)
    #expect(found.waitForEnd() == 1)
    #expect(found.line(containing: "operations: lane") != nil, "\(found.log)")
    #expect(found.line(containing: "nothing was changed") != nil)
    let repaired = try recover(swarm, "--apply")
    #expect(repaired.waitForEnd() == 0, "\(repaired.log)")
    #expect(repaired.line(containing: "bundles kept", "wait for what", "1 lost") != nil)
    #expect(try recover(swarm).waitForEnd() == 0)
    let again = try swarm.start(1)
    #expect(again.line(containing: "bundles wait for what a repair could not keep") != nil)
    _ = try swarm.ask("What comes after?", token: token)
    let name = swarm.places[0].key.publicKey.hexadecimal
    let lanes = try swarm.get("/v1/lanes")["lanes"]?.array ?? []
    #expect(lanes.count { $0["node"]?.string == name } == 2)
    again.send(SIGTERM)
    #expect(again.waitForEnd() == 0)
  }

  @Test func `recover gives a node whose control log is damaged a new life`() throws {
    let swarm = try TestSwarm(voters: 3)
    var nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    let token = try swarm.register("asker", level: "quorum", at: 2)
    nodes[0].send(SIGTERM)
    #expect(nodes[0].waitForEnd() == 0)
    let control = "\(swarm.places[0].directory)/data/control"
    for name in try FileManager.default.contentsOfDirectory(atPath: control) where name != "lock" {
      let handle = try #require(FileHandle(forUpdatingAtPath: "\(control)/\(name)"))
      for block in 0..<2 as Range<UInt64> {
        try handle.seek(toOffset: block * 4_096 + 20)
        try handle.write(contentsOf: Data([0xa5, 0x5a]))
      }
      try handle.close()
    }
    let refused = try NodeChild(["node", "start", "--dir", swarm.places[0].directory])
    #expect(refused.waitForEnd() == 1)
    #expect(refused.line(containing: "control is damaged") != nil, "\(refused.log)")
    #expect(try recover(swarm).waitForEnd() == 1)
    let repaired = try recover(swarm, "--apply")
    #expect(repaired.waitForEnd() == 0, "\(repaired.log)")
    nodes[0] = try swarm.start(1)
    #expect(nodes[0].line(containing: "it comes back in a new life") != nil)
    _ = try swarm.ask("Does it count again?", token: token, level: "quorum", at: 1)
    try swarm.waitUntilEqual((1...3).map { swarm.api($0) })
  }
}
