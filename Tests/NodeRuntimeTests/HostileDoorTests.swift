import BFTCore
import Configuration
import Crypto
import Foundation
import GossipCore
import HTTPClient
import JSONText
import Primitives
import QUICTransport
import Records
import SnapshotCore
import Testing
import Wire

/// What a member that has gone mad can send, and what comes of it.
@Suite(.timeLimit(.minutes(5)))
struct HostileDoorTests {
  /// Makes bundles of one node's lane.
  private struct Forge {
    var key: SigningKey
    var swarm: SwarmID
    let epoch = Identifier<LaneEpoch>(high: 1, low: 2)

    var lane: LaneID { LaneID(node: NodeID(key: key.publicKey), epoch: epoch, swarm: swarm) }

    func header(_ operations: [[UInt8]]) -> BundleHeader {
      var clock = timespec()
      clock_gettime(CLOCK_REALTIME, &clock)
      return BundleHeader(
        node: NodeID(key: key.publicKey), epoch: epoch, swarm: swarm, number: 1, firstSequence: 1,
        operationCount: operations.count,
        firstTime: HybridTime(milliseconds: UInt64(clock.tv_sec) * 1_000, counter: 0), context: [],
        operationsRoot: SignedBundle.operationsRoot(of: operations), previous: .zero,
        bodyByteCount: SignedBundle.bodyByteCount(of: operations))
    }

    func bundle(_ operations: [[UInt8]]) -> SignedBundle {
      SignedBundle(
        signedHeader: SignedHeader(signing: header(operations), with: key), operations: operations)
    }

    /// A bundle with a signature over what it should be, by another key or for another purpose.
    func forged(_ operations: [[UInt8]], by other: SigningKey, as domain: SignatureDomain)
      -> SignedBundle
    {
      let header = header(operations)
      let signature = other.sign(Blake2b.hash(header.encoded, .bundleHeader), as: domain)
      return SignedBundle(
        signedHeader: SignedHeader(header: header, signature: signature), operations: operations)
    }
  }

  private static let stranger = SigningKey(seed: Digest(words: 9, 9, 9, 9))

  @Test func `bundles that are none, or not sound, are refused and counted`() throws {
    let swarm = try TestSwarm(voters: 2)
    let node = try swarm.start(1)
    defer { node.crash() }
    let forge = Forge(key: swarm.places[1].key, swarm: swarm.swarm)
    let good = forge.bundle([[1, 2, 3]])
    var random = Xoshiro256(seed: 1)
    let other = forge.bundle([[4, 5, 6]])
    let cases: [(name: String, frame: [UInt8])] = [
      ("cut by one byte", good.encoded.dropLast()),
      ("cut after ten bytes", Array(good.encoded.prefix(10))),
      ("one byte", [1]),
      ("one byte too many", good.encoded + [0]),
      ("random", (0..<300).map { _ in UInt8(truncatingIfNeeded: random.next()) }),
      ("longer than any bundle", Array(repeating: 0, count: BundleLimits.bytesMax + 1)),
      (
        "signed by another key",
        forge.forged([[1]], by: HostileDoorTests.stranger, as: .bundle).encoded
      ),
      ("signed for another purpose", forge.forged([[1]], by: forge.key, as: .ticket).encoded),
      (
        "with the operations of another",
        SignedBundle(
          signedHeader: good.signedHeader, operations: other.operations
        ).encoded
      ),
    ]
    let outsider = try Outsider(swarm.places[1].key, to: swarm.places[0])
    _ = try outsider.connected()
    let before = try swarm.get("/v1/status")["lanesRoot"]
    for (index, bad) in cases.enumerated() {
      try outsider.sendBad(bad.frame, on: .bundles)
      let count = try swarm.metric("swarmoracle_bundles_refused_total")
      #expect(count == index + 1, "\(bad.name)")
    }
    #expect(try swarm.get("/v1/status")["lanesRoot"] == before)
    #expect(node.line(containing: "refused a bundle", outsider.transport.key.description) != nil)
    // A frame beyond the transport's limit does not even become a bundle.
    try outsider.sendBad(Array(repeating: 7, count: (1 << 20) + 2), on: .bundles)
    #expect(try swarm.metric("swarmoracle_quic_frames_malformed_total") == 1)
    #expect(node.isRunning)
  }

