internal import BFTCore
internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

extension FinalityWorld {
  /// The crash that is planned for a node's present step.
  func plan(_ host: Int, _ point: CrashPoint) -> FinalitySetup.PlannedCrash? {
    setup.crashes.first {
      $0.host == host && $0.point == point && $0.step == hosts[host].steps
    }
  }

  /// Crashes a node when that is planned for its present step.
  mutating func plannedCrash(_ host: Int, _ point: CrashPoint) -> Bool {
    guard let plan = plan(host, point) else { return false }
    strike(host, plan)
    return true
  }

  /// Carries a planned crash out.
  mutating func strike(_ host: Int, _ plan: FinalitySetup.PlannedCrash) {
    if plan.torn > 0 { hosts[host].disk.tear(keeping: plan.torn) }
    crash(host, losingUnsynced: plan.point == .beforeJournal)
    heap.push(.restart(host), at: now + plan.downFor)
    guard plan.isEverybodys else { return }
    for other in hosts.indices where other != host && hosts[other].isRunning {
      crash(other, losingUnsynced: false)
      heap.push(.restart(other), at: now + plan.downFor)
    }
  }

  /// Crashes before calm, of whichever honest node, each for a while.
  mutating func scheduleRandomCrashes() {
    let calm = setup.network.calm
    guard setup.randomCrashes > 0, calm > now else { return }
    for _ in 0..<setup.randomCrashes {
      let host = random.next(below: hosts.count)
      let start = now + TimeSpan(nanoseconds: random.next(below: calm.since(now).nanoseconds))
      heap.push(.action(.crash(host)), at: start)
      let down = TimeSpan(nanoseconds: random.next(below: 400_000_000))
      heap.push(.action(.restart(host)), at: min(start + down, calm))
    }
  }

  /// Does to a node what the setup says.
  mutating func act(_ action: FinalitySetup.Action) {
    switch action {
    case .crash(let host): crash(host, losingUnsynced: false)
    case .restart(let host):
      if !hosts[host].isRunning { start(host) }
    case .wipe(let host):
      crash(host, losingUnsynced: false)
      hosts[host].disk.wipe()
      hosts[host].isWiped = true
    case .loseLedger(let host):
      crash(host, losingUnsynced: false)
      hosts[host].application.loseLedger()
      observer.lostLedger(host)
    case .corrupt(let host):
      hosts[host].application.corruptFrom = hosts[host].application.height + 1
    case .flood(let host, let count): flood(from: host, count: count)
    }
  }

  private mutating func flood(from host: Int, count: Int) {
    guard let signer = genesis.index(of: hosts[host].node) else { return }
    for _ in 0..<count {
      let view = 10 + random.next(below: UInt64(1) << 40)
      let statement = Statement(
        kind: .nullify, chain: chain, epoch: 1, view: view, hash: .zero)
      let vote = Vote(signing: statement, as: UInt16(signer), with: hosts[host].key)
      for peer in hosts.indices where peer != host {
        transmit(.vote(vote), from: host, to: peer)
      }
    }
  }
}
