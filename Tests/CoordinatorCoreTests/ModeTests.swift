import CoordinatorCore
import CoreKit
import Primitives
import Records
import Testing

@Suite struct `How own bundles spread` {
  private func rig(_ members: [CoordinatorMember]) -> Rig {
    var rig = Rig(members[0].node)
    rig.see(members, at: 0)
    return rig
  }

  @Test func `directly while that fits the budget, through relays when it does not`() {
    let members = someMembers(11, seed: 31)
    var rig = rig(members)
    rig.give(.demand(bytesPerSecond: 4_000_000), at: 10)
    #expect(rig.core.mode == .direct)
    #expect(rig.core.routes == .direct)
    rig.give(.demand(bytesPerSecond: 4_000_001), at: 20)
    #expect(rig.core.mode == .relays)
    #expect(rig.effects.routes?.own?.count == 3)
    #expect(rig.announcements.count == 10)
    #expect(rig.announcements.values.allSatisfy { $0 == .relays })
    #expect(rig.core.brokenInvariant == nil)
  }

  @Test func `back only after a calm while`() {
    let members = someMembers(11, seed: 32)
    var rig = rig(members)
    rig.give(.demand(bytesPerSecond: 5_000_000), at: 0)
    rig.give(.demand(bytesPerSecond: 3_500_000), at: 1_000)
    rig.give(.demand(bytesPerSecond: 3_500_000), at: 20_000)
    #expect(rig.core.mode == .relays, "within the budget is not yet well within it")
    rig.give(.demand(bytesPerSecond: 3_000_000), at: 30_000)
    rig.give(.demand(bytesPerSecond: 3_000_001), at: 34_000)
    rig.give(.demand(bytesPerSecond: 3_000_000), at: 35_000)
    rig.give(.demand(bytesPerSecond: 3_000_000), at: 39_999)
    #expect(rig.core.mode == .relays)
    rig.give(.deadline, at: 40_000)
    #expect(rig.core.mode == .direct)
    #expect(rig.announcements.values.allSatisfy { $0 == .direct })
    #expect(rig.announcements.count == 10)
    #expect(rig.effects.routes == .direct)
    #expect(rig.core.counters.modeChanges == 2)
  }

  @Test func `a demand beyond all numbers does not overflow`() {
    var rig = rig(someMembers(3, seed: 33))
    rig.give(.demand(bytesPerSecond: .max), at: 0)
    #expect(rig.core.mode == .relays)
    var settings = CoordinatorSettings()
    settings.egressBytesPerSecond = .max
    settings.calmPeriod = .zero
    rig.give(.settings(settings), at: 1)
    #expect(rig.core.mode == .relays, "two times the largest number is more than it")
    rig.give(.demand(bytesPerSecond: 0), at: 2)
    #expect(rig.core.mode == .direct)
  }

  @Test func `through gateways as soon as members name regions`() {
    let nodes = someNodes(8, seed: 34)
    let members = nodes.enumerated().map { place, node in
      CoordinatorMember(node: node, region: place < 4 ? "eu" : "us")
    }
    var rig = rig(members)
    #expect(rig.core.mode == .gateways)
    #expect(rig.core.routes.own?.count == 4)
    rig.see(Array(members.prefix(4)), at: 10)
    #expect(rig.core.mode == .direct)
  }

  @Test func `a duty holds while its origin says so`() throws {
    let members = someMembers(30, seed: 35)
    let origin = members[7].node
    let plan = DisseminationPlan.make(origin: origin, members: members, mode: .relays)
    var rig = Rig(plan.branches[0].node)
    rig.see(members, at: 0)
    rig.give(.received(.dissemination(.relays), from: origin), at: 10)
    #expect(rig.core.routes.duties[origin]?.children == plan.branches[0].children)
    #expect(rig.core.routes.own == nil)
    #expect(rig.core.nextDeadline == instant(1_500))
    rig.give(.received(.dissemination(.relays), from: origin), at: 5_000)
    #expect(rig.effects.routes == nil, "nothing changed")
    rig.give(.deadline, at: 13_999)
    #expect(rig.core.routes.duties[origin] != nil)
    rig.give(.deadline, at: 14_000)
    #expect(rig.effects.routes == .direct)
    rig.give(.received(.dissemination(.relays), from: origin), at: 15_000)
    rig.give(.received(.dissemination(.direct), from: origin), at: 15_001)
    #expect(rig.core.routes == .direct)
  }

  @Test func `a duty ends with its origin, and strangers give none`() {
    let members = someMembers(30, seed: 36)
    let origin = members[7].node
    let plan = DisseminationPlan.make(origin: origin, members: members, mode: .relays)
    var rig = Rig(plan.branches[0].node)
    rig.see(members, at: 0)
    rig.give(.received(.dissemination(.relays), from: someNodes(1, seed: 99)[0]), at: 10)
    #expect(rig.core.routes == .direct)
    rig.give(.received(.dissemination(.relays), from: origin), at: 10)
    rig.see(members.filter { $0.node != origin }, at: 20)
    #expect(rig.core.routes == .direct)
    #expect(rig.core.brokenInvariant == nil)
  }

  @Test func `newcomers are told, and everybody again from time to time`() {
    let members = someMembers(12, seed: 37)
    var rig = rig(Array(members.dropLast()))
    rig.give(.demand(bytesPerSecond: 50_000_000), at: 0)
    rig.see(members, at: 100)
    #expect(rig.announcements == [members[11].node: .relays])
    rig.give(.deadline, at: 2_999)
    #expect(rig.announcements.isEmpty)
    rig.give(.deadline, at: 3_000)
    #expect(rig.announcements.count == 11)
  }
}