  @Test func `sound bundles enter their lane once, whatever is in them`() throws {
    let swarm = try TestSwarm(voters: 2)
    let node = try swarm.start(1)
    defer { node.crash() }
    let member = Forge(key: swarm.places[1].key, swarm: swarm.swarm)
    let good = member.bundle([[0xFF, 0xFF, 0xFF], [], [1, 2, 3]])
    let outsider = try Outsider(member.key, to: swarm.places[0])
    let id = try outsider.connected()
    func push(_ bundle: SignedBundle, raising metric: String, to value: Int) throws {
      #expect(outsider.transport.send(frame: bundle.encoded, on: .bundles, to: id) == .queued)
      // The loop sends while the node is asked.
      try swarm.eventually("\(metric) reaches \(value)") {
        try outsider.turn()
        return try swarm.metric(metric) >= value
      }
      #expect(try swarm.metric(metric) == value)
    }
    func number() throws -> Int64? {
      try swarm.get("/v1/status")["frontier"]?[member.lane.digest.hexadecimal]?.integer
    }
    // Of another swarm, and of a node that is no member.
    let elsewhere = Forge(
      key: member.key, swarm: SwarmID(named: "other", in: swarm.genesis.cluster))
    try push(elsewhere.bundle([[1]]), raising: "swarmoracle_bundles_foreign_total", to: 1)
    let nobody = Forge(key: HostileDoorTests.stranger, swarm: swarm.swarm)
    try push(nobody.bundle([[1]]), raising: "swarmoracle_bundles_foreign_total", to: 2)
    #expect(try number() == nil)
    try push(good, raising: "swarmoracle_bundles_applied_total", to: 1)
    #expect(try number() == 1)
    // The same again.
    try push(good, raising: "swarmoracle_bundles_duplicate_total", to: 1)
    #expect(try number() == 1)
    // Another one in its place.
    try push(member.bundle([[9]]), raising: "swarmoracle_lanes_forked_total", to: 1)
    #expect(try number() == 1)
    #expect(try swarm.metric("swarmoracle_bundles_applied_total") == 1)
    #expect(node.line(containing: "a lane forked", member.lane.digest.hexadecimal) != nil)
    #expect(node.isRunning)
  }

  @Test func `messages of agreement that are none, or not signed by whom they name, are refused`()
    throws
  {
    let swarm = try TestSwarm(voters: 2)
    let node = try swarm.start(1)
    defer { node.crash() }
    let key = swarm.places[1].key
    let set = try #require(ValidatorSet(swarm.genesis.voters.map(\.node)))
    let own = try #require(set.index(of: NodeID(key: key.publicKey)).map { UInt16($0) })
    let outsider = try Outsider(key, to: swarm.places[0])
    let chain = ChainID(cluster: swarm.genesis.cluster, swarm: swarm.swarm)
    func frame(_ chain: ChainID, as signer: UInt16) -> [UInt8] {
      let statement = Statement(kind: .nullify, chain: chain, epoch: 1, view: 1, hash: .zero)
      return [7] + FinalityMessage.vote(Vote(signing: statement, as: signer, with: key)).encoded
    }
    let good = frame(chain, as: own)
    let other = ChainID(digest: Digest(words: 1, 2, 3, 4))
    let cases: [[UInt8]] = [
      [7], [7, 0xFF], good.dropLast(), good + [0], frame(chain, as: 1 - own), frame(chain, as: 9),
      frame(other, as: own), Array(repeating: 7, count: FinalityMessage.bytesMax + 1),
    ]
    for (index, frame) in cases.enumerated() {
      try outsider.sendBad(frame, on: .consensus)
      #expect(try swarm.metric("swarmoracle_messages_refused_total") == index + 1)
    }
    #expect(node.line(containing: "refused a message of agreement") != nil)
    #expect(node.isRunning)
  }

  @Test func `control frames that cannot be decoded are refused and counted`() throws {
    let swarm = try TestSwarm(voters: 2)
    let node = try swarm.start(1)
    defer { node.crash() }
    let outsider = try Outsider(swarm.places[1].key, to: swarm.places[0])
    let hello = GossipMessage.hello(
      .init(version: 1, cluster: swarm.genesis.cluster, swarm: swarm.swarm, progress: [])
    ).encoded
    let cases: [[UInt8]] = [
      [9], [0], [1], hello.dropLast(), hello + [0], Array(repeating: 2, count: 500),
      Array(repeating: 2, count: GossipMessage.bytesMax + 1),
    ]
    for (index, frame) in cases.enumerated() {
      try outsider.sendBad(frame, on: .control)
      #expect(try swarm.metric("swarmoracle_messages_refused_total") == index + 1)
    }
    // What can be decoded but is not for this cluster ends the connection too.
    let foreign = GossipMessage.hello(
      .init(
        version: 1, cluster: ClusterID(digest: .zero), swarm: swarm.swarm, progress: []))
    try outsider.sendBad(foreign.encoded, on: .control)
    #expect(node.line(containing: "belongs to another cluster") != nil)
    #expect(node.isRunning)
  }

