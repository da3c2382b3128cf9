internal import BFTCore
internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

/// A chain's nodes in virtual time.
///
/// One seed is one run: events are ordered by time and making, every draw is of one generator, and
/// nothing reads a clock. Signatures are real; what one node checked is remembered for all.
package struct FinalityWorld<Engine: FinalityEngine>: Sendable {
  var setup: FinalitySetup
  let chain: ChainID
  let genesis: ValidatorSet
  var hosts: [FinalityHost<Engine>] = []
  var heap = EventHeap<Happening>()
  var random: Xoshiro256
  var door: FinalityDoor
  var observer: FinalityObserver
  var now = Instant.origin + .seconds(1)
  var effects = BFTEffects()
  var trace: UInt64 = 0xcbf2_9ce4_8422_2325
  var events = 0
  var slowest: UInt64 = 0
  var lastChecked: (message: FinalityMessage, verified: Verified<FinalityMessage>?)?
  var loudest: Instant?
  var calmHeights: [UInt64]?

  /// The keys of validators in the order of their places.
  static var keys: [SigningKey] { FinalityKeys.sorted }

  /// Makes the world of a seed.
  package init(_ setup: FinalitySetup, seed: UInt64) {
    precondition(setup.validators <= FinalityKeys.sorted.count, "\(setup.validators) validators")
    self.setup = setup
    random = Xoshiro256(seed: seed, purpose: "finality")
    chain = ChainID(
      digest: Digest(words: seed, random.next(), random.next(), random.next()))
    let nodes = FinalityKeys.sorted.prefix(setup.validators).map { NodeID(key: $0.publicKey) }
    let sets = setup.epochs.isEmpty ? [nodes] : setup.epochs.map { $0.map { nodes[$0] } }
    let validatorSets = sets.compactMap { ValidatorSet($0) }
    precondition(validatorSets.count == sets.count, "an epoch names a validator twice")
    genesis = validatorSets[0]
    door = FinalityDoor(chain: chain, planted: setup.bug)
    door.learn(genesis, epoch: 1)
    let liars = Set(setup.liars.map(\.index) + setup.twins)
    observer = FinalityObserver(
      chain: chain, genesis: genesis,
      honest: nodes.indices.filter { !liars.contains($0) }.map { nodes[$0] },
      hosts: setup.validators + setup.twins.count)
    observer.trustsSignatures = !setup.hasForgers
    for index in 0..<setup.validators + setup.twins.count {
      let validator =
        index < setup.validators ? index : setup.twins[index - setup.validators]
      var host = FinalityHost<Engine>(
        index: index, key: FinalityKeys.sorted[validator], isHonest: !liars.contains(validator),
        application: StandInApplication(
          chain: chain, epochLength: setup.epochLength, sets: validatorSets),
        lastFinal: now)
      if let kind = setup.liars.first(where: { $0.index == index })?.kind {
        host.liar = AdversaryState(
          kind: kind, key: host.key, random: Xoshiro256(seed: random.next()),
          nodes: setup.validators, victim: setup.victim)
      }
      if index < setup.clockErrors.count { host.clockError = setup.clockErrors[index] }
      hosts.append(host)
    }
  }

  /// Runs until a rule is broken, every honest node reached the goal, or patience is over.
  package mutating func run() -> FinalityRun {
    begin()
    return runToGoal()
  }

  /// Starts every node.
  mutating func begin() {
    for host in hosts.indices { start(host) }
    heap.push(.bundle(1), at: now)
    for (instant, action) in setup.actions { heap.push(.action(action), at: instant) }
    scheduleRandomCrashes()
  }

  /// Runs until a rule is broken, some node is beyond a view, or the instant has come; tells
  /// whether a node is beyond the view.
  mutating func advance(beyond view: UInt64, until limit: Instant) -> Bool {
    while observer.violations.isEmpty, let instant = heap.earliest, instant <= limit {
      step()
      if hosts.indices.contains(where: { (hosts[$0].view ?? 0) > view }) { return true }
    }
    return false
  }

  /// Everything that was scripted is over: the network is well from now on.
  mutating func heal() {
    setup.network.scripted = []
    setup.network.calm = now
    note(now.nanoseconds)
  }

  private mutating func step() {
    guard let next = heap.pop() else { return }
    now = next.instant
    observer.now = now
    events += 1
    happen(next.payload)
  }

  /// Runs until a rule is broken, every honest node reached the goal, or patience is over.
  mutating func runToGoal() -> FinalityRun {
    let end = max(setup.network.calm, now) + setup.patience
    var isReached = false
    while let instant = heap.earliest {
      if instant > (setup.quietFrom.map { $0 + .seconds(5) } ?? end) { break }
      step()
      noteCalm()
      if !observer.violations.isEmpty || isTooLoud { return finish(isReached: true) }
      if setup.quietFrom == nil, isGoalReached {
        isReached = true
        break
      }
    }
    return finish(isReached: isReached || setup.quietFrom != nil && isGoalReached)
  }

  private mutating func noteCalm() {
    guard calmHeights == nil, now >= setup.network.calm else { return }
    calmHeights = hosts.map { observer.tips[$0.index].height }
    for host in hosts.indices { hosts[host].lastFinal = now }
  }

  private var isTooLoud: Bool {
    guard let quiet = setup.quietFrom, let loudest else { return false }
    return loudest > quiet
  }

  /// Hosts that must make progress.
  private func isJudged(_ host: Int) -> Bool {
    hosts[host].isHonest && !setup.divergent.contains(host)
  }

  private var isGoalReached: Bool {
    guard let calmHeights else { return false }
    let top = calmHeights.max() ?? 0
    return hosts.indices.allSatisfy {
      observer.tips[$0].height >= top + setup.goal || !isJudged($0)
    }
  }

  private mutating func finish(isReached: Bool) -> FinalityRun {
    if !isReached {
      let heights = hosts.map { String(observer.tips[$0.index].height) }.joined(separator: ",")
      observer.report(.growth, "heights \(heights) by the end")
    }
    guard observer.violations.isEmpty else { return summary() }
    if setup.expectsEvidence && observer.sawContradiction && observer.evidenceCount == 0 {
      observer.report(.evidenceIsFound, "nobody reports the validator that signed both")
    }
    if let quiet = setup.quietFrom, let loudest, loudest > quiet {
      observer.report(
        .quiescence, "a message without work at \(loudest.nanoseconds / 1_000_000) ms")
    }
    for host in setup.divergent where !hosts[host].hasDiverged {
      observer.report(.divergenceIsFound, "node \(host) does not notice its wrong execution")
    }
    return summary()
  }

  private func summary() -> FinalityRun {
    var run = FinalityRun()
    run.violations = observer.violations
    run.heights = hosts.map { observer.tips[$0.index].height }
    run.slowestNanoseconds = slowest
    run.traceHash = trace
    run.events = events
    run.nanoseconds = now.nanoseconds
    return run
  }

  /// Mixes a number into the trace.
  mutating func note(_ number: UInt64) {
    trace = (trace ^ number) &* 0x0000_0100_0000_01b3
    trace ^= trace >> 29
  }
}

/// The keys of simulated validators: the same in every run, ordered as a set orders them.
enum FinalityKeys {
  static let sorted: [SigningKey] = (1...UInt64(16)).map {
    SigningKey(seed: Digest(words: $0, 0, 0, 1))
  }.sorted { $0.publicKey < $1.publicKey }
}
