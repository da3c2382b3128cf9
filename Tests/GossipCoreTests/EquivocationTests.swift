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

  @Test func `a proof against the key of no member is not taken`() throws {
    var rig = Rig.connected()
    let (yes, no, stranger) = fork(Author(9))
    let proof = try #require(
      EquivocationProof(checking: yes.value.signedHeader, against: no.value.signedHeader))
    rig.gossip.receive(
      .proof(proof), from: rig.rightPeer, at: Place.moment(1), into: &rig.effects)
    #expect(rig.effects.proofs.isEmpty && rig.effects.sends.isEmpty)
    #expect(rig.gossip.fault(of: stranger.lane) == nil)
  }

  /// What an author gives one node, so that its lane stands still there and nowhere else.
  enum Bait: CaseIterable {
    case brokenRule
    case unknownContext
    case farFuture

    func write(_ author: inout Author) -> Verified<SignedBundle> {
      switch self {
      case .brokenRule: author.write(at: HybridTime(raw: 1))
      case .unknownContext:
        author.write(
          context: [LanePosition(lane: LaneID(digest: Digest(words: 9, 9, 9, 9)), number: 1)])
      case .farFuture: author.write(at: HybridTime(milliseconds: 1 << 46, counter: 0))
      }
    }
  }

  @Test(arguments: Bait.allCases)
  func `a node that was given a bundle that never becomes due is freed by the others`(
    bait: Bait
  ) throws {
    var rig = Rig.connected()
    _ = rig.receive(rig.left.write())
    var liar = rig.left
    let held = bait.write(&liar)
    let common = rig.left.write("what everybody else was given")
    let honest = rig.right.write(
      context: [rig.left.end], at: HybridTime(milliseconds: Place.wall, counter: 0))
    #expect(rig.receive(held) == [])
    #expect(rig.receive(honest, from: rig.rightPeer) == [])
    rig.tell(rig.left.lane, 2, from: rig.rightPeer)
    let pull = try #require(rig.wait(until: 5_002).first, "the other version is asked for")
    #expect(pull.peer == rig.rightPeer)
    #expect(pull.request.first == 2 && pull.request.last == 2)
    #expect(rig.receive(common, from: rig.rightPeer).contains(1), "the honest lane goes on")
    #expect(rig.number(rig.right) == 1)
    #expect(rig.effects.proofs.map(\.lane) == [rig.left.lane])
    #expect(rig.gossip.brokenInvariant == nil)
  }

  @Test func `two bundles for one place of which neither can be applied are a proof`() {
    var rig = Rig.connected()
    _ = rig.receive(rig.left.write())
    var other = rig.left
    let one = Bait.unknownContext.write(&other)
    let two = Bait.farFuture.write(&rig.left)
    #expect(rig.receive(one, two) == [])
    #expect(rig.effects.proofs.map(\.number) == [2])
    #expect(rig.gossip.brokenInvariant == nil)
  }
}
