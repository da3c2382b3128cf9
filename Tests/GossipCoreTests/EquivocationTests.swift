import CoreKit
import Crypto
import GossipCore
import Primitives
import Records
import Testing

@Suite struct `Equivocation` {
  /// A lane's two versions of bundle `number`.
  private func fork(_ author: Author) -> (Verified<SignedBundle>, Verified<SignedBundle>, Author) {
    var one = author
    var other = author
    let first = one.write("yes")
    return (first, other.write("no"), one)
  }

  @Test func `two bundles for one place freeze the lane and spread as a proof`() throws {
    var rig = Rig.connected()
    let (yes, no, _) = fork(rig.left)
    #expect(rig.receive(yes, no) == [1])
    let proof = try #require(rig.effects.proofs.first)
    #expect(proof.lane == rig.left.lane && proof.number == 1)
    #expect(rig.gossip.fault(of: rig.left.lane) == .equivocation(proof))
    let spread = rig.effects.sends.filter { $0.message == .proof(proof) }
    #expect(spread.map(\.peer) == [rig.leftPeer, rig.rightPeer])
  }

  @Test func `a frozen lane never moves again`() {
    var rig = Rig.connected()
    let (yes, no, next) = fork(rig.left)
    var author = next
    #expect(rig.receive(yes, no) == [1])
    #expect(rig.receive(author.write()) == [])
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `a proof from a peer freezes the lane before any bundle of it came`() throws {
    var rig = Rig.connected()
    let (yes, no, _) = fork(rig.left)
    let proof = try #require(
      EquivocationProof(checking: yes.value.signedHeader, against: no.value.signedHeader))
    rig.gossip.receive(
      .proof(proof), from: rig.rightPeer, at: Place.moment(1), into: &rig.effects)
    rig.gossip.receive(
      .proof(proof), from: rig.leftPeer, at: Place.moment(2), into: &rig.effects)
    #expect(rig.effects.proofs == [proof])
    #expect(rig.receive(yes) == [])
  }

  @Test func `a stored proof freezes its lane again, though nothing of the lane is stored`() throws
  {
    let maker = Rig()
    let (yes, no, _) = fork(maker.left)
    let proof = try #require(
      EquivocationProof(checking: yes.value.signedHeader, against: no.value.signedHeader))
    var rig = Rig(proofs: [proof])
    #expect(rig.gossip.fault(of: rig.left.lane) == .equivocation(proof))
    rig.connect(rig.leftPeer, rig.left.node)
    #expect(rig.effects.sends.contains { $0.message == .proof(proof) })
    #expect(rig.receive(yes) == [])
  }

  @Test func `what depends on a lane that forks is freed when the lane freezes`() {
    var rig = Rig.connected()
    let (yes, no, next) = fork(rig.left)
    var author = next
    author.write()
    let dependent = rig.right.write(
      context: [author.end], at: HybridTime(milliseconds: Place.wall, counter: 0))
    #expect(rig.receive(yes) == [1])
    #expect(rig.receive(dependent, from: rig.rightPeer) == [])
    #expect(rig.receive(no) == [1], "the dependent is applied as the lane freezes")
    #expect(rig.number(rig.right) == 1)
  }

  @Test func `an older contradiction is completed from the log`() throws {
    var limits = GossipLimits()
    limits.recentHeadersMax = 2
    var rig = Rig.connected(limits: limits)
    let (yes, no, next) = fork(rig.left)
    var author = next
    _ = rig.receive(yes)
    for _ in 0..<3 { _ = rig.receive(author.write()) }
    #expect(rig.receive(no) == [])
    let wanted = try #require(rig.effects.headersWanted.first)
    #expect(wanted.position.number == 1)
    rig.gossip.complete(
      yes.value.signedHeader, against: wanted.conflicting, at: Place.moment(3),
      into: &rig.effects)
    #expect(rig.effects.proofs.count == 1)
  }

  @Test func `another mark at the same number makes the node ask for the other version`() {
    var rig = Rig.connected()
    #expect(rig.receive(rig.left.write()) == [1])
    rig.tell(rig.left.lane, 1, mark: 12_345, from: rig.rightPeer)
    #expect(rig.effects.pulls.map(\.request.last) == [1])
    #expect(rig.effects.pulls.map(\.peer) == [rig.rightPeer])
  }
}
