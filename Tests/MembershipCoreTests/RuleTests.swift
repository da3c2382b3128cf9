import CoreKit
import MembershipCore
import Primitives
import Records
import Testing
import Wire

/// One core, and what it asks for.
struct Solo {
  static let me = NodeID(key: Digest(words: 100, 0, 0, 100))
  var core: Membership
  var effects = MembershipEffects()
  var now = Instant(nanoseconds: 5_000_000_000)

  /// A node among `peers`, all connected; durable up to `durable`, or mute when it is 0.
  init(peers: Int, persisted: UInt64 = 0, durable: UInt64 = 64, heard: Bool = true) {
    core = Membership(
      node: Solo.me, attributes: Place.attributes(Solo.me), persistedIncarnation: persisted,
      seed: 1)
    let nodes = (0..<peers).map(Solo.peer)
    step(
      .setMembers(nodes.map { KnownMember(node: $0, attributes: Place.attributes($0)) }))
    for node in nodes { step(.connected(node)) }
    if durable > 0 { step(.incarnationPersisted(durable)) }
    if heard { for place in 0..<peers { hear(place) } }
    effects.removeAll()
  }

  static func peer(_ place: Int) -> NodeID {
    NodeID(key: Digest(words: UInt64(place) * 50 + 10, 0, 0, UInt64(place)))
  }

  mutating func step(_ event: MembershipEvent) {
    core.handle(event, at: Moment(instant: now, wallMilliseconds: 0), into: &effects)
    #expect(core.brokenInvariant == nil)
  }

  /// Lets time pass, doing what is due.
  mutating func wait(_ span: TimeSpan) {
    let end = now + span
    while let due = core.nextDeadline, due <= end {
      now = max(now, due)
      step(.deadline)
    }
    now = end
  }

  mutating func hear(_ place: Int, incarnation: UInt64 = 1) {
    let node = Solo.peer(place)
    receive(
      .news, from: place, incarnation: incarnation,
      [
        MembershipUpdate(
          node: node, incarnation: incarnation, claim: .alive(Place.attributes(node)))
      ])
  }

  mutating func receive(
    _ body: MembershipMessage.Body, from place: Int, incarnation: UInt64 = 1,
    _ updates: [MembershipUpdate] = [], over channel: MembershipChannel = .datagram
  ) {
    let message = MembershipMessage(
      incarnation: incarnation, load: 0, body: body, updates: updates)
    step(.received(message, from: Solo.peer(place), over: channel))
  }

  func state(_ place: Int) -> MemberState? { core.member(Solo.peer(place))?.state }

  func sent(to place: Int) -> [MembershipMessage] {
    effects.sends.filter { $0.node == Solo.peer(place) }.map(\.message)
  }

  static func claim(
    _ place: Int, _ incarnation: UInt64, _ claim: MembershipUpdate.Claim
  ) -> MembershipUpdate {
    MembershipUpdate(node: peer(place), incarnation: incarnation, claim: claim)
  }

  static func ofMe(_ incarnation: UInt64, _ claim: MembershipUpdate.Claim) -> MembershipUpdate {
    MembershipUpdate(node: me, incarnation: incarnation, claim: claim)
  }
}

@Suite struct `Rules of one member` {
  @Test func `nothing is said before the first incarnation is durable`() {
    var solo = Solo(peers: 3, persisted: 40, durable: 0, heard: false)
    solo.receive(.ping(sequence: 3, target: Solo.me, incarnation: 0), from: 0)
    solo.wait(.seconds(5))
    #expect(solo.effects.sends.isEmpty)
    #expect(solo.core.own.state == .down && solo.core.nextDeadline == nil)
    #expect(solo.core.present == [Solo.peer(0)])
    solo.step(.incarnationPersisted(40))
    #expect(solo.effects.sends.isEmpty)
    solo.step(.incarnationPersisted(57))
    #expect(solo.core.own.incarnation == 41)
    #expect(solo.effects.sends.count == 3)
    #expect(solo.effects.sends.allSatisfy { $0.message.incarnation == 41 })
  }

