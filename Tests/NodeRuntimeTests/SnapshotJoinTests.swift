import Configuration
import Foundation
import NodeRuntime
import Testing

@Suite(.timeLimit(.minutes(5)))
struct SnapshotJoinTests {
  @Test func `a fresh node joins by a snapshot and ends with what all have`() throws {
    let swarm = try TestSwarm(voters: 2) { $0.snapshotBlocks = 32 }
    let voters = [try swarm.start(1), try swarm.start(2)]
    defer { for voter in voters { voter.crash() } }
    let token = try swarm.register("asker")
    var number = 0
    while !voters.allSatisfy({ $0.log.contains("wrote a snapshot") }), number < 2_000 {
      number += 1
      _ = try swarm.ask("What is number \(number) of many?", token: token)
    }
    try #require(voters[0].log.contains("wrote a snapshot"), "\(voters[0].log)")
    let place = try swarm.join("learner", try swarm.ticket())
    let learner = try swarm.start(place.directory)
    #expect(learner.line(containing: "joined by a snapshot") != nil, "\(learner.log)")
    try swarm.waitUntilEqual([swarm.api(1), swarm.api(2), place.api])
    // What it made survives a crash, and the node goes on from it.
    learner.crash()
    _ = try swarm.ask("What came while the learner was away?", token: token)
    let again = try swarm.start(place.directory)
    defer { again.crash() }
    try swarm.waitUntilEqual([swarm.api(1), place.api])
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