  @Test func `requests are answered or refused, never followed into the dark`() throws {
    let swarm = try TestSwarm(voters: 2)
    let node = try swarm.start(1)
    defer { node.crash() }
    _ = try swarm.register("asker")
    let outsider = try Outsider(swarm.places[1].key, to: swarm.places[0])
    let other = SwarmID(named: "other", in: swarm.genesis.cluster)
    let frontier = try #require(try swarm.get("/v1/status")["frontier"]?.object?.first)
    let lane = LaneID(digest: try #require(Digest(hexadecimal: frontier.key)))
    let refused: [[UInt8]] = [
      [0], [9], [9] + Array(repeating: 1, count: 200_000), [1], [1, 2, 3],
      [1] + Array(repeating: 0xFF, count: 2_000), [2], [2] + Array(repeating: 0, count: 2_000),
      [3], [3, 0xFF], [3] + Array(repeating: 0, count: 2_000),
      [3] + SnapshotRequest.offer.encoded + [0],
    ]
    for (index, frame) in refused.enumerated() {
      let answer = try outsider.ask(frame)
      #expect(answer.frames.isEmpty)
      guard case .cancelledByPeer = answer.end else {
        Issue.record("request \(index) ended with \(answer.end)")
        continue
      }
      #expect(try swarm.metric("swarmoracle_requests_refused_total") == index + 1)
    }
    let elsewhere = try outsider.pull(lane, 1...1, in: other)
    #expect(elsewhere.frames.isEmpty && elsewhere.end != .complete)
    for (lane, range) in [
      (lane, 1_000_000...UInt64.max), (lane, UInt64.max...UInt64.max),
      (LaneID(digest: .zero), 1...1),
    ] {
      let answer = try outsider.pull(lane, range, in: swarm.swarm)
      #expect(answer.frames.isEmpty && answer.end == .complete)
    }
    let real = try outsider.pull(lane, 1...UInt64.max, in: swarm.swarm)
    #expect(real.end == .complete)
    #expect(frontier.value.integer == Int64(real.frames.count))
    for frame in real.frames {
      #expect(Verified(checking: try SignedBundle(decoding: frame)) != nil)
    }
    #expect(node.isRunning)
  }

  @Test func `an unknown key is refused, and both sides log whose it was`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    defer { node.crash() }
    let outsider = try Outsider(HostileDoorTests.stranger, to: swarm.places[0])
    try outsider.run("the outsider is refused") {
      outsider.failures.contains {
        if case .refusedByPeer = $0 { true } else { false }
      }
    }
    let unknown = outsider.transport.key.description
    #expect(node.line(containing: "peer refused", unknown) != nil)
    let own = swarm.places[0].key.publicKey.hexadecimal
    #expect(outsider.log.contains { $0.contains("peer refused") && $0.contains(own) })
    #expect(outsider.connectionsMade == 0)
  }

  @Test func `a guest may do nothing but ask to join`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    defer { node.crash() }
    let ticket = try swarm.ticket()
    let guest = try Outsider(ticket.guestKey, to: swarm.places[0])
    let forge = Forge(key: ticket.guestKey, swarm: swarm.swarm)
    let root = try swarm.get("/v1/status")["lanesRoot"]
    try guest.sendBad(forge.bundle([[1]]).encoded, on: .bundles)
    try guest.sendBad([1, 2, 3], on: .control)
    #expect(try swarm.metric("swarmoracle_guest_frames_refused_total") == 2)
    let pulled = try guest.pull(forge.lane, 1...1, in: swarm.swarm)
    #expect(pulled.frames.isEmpty && pulled.end != .complete)
    #expect(try swarm.metric("swarmoracle_requests_refused_total") == 1)
    #expect(guest.control.isEmpty)
    #expect(try swarm.get("/v1/status")["lanesRoot"] == root)
  }
}