  @Test func `incarnations are reserved in blocks, and a refutation beyond waits for the disk`() {
    var solo = Solo(peers: 3, persisted: 0, durable: 0, heard: false)
    solo.step(.setLoad(1))
    var fresh = Membership(
      node: Solo.me, attributes: Place.attributes(Solo.me), persistedIncarnation: 0, seed: 1)
    var effects = MembershipEffects()
    fresh.handle(.setLoad(1), at: Moment(instant: .origin, wallMilliseconds: 0), into: &effects)
    #expect(effects.persistIncarnation == 17)
    solo.step(.incarnationPersisted(17))
    solo.hear(0)
    solo.effects.removeAll()
    solo.receive(.news, from: 0, [Solo.ofMe(1, .suspect(by: Solo.peer(1)))])
    #expect(solo.core.own.incarnation == 2)
    // A claim far ahead: not before it is durable.
    solo.receive(.news, from: 0, [Solo.ofMe(1_000, .down)])
    #expect(solo.core.own.incarnation == 2)
    #expect(solo.effects.persistIncarnation == 1_017)
    solo.wait(.seconds(1))
    #expect(solo.effects.sends.allSatisfy { $0.message.incarnation <= 17 })
    solo.step(.incarnationPersisted(1_017))
    #expect(solo.core.own.incarnation == 1_001)
    #expect(solo.core.counters.refutations == 2)
  }

  @Test func `a question is answered, and brings what the asker does not know`() {
    var solo = Solo(peers: 2)
    solo.receive(.ping(sequence: 9, target: Solo.me, incarnation: 1), from: 0)
    #expect(solo.sent(to: 0).map(\.body) == [.ack(sequence: 9, target: Solo.me)])
    solo.effects.removeAll()
    solo.receive(.ping(sequence: 10, target: Solo.me, incarnation: 0), from: 0)
    let own = Solo.ofMe(1, .alive(Place.attributes(Solo.me)))
    #expect(solo.sent(to: 0).first?.updates.contains(own) == true)
  }

