import Configuration
import Foundation
import HTTPClient
import JSONText
import NodeRuntime
import Testing

@Suite(.timeLimit(.minutes(5)))
struct SnapshotJoinTests {
  /// Asks questions until every voter has written a snapshot; the token of who asked.
  private func writeUntilSnapshot(_ swarm: TestSwarm, _ voters: [NodeChild]) throws -> String {
    let token = try swarm.register("asker")
    var number = 0
    while !voters.allSatisfy({ $0.log.contains("wrote a snapshot") }), number < 2_000 {
      number += 1
      _ = try swarm.ask("What is number \(number) of many?", token: token)
    }
    try #require(voters[0].log.contains("wrote a snapshot"), "\(voters[0].log)")
    return token
  }

  @Test func `a book of joining again that cannot be read is told, and nothing is moved`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    node.send(SIGTERM)
    #expect(node.waitForEnd() == 0)
    let data = "\(swarm.places[0].directory)/data"
    let before = try FileManager.default.contentsOfDirectory(atPath: data).sorted()
    for text in ["", "aside", "aside a b", "later\n", "\u{0}\u{1}"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(data)/rejoin"))
      #expect { _ = try swarm.start(1) } throws: { "\($0)".contains("rejoin cannot be read") }
      let after = try FileManager.default.contentsOfDirectory(atPath: data).sorted()
      #expect(after.filter { $0 != "rejoin" } == before)
    }
  }

  @Test func `a fresh node joins by a snapshot and ends with what all have`() throws {
    let swarm = try TestSwarm(voters: 2) { $0.snapshotBlocks = 32 }
    let voters = [try swarm.start(1), try swarm.start(2)]
    defer { for voter in voters { voter.crash() } }
    let token = try writeUntilSnapshot(swarm, voters)
    let place = try swarm.join("learner", try swarm.ticket())
    let learner = try swarm.start(place.directory)
    #expect(learner.line(containing: "joined by a snapshot") != nil, "\(learner.log)")
    try swarm.waitUntilEqual([swarm.api(1), swarm.api(2), place.api])
    try expectCounted(swarm, at: place.api)
    // What it made survives a crash, and the node goes on from it.
    learner.crash()
    _ = try swarm.ask("What came while the learner was away?", token: token)
    let again = try swarm.start(place.directory)
    defer { again.crash() }
    try swarm.waitUntilEqual([swarm.api(1), place.api])
    #expect(try swarm.metric("swarmoracle_snapshot_joined_height", at: place.api) == 0)
  }

  /// What the voters say to have served must be what the learner says to have fetched.
  private func expectCounted(_ swarm: TestSwarm, at learner: String) throws {
    func fetched(_ name: String) throws -> Int {
      try swarm.metric("swarmoracle_snapshot_\(name)", at: learner)
    }
    func served(_ name: String) throws -> Int {
      try (1...2).reduce(0) { try $0 + swarm.metric("swarmoracle_snapshot_\(name)", of: $1) }
    }
    #expect(try fetched("joined_height") >= 32)
    #expect(try fetched("parts_fetched_total") > 0)
    #expect(try fetched("parts_refused_total") == 0)
    #expect(try fetched("liars_total") == 0)
    #expect(try served("manifests_served_total") >= 1)
    #expect(try served("parts_served_total") >= fetched("parts_fetched_total"))
    #expect(try served("served_bytes_total") > fetched("fetched_bytes_total"))
    #expect(try swarm.metric("swarmoracle_snapshots_written_total") >= 1)
    #expect(try swarm.metric("swarmoracle_snapshots_failed_total") == 0)
    #expect(try swarm.metric("swarmoracle_snapshot_height") >= fetched("joined_height"))
  }

  @Test(arguments: ["main/state.db", "finality/ledger/ledger.db"])
  func `a node whose lanes begin after a snapshot joins again when a file is gone`(
    file: String
  ) throws {
    let swarm = try TestSwarm(voters: 2) { $0.snapshotBlocks = 32 }
    var voters = [try swarm.start(1), try swarm.start(2)]
    defer { for voter in voters { voter.crash() } }
    let token = try writeUntilSnapshot(swarm, voters)
    let place = try swarm.join("learner", try swarm.ticket())
    let learner = try swarm.start(place.directory)
    #expect(learner.line(containing: "joined by a snapshot") != nil, "\(learner.log)")
    try swarm.waitUntilEqual([swarm.api(1), swarm.api(2), place.api])
    // What only this node has, when everything else of it is damaged.
    for voter in voters { voter.crash() }
    let body = #"{"text":"What does nobody else have?"}"#
    let asked = try swarm.send(
      "POST", "/v1/questions?consistency=local", at: place.api, token: token, body)
    #expect(asked.status == 201)
    learner.send(SIGTERM)
    #expect(learner.waitForEnd() == 0)
    for suffix in ["", "-wal", "-shm"] {
      // The last two are there after a crash only.
      try? FileManager.default.removeItem(atPath: "\(place.directory)/data/\(file)\(suffix)")
    }
    voters = [try swarm.start(1), try swarm.start(2)]
    let again = try swarm.start(place.directory)
    defer { again.crash() }
    #expect(
      again.line(containing: "this node can go on only by a snapshot") != nil, "\(again.log)")
    #expect(again.line(containing: "joined by a snapshot") != nil, "\(again.log)")
    try swarm.eventually("the node serves again") {
      (try? swarm.send("GET", "/v1/status", at: place.api))?.status == 200
    }
    try swarm.eventually("everybody has what only the node had") {
      let questions = try swarm.get("/v1/questions?limit=100", from: 1)
      return questions["questions"]?.array?.contains {
        $0["text"]?.string == "What does nobody else have?"
      } ?? false
    }
    try swarm.waitUntilEqual([swarm.api(1), swarm.api(2), place.api])
    #expect(again.isRunning)
  }

  @Test(arguments: [1, 900])
  func `by a snapshot and by replay a node comes to the same state`(operations: Int) throws {
    var template = Array("/tmp/swarmoracle-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // What is left behind is in /tmp.
    defer { try? FileManager.default.removeItem(atPath: root) }
    let benchmark = BootstrapBenchmark(operations: operations, directory: root) { 0 }
    let result = try benchmark.run { _ in }
    #expect(result.isEqual)
    #expect(result.rows > operations)
  }
}
