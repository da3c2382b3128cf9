import CoreKit
import Crypto
import GossipCore
import MembershipCore
import NodeCore
import Primitives
import Records
import Testing

/// One node that talks to nobody.
private struct Lonely {
  var machine: NodeMachine
  var effects = NodeEffects()

  init(voters: Int = 1) throws {
    let keys = (0..<voters).map { SigningKey(seed: Digest(words: UInt64($0), 1, 1, 1)) }
    let cluster = ClusterID(digest: .zero)
    let attributes = try #require(
      MemberAttributes(
        address: "", apiAddress: "", region: "", zone: "", role: .voter, protocolVersion: 1))
    let control = ControlPlaneConfiguration(
      node: NodeID(key: keys[0].publicKey), cluster: cluster,
      founders: keys.map { NodeID(key: $0.publicKey) }, attributes: attributes, seed: 1)
    var configuration = NodeCoreConfiguration(
      key: keys[0], epoch: Identifier(high: 1, low: 1),
      swarm: SwarmID(named: "tests", in: cluster), control: control, seed: 1)
    configuration.waitersMax = 4
    machine = try NodeMachine(
      configuration, recovery: NodeRecovery(),
      at: Moment(instant: .origin, wallMilliseconds: 1_700_000_000_000))
  }

  mutating func handle(_ event: NodeEvent, at milliseconds: UInt64) {
    let now = Moment(
      instant: .origin + .milliseconds(milliseconds),
      wallMilliseconds: 1_700_000_000_000 + milliseconds)
    machine.handle(event, at: now, into: &effects)
  }

  mutating func submit(_ write: UInt64, level: WriteLevel = .local, deadline: UInt64) {
    handle(
      .submit(
        WriteID(write), operations: [[1, 2, 3]], level: level,
        deadline: .origin + .milliseconds(deadline)),
      at: 0)
  }

  /// What writes came to, in the order in which they were reported.
  var outcomes: [(UInt64, WriteOutcome)] {
    effects.notices.compactMap { notice in
      switch notice {
      case .write(let write, let outcome): (write.value, outcome)
      case .membersChanged, .laneForked, .ownLaneAhead: nil
      }
    }
  }
}

@Suite struct `The node's core` {
  @Test func `a write is local when its batch is durable and not before`() throws {
    var node = try Lonely()
    node.submit(1, deadline: 1_000)
    node.handle(.turnEnded, at: 1)
    let batch = try #require(node.effects.batch)
    #expect(batch.bundles.count == 1 && batch.sequence == 1)
    #expect(node.outcomes.isEmpty)
    node.handle(.durable(through: 1), at: 2)
    #expect(node.outcomes.map(\.0) == [1])
  }

  @Test func `writes of one turn share a bundle, and later ones wait for the disk`() throws {
    var node = try Lonely()
    node.submit(1, deadline: 1_000)
    node.submit(2, deadline: 1_000)
    node.handle(.turnEnded, at: 1)
    #expect(try #require(node.effects.batch).bundles.map(\.operations.count) == [2])
    node.effects.removeAll()
    node.submit(3, deadline: 1_000)
    node.handle(.turnEnded, at: 2)
    #expect(node.effects.batch == nil)
    node.handle(.durable(through: 1), at: 3)
    node.handle(.turnEnded, at: 3)
    #expect(try #require(node.effects.batch).sequence == 2)
  }

  @Test func `a write still queued at its deadline is refused and never written`() throws {
    var node = try Lonely()
    node.submit(1, deadline: 5_000)
    node.handle(.turnEnded, at: 1)
    node.effects.removeAll()
    node.submit(2, deadline: 50)
    node.handle(.turnEnded, at: 2)
    #expect(node.machine.nextDeadline.map { $0 <= .origin + .milliseconds(50) } == true)
    node.handle(.deadline, at: 50)
    #expect(node.outcomes.map(\.0) == [2])
    #expect(node.outcomes.map(\.1) == [.overloaded])
    node.handle(.durable(through: 1), at: 60)
    node.handle(.turnEnded, at: 60)
    #expect(node.effects.batch == nil)
    #expect(node.machine.brokenInvariant == nil)
  }

  @Test func `a quorum that cannot be reached is undecided at the deadline`() throws {
    var node = try Lonely(voters: 3)
    node.submit(1, level: .quorum, deadline: 100)
    node.handle(.turnEnded, at: 1)
    node.handle(.durable(through: 1), at: 2)
    node.handle(.deadline, at: 99)
    #expect(node.outcomes.isEmpty)
    node.handle(.deadline, at: 100)
    guard case .undecided(.local, let operations)? = node.outcomes.first?.1 else {
      Issue.record("\(node.outcomes) is not undecided")
      return
    }
    #expect(operations.count == 1)
  }

  @Test func `writes beyond the bound are refused at once`() throws {
    var node = try Lonely()
    for write in 1...6 as ClosedRange<UInt64> { node.submit(write, deadline: 1_000) }
    #expect(node.outcomes.map(\.0) == [5, 6])
  }

  @Test func `a node whose own lane is proven to fork writes no more`() throws {
    var node = try Lonely()
    node.submit(1, deadline: 5_000)
    node.handle(.turnEnded, at: 1)
    node.handle(.durable(through: 1), at: 2)
    let own = try #require(node.effects.batch?.bundles.first)
    let key = SigningKey(seed: Digest(words: 0, 1, 1, 1))
    let operations = [Array("another".utf8)]
    let header = BundleHeader(
      node: own.header.node, epoch: own.header.epoch, swarm: own.header.swarm, number: 1,
      firstSequence: 1, operationCount: 1, firstTime: own.header.firstTime, context: [],
      operationsRoot: SignedBundle.operationsRoot(of: operations), previous: .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
    let other = SignedBundle(
      signedHeader: SignedHeader(signing: header, with: key), operations: operations)
    node.effects.removeAll()
    node.handle(
      .bundles([Verified(own: other, signedWith: key)], from: PeerIndex(0), .pushed), at: 3)
    node.handle(.turnEnded, at: 3)
    #expect(node.effects.batch?.proofs.count == 1)
    node.effects.removeAll()
    node.submit(2, deadline: 100)
    node.handle(.turnEnded, at: 4)
    #expect(node.effects.batch == nil)
    node.handle(.deadline, at: 100)
    #expect(node.outcomes.map(\.1) == [.overloaded])
  }

  @Test func `an operation too large for any peer stops the process`() async {
    await #expect(processExitsWith: .failure) {
      var node = try Lonely()
      node.handle(
        .submit(
          WriteID(1),
          operations: [[UInt8](repeating: 0, count: BundleLimits.operationBytesMax + 1)],
          level: .local, deadline: .origin),
        at: 0)
    }
  }
}
