import Crypto
import Foundation
import GossipCore
import JSONText
import Primitives
import QUICTransport
import Records
import Testing
import Wire

/// A node that was shown another version of a bundle than the one that became final.
@Suite(.timeLimit(.minutes(5)))
struct ForkTests {
  /// A lane that node 3's key writes beside its own.
  private struct Liar {
    let key: SigningKey
    let swarm: SwarmID
    let epoch = Identifier<LaneEpoch>(high: 1, low: 2)

    var lane: LaneID { LaneID(node: NodeID(key: key.publicKey), epoch: epoch, swarm: swarm) }

    /// The first bundle of the lane, in a version.
    func version(_ number: UInt8) -> SignedBundle {
      let operations: [[UInt8]] = [[0xFF, number]]
      var clock = timespec()
      clock_gettime(CLOCK_REALTIME, &clock)
      let header = BundleHeader(
        node: NodeID(key: key.publicKey), epoch: epoch, swarm: swarm, number: 1, firstSequence: 1,
        operationCount: 1,
        firstTime: HybridTime(milliseconds: UInt64(clock.tv_sec) * 1_000, counter: 0), context: [],
        operationsRoot: SignedBundle.operationsRoot(of: operations), previous: .zero,
        bodyByteCount: SignedBundle.bodyByteCount(of: operations))
      return SignedBundle(
        signedHeader: SignedHeader(signing: header, with: key), operations: operations)
    }
  }

  /// Brings a version to a node as the liar, and waits until the node holds it.
  private func push(_ version: UInt8, of liar: Liar, to node: Int, in swarm: TestSwarm) throws {
    let outsider = try Outsider(liar.key, to: swarm.places[node - 1])
    let id = try outsider.connected()
    #expect(
      outsider.transport.send(frame: liar.version(version).encoded, on: .bundles, to: id)
        == .queued)
    try swarm.eventually("node \(node) holds version \(version)") {
      try outsider.turn()
      return try number(of: liar, at: node, in: swarm) == 1
    }
  }

  private func number(of liar: Liar, at node: Int, in swarm: TestSwarm) throws -> Int64? {
    try swarm.get("/v1/status", from: node)["frontier"]?[liar.lane.digest.hexadecimal]?.integer
  }

  @Test func `it takes its version back and goes on with the final one`() throws {
    let swarm = try TestSwarm(voters: 4)
    let liar = Liar(key: swarm.places[2].key, swarm: swarm.swarm)
    let early = try swarm.start(4)
    try push(2, of: liar, to: 4, in: swarm)
    early.send(SIGTERM)
    #expect(early.waitForEnd() == 0)

    // Node 3 itself comes last: it has the liar's key, and a node takes one connection of a key.
    let first = try [1, 2].map { try swarm.start($0) }
    try push(1, of: liar, to: 1, in: swarm)
    let others = try first + [swarm.start(3)]
    defer { for node in others { node.crash() } }
    try swarm.eventually("the liar's bundle is executed") {
      try number(of: liar, at: 3, in: swarm) == 1
    }
    let token = try swarm.register("asker", level: "final")
    _ = try swarm.ask("which version?", token: token, level: "final")

    let victim = try swarm.start(4)
    defer { victim.crash() }
    #expect(victim.line(containing: "did not become final") != nil)
    #expect(victim.line(containing: "the database is repaired", "withdrawn=1") != nil)
    try swarm.eventually("node 4 serves again") {
      (try? swarm.get("/v1/status", from: 4)) != nil
    }
    let asked = try swarm.ask("which version is it now?", token: token, level: "final")
    #expect(!asked.isEmpty)
    _ = try swarm.waitUntilEqual((1...4).map { swarm.api($0) })
    #expect(try number(of: liar, at: 4, in: swarm) == 1)
    let height = try #require(try swarm.get("/v1/ledger/head")["executed"]?["height"]?.integer)
    try swarm.eventually("node 4 has executed what the others have") {
      try swarm.get("/v1/ledger/head", from: 4)["executed"]?["height"]?.integer ?? 0 >= height
    }
    #expect(victim.isRunning)
    // It is not taken back again at a next start.
    victim.send(SIGTERM)
    #expect(victim.waitForEnd() == 0)
    let again = try swarm.start(4)
    defer { again.crash() }
    _ = try swarm.ask("which version is it again?", token: token, level: "final")
    _ = try swarm.waitUntilEqual((1...4).map { swarm.api($0) })
    #expect(!again.log.contains("did not become final"))
  }
}