  @Test func `a question for somebody else is refused as such`() {
    var solo = Solo(peers: 2)
    solo.receive(.ping(sequence: 9, target: Solo.peer(1), incarnation: 1), from: 0)
    #expect(
      solo.sent(to: 0).map(\.body) == [.nack(sequence: 9, reason: .wrongDestination)])
    #expect(solo.core.counters.misdirected == 1)
  }

  @Test func `a helper asks, passes the answer on, and refuses when none comes`() {
    var solo = Solo(peers: 3)
    func request(_ sequence: UInt64) -> MembershipMessage.Body {
      .pingRequest(
        sequence: sequence, target: Solo.peer(1), incarnation: 1, waitMilliseconds: 60)
    }
    solo.receive(request(70), from: 0)
    guard case .ping(let own, _, _) = solo.sent(to: 1).first?.body else {
      Issue.record("nobody was asked")
      return
    }
    solo.receive(.ack(sequence: own, target: Solo.peer(1)), from: 1)
    #expect(solo.sent(to: 0).map(\.body) == [.ack(sequence: 70, target: Solo.peer(1))])
    solo.effects.removeAll()
    solo.receive(request(71), from: 0)
    solo.wait(.milliseconds(61))
    #expect(solo.sent(to: 0).map(\.body).contains(.nack(sequence: 71, reason: .noAnswer)))
    solo.step(.disconnected(Solo.peer(1)))
    solo.receive(request(72), from: 0)
    #expect(solo.sent(to: 0).map(\.body).contains(.nack(sequence: 72, reason: .unreachable)))
  }

  @Test func `helpers' work is bounded`() {
    var solo = Solo(peers: 3)
    for sequence in 1...(UInt64(solo.core.limits.relaysMax) + 5) {
      solo.receive(
        .pingRequest(
          sequence: sequence, target: Solo.peer(1), incarnation: 1, waitMilliseconds: .max),
        from: 0)
    }
    #expect(solo.core.counters.overflows == 5)
  }

  @Test func `records only rise, whatever the order of news`() {
    let claims: [MembershipUpdate.Claim] = [
      .alive(Place.attributes(Solo.peer(1))), .suspect(by: Solo.peer(2)), .down, .left,
    ]
    var random = Xoshiro256(seed: 8, purpose: "orders")
    var updates: [MembershipUpdate] = []
    for incarnation in UInt64(1)...3 {
      for claim in claims { updates.append(Solo.claim(1, incarnation, claim)) }
    }
    var ends: Set<MemberState> = []
    for _ in 0..<50 {
      random.shuffle(&updates)
      var solo = Solo(peers: 3)
      var last = (UInt64(0), UInt8(0))
      for update in updates {
        solo.receive(.news, from: 0, [update])
        guard let member = solo.core.member(Solo.peer(1)) else { continue }
        let here = (member.incarnation, member.state.rawValue)
        #expect(here >= last)
        last = here
      }
      ends.insert(solo.state(1) ?? .removed)
      #expect(last.0 == 3)
    }
    #expect(ends == [.left])
  }

  @Test func `who is not listed is not heard, and not spoken of`() {
    var solo = Solo(peers: 2)
    solo.receive(.ping(sequence: 1, target: Solo.me, incarnation: 0), from: 7)
    solo.receive(
      .news, from: 0, [Solo.claim(8, 1, .down), Solo.claim(1, 1, .suspect(by: Solo.peer(9)))])
    #expect(solo.core.counters.strangers == 3)
    #expect(solo.effects.sends.isEmpty)
    #expect(solo.state(1) == .alive && solo.core.members.count == 3)
    // Unlisted members are forgotten, and a listed one starts as down.
    let known = [Solo.peer(0), Solo.peer(8)].map {
      KnownMember(node: $0, attributes: Place.attributes($0))
    }
    solo.step(.setMembers(known))
    #expect(solo.state(1) == nil && solo.state(8) == .down && solo.state(0) == .alive)
    #expect(solo.core.present == [Solo.peer(0), Solo.me].sorted())
  }

  @Test func `removed is final`() {
    var solo = Solo(peers: 3)
    solo.step(.removed(Solo.peer(1)))
    #expect(solo.state(1) == .removed)
    solo.effects.removeAll()
    solo.hear(1, incarnation: 9)
    solo.receive(.ping(sequence: 1, target: Solo.me, incarnation: 0), from: 1)
    solo.receive(.news, from: 0, [Solo.claim(1, 50, .down)])
    solo.step(
      .setMembers(
        (0..<3).map {
          KnownMember(node: Solo.peer($0), attributes: Place.attributes(Solo.peer($0)))
        }))
    solo.step(.crashHint(Solo.peer(1)))
    solo.step(.disconnected(Solo.peer(1)))
    solo.step(.connected(Solo.peer(1)))
    solo.wait(.seconds(30))
    #expect(solo.state(1) == .removed)
    #expect(solo.sent(to: 1).isEmpty)
    for send in solo.effects.sends {
      #expect(!send.message.updates.contains { $0.node == Solo.peer(1) })
    }
  }

  @Test func `word that a member is down is a suspicion first, and believed when ripe`() {
    for body in [MembershipMessage.Body.exchange(wantsReply: false), .news] {
      var solo = Solo(peers: 4)
      solo.receive(body, from: 0, [Solo.claim(1, 1, .down)])
      #expect(solo.state(1) == .suspect)
      solo.wait(.milliseconds(399))
      solo.receive(body, from: 0, [Solo.claim(1, 1, .down)])
      #expect(solo.state(1) == .suspect)
      solo.wait(.milliseconds(1))
      // A later incarnation has had no time to object.
      solo.receive(body, from: 0, [Solo.claim(1, 2, .down)])
      #expect(solo.state(1) == .suspect)
      solo.wait(.milliseconds(400))
      solo.receive(body, from: 3, [Solo.claim(1, 2, .down)])
      #expect(solo.state(1) == .down)
      // Who is down already has nothing to lose.
      solo.receive(body, from: 3, [Solo.claim(1, 4, .down)])
      #expect(solo.state(1) == .down && solo.core.member(Solo.peer(1))?.incarnation == 4)
    }
  }

  @Test func `news that nobody can be told wakes nobody`() {
    var solo = Solo(peers: 2)
    solo.step(.crashHint(Solo.peer(0)))
    solo.step(.crashHint(Solo.peer(1)))
    for place in 0..<2 { solo.step(.disconnected(Solo.peer(place))) }
    solo.wait(.seconds(5))
    #expect(solo.state(0) == .down && solo.state(1) == .down)
    var wakes = 0
    let end = solo.now + .seconds(60)
    while let due = solo.core.nextDeadline, due <= end {
      solo.now = due
      solo.step(.deadline)
      wakes += 1
    }
    #expect(wakes <= 7)
  }

  @Test func `a suspicion lasts longest without confirmations and shortest with two`() {
    func length(_ accusers: Int) -> UInt64 {
      var solo = Solo(peers: 6)
      let start = solo.now
      for accuser in 0..<accusers {
        solo.receive(.news, from: 0, [Solo.claim(5, 1, .suspect(by: Solo.peer(accuser)))])
      }
      // Without deadlines but its own: nobody else is probed away meanwhile.
      while solo.state(5) == .suspect, solo.now.since(start) < .seconds(20) {
        solo.now = solo.now + .milliseconds(20)
        for place in 0..<5 {
          solo.receive(.news, from: place)
        }
        answer(&solo)
        solo.step(.deadline)
      }
      return solo.now.since(start).nanoseconds / 1_000_000
    }
    func answer(_ solo: inout Solo) {
      let sends = solo.effects.sends
      solo.effects.removeAll()
      for send in sends where send.node != Solo.peer(5) {
        guard let place = Place.number(of: send.node) else { continue }
        switch send.message.body {
        case .ping(let sequence, let target, _):
          solo.receive(.ack(sequence: sequence, target: target), from: place)
        case .pingRequest(let sequence, _, _, _):
          solo.receive(.nack(sequence: sequence, reason: .noAnswer), from: place)
        case .ack, .nack, .news, .exchange: break
        }
      }
    }
    // 4 * log10(10) * 200 ms, when two confirm; alone, this node's own failed probe is one.
    #expect((800...860).contains(length(3)))
    let alone = length(1)
    #expect(alone > 2_000 && alone < 3_000)
  }

  @Test func `hostile numbers do not trap`() {
    var solo = Solo(peers: 3)
    let top = MembershipUpdate.incarnationMax
    solo.receive(.news, from: 0, incarnation: top, [Solo.claim(0, top, .down)])
    solo.receive(
      .news, from: 1, incarnation: 1,
      [
        Solo.ofMe(top, .down), Solo.ofMe(top, .alive(Place.attributes(Solo.me))),
        Solo.claim(2, top, .left), Solo.claim(2, 1 << 32, .left),
      ])
    #expect(solo.core.own.incarnation == 1)
    #expect(solo.core.counters.implausible == 3)
    for sequence in [0, 1, UInt64.max] {
      solo.receive(.ack(sequence: sequence, target: Solo.peer(2)), from: 0)
      solo.receive(.nack(sequence: sequence, reason: .wrongDestination), from: 0)
      solo.receive(.ping(sequence: sequence, target: Solo.me, incarnation: top), from: 1)
      solo.receive(
        .pingRequest(
          sequence: sequence, target: Solo.me, incarnation: top, waitMilliseconds: 0), from: 1)
      solo.receive(
        .pingRequest(
          sequence: sequence, target: Solo.peer(2), incarnation: top, waitMilliseconds: .max),
        from: 1)
    }
    solo.wait(.seconds(60))
    solo.now = Instant(nanoseconds: .max - 5)
    solo.step(.deadline)
    solo.step(.deadline)
  }

  @Test func `the longest texts still fit a datagram, whatever is said`() throws {
    let long = try #require(
      MemberAttributes(
        address: String(repeating: "a", count: 128), apiAddress: String(repeating: "b", count: 256),
        region: String(repeating: "c", count: 32), zone: String(repeating: "d", count: 32),
        role: .edge, protocolVersion: 1))
    var solo = Solo(peers: 12)
    solo.step(.setAttributes(long))
    for place in 0..<12 {
      let incarnation = (UInt64(1) << 61) + UInt64(place)
      solo.receive(
        .news, from: place, incarnation: incarnation,
        [Solo.claim(place, incarnation, .alive(long))])
      // It seems to have gone back in time: the answer holds its record and this node's.
      solo.receive(
        .ping(sequence: .max, target: Solo.me, incarnation: 0), from: place, incarnation: 1)
    }
    solo.wait(.seconds(5))
    let sizes = solo.effects.sends.filter { $0.channel == .datagram }.map(\.message.encoded.count)
    #expect(sizes.max() ?? 0 <= MembershipMessage.datagramBytesMax)
    #expect(sizes.max() ?? 0 > 1_000)
  }

  @Test func `five hundred and twelve members fit, and their state fits a frame`() throws {
    var solo = Solo(peers: 513)
    #expect(solo.core.members.count == 513)
    #expect(solo.core.counters.overflows > 0)
    #expect(solo.core.probePeriod == .seconds(1))
    solo.receive(.exchange(wantsReply: true), from: 0)
    let reply = try #require(
      solo.sent(to: 0).first { $0.body == .exchange(wantsReply: false) })
    #expect(reply.updates.count == 513)
    #expect(reply.encoded.count <= MembershipMessage.bytesMax)
    // Asked again at once, it does not answer with so much.
    solo.effects.removeAll()
    solo.receive(.exchange(wantsReply: true), from: 0)
    #expect(solo.effects.sends.isEmpty)
  }

  @Test func `down members are spoken to ever more rarely and for ever`() {
    var solo = Solo(peers: 1)
    solo.step(.crashHint(Solo.peer(0)))
    while solo.state(0) == .suspect, let due = solo.core.nextDeadline {
      solo.now = due
      solo.step(.deadline)
    }
    #expect(solo.state(0) == .down)
    solo.effects.removeAll()
    var gaps: [UInt64] = []
    var last = solo.now
    while gaps.count < 40, let due = solo.core.nextDeadline {
      solo.now = due
      solo.step(.deadline)
      if solo.effects.sends.contains(where: { $0.node == Solo.peer(0) }) {
        gaps.append(due.since(last).nanoseconds / 1_000_000)
        last = due
      }
      solo.effects.removeAll()
    }
    #expect(gaps[0] <= 1_000 && gaps[2] > gaps[0] && gaps[4] > gaps[2])
    // The exchange with nobody and the announcements are all that is left.
    #expect(gaps.suffix(20).allSatisfy { (6_000...8_000).contains($0) })
  }

  @Test func `after good-bye nothing is said`() {
    var solo = Solo(peers: 3)
    solo.step(.leave)
    #expect(solo.effects.sends.count == 3)
    #expect(solo.effects.sends.allSatisfy { $0.channel == .reliable })
    #expect(solo.effects.sends.allSatisfy { $0.message.updates == [Solo.ofMe(1, .left)] })
    solo.effects.removeAll()
    solo.receive(.ping(sequence: 1, target: Solo.me, incarnation: 1), from: 0)
    solo.receive(.news, from: 0, [Solo.ofMe(1, .down)])
    #expect(solo.effects.sends.isEmpty && solo.core.nextDeadline == nil)
    #expect(solo.core.own.state == .left)
  }
}
