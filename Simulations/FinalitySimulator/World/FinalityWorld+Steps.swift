internal import BFTCore
internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

extension FinalityWorld {
  func moment(of host: Int) -> Moment {
    let wall = 1_700_000_000_000 + Int64(now.nanoseconds / 1_000_000) + hosts[host].clockError
    return Moment(instant: now, wallMilliseconds: UInt64(wall))
  }

  /// Starts a node from what is durable.
  mutating func start(_ host: Int) {
    var recovery = hosts[host].application.recovery()
    recovery.journal = hosts[host].disk.records
    recovery.isAmnesiac = hosts[host].isWiped && hosts[host].hasSigned
    let application = hosts[host].application
    observer.restarted(
      host, height: application.height,
      hash: application.ledger.last?.block.hash ?? chain.digest, epoch: recovery.epoch,
      view: recovery.tip?.header.view ?? 0)
    var configuration = BFTConfiguration(chain: chain, genesis: genesis, key: hosts[host].key)
    configuration.epochLength = setup.epochLength
    configuration.checkpointRecords = setup.checkpointRecords
    configuration.plantedBug = hosts[host].isHonest ? setup.bug : nil
    hosts[host].life += 1
    hosts[host].armed = nil
    hosts[host].missing = []
    hosts[host].saysWork = false
    hosts[host].knownEpoch = max(hosts[host].knownEpoch, recovery.epoch)
    do {
      hosts[host].engines = [
        try Engine(configuration, recovery: recovery, at: moment(of: host))
      ]
    } catch {
      observer.report(.engine, "node \(host) does not start: \(error)")
      return
    }
    for peer in hosts.indices where peer != host && hosts[peer].isRunning {
      handle(.connected(PeerIndex(UInt16(peer)), hosts[peer].node), at: host)
      handle(.connected(PeerIndex(UInt16(host)), hosts[host].node), at: peer)
      turn(peer)
    }
    sayWork(host)
    turn(host)
  }

  /// A node loses power.
  mutating func crash(_ host: Int, losingUnsynced: Bool) {
    guard hosts[host].isRunning else { return }
    hosts[host].engines = []
    hosts[host].life += 1
    hosts[host].crashAfterSend = nil
    if losingUnsynced {
      hosts[host].disk.loseUnsynced()
    } else {
      hosts[host].disk.crash(&random)
    }
    hosts[host].application.crash()
    for peer in hosts.indices where peer != host {
      handle(.disconnected(PeerIndex(UInt16(host))), at: peer)
      turn(peer)
    }
  }

  /// One event at one node.
  mutating func handle(_ event: BFTEvent, at host: Int) {
    guard hosts[host].isRunning else { return }
    let moment = moment(of: host)
    hosts[host].engines[0].handle(event, at: moment, into: &effects)
    carryOut(host)
  }

  /// Ends a node's turn, and sees when it wants to hear of time.
  mutating func turn(_ host: Int) {
    guard hosts[host].isRunning else { return }
    handle(.turnEnded, at: host)
    // What the turn wrote may have been the step that the node dies of.
    guard hosts[host].isRunning else { return }
    if let broken = hosts[host].engines[0].brokenInvariant {
      observer.report(.engine, "node \(host): \(broken)")
    }
    if let plan = hosts[host].crashAfterSend { return strike(host, plan) }
    guard let deadline = hosts[host].engines[0].nextDeadline else { return }
    let due = max(deadline, now)
    if let armed = hosts[host].armed, armed <= due, armed > now { return }
    hosts[host].armed = due
    heap.push(.deadline(host, life: hosts[host].life, due), at: due)
  }

  /// Tells a node's engine whether there is work, when that changed.
  mutating func sayWork(_ host: Int) {
    let work = hosts[host].application.hasWork
    guard work != hosts[host].saysWork else { return }
    hosts[host].saysWork = work
    handle(.work(work), at: host)
  }

  mutating func happen(_ happening: Happening) {
    switch happening {
    case .arrival(let message, let sender, let receiver): arrive(message, sender, receiver)
    case .journalled(let host, let life, let sequence):
      guard hosts[host].life == life else { return }
      note(UInt64(host) << 8 | 2)
      hosts[host].disk.sync(through: sequence)
      if plannedCrash(host, .afterJournal) { return }
      if let plan = plan(host, .afterSend) { hosts[host].crashAfterSend = plan }
      handle(.journalled(through: sequence), at: host)
      turn(host)
    case .deadline(let host, let life, let instant):
      guard hosts[host].life == life, hosts[host].armed == instant else { return }
      hosts[host].armed = nil
      note(UInt64(host) << 8 | 3)
      if hosts[host].isRunning, let deadline = hosts[host].engines[0].nextDeadline,
        deadline <= now
      {
        handle(.deadline, at: host)
      }
      turn(host)
    case .executed(let host, let life):
      guard hosts[host].life == life else { return }
      execute(host)
    case .bundle(let number): makeBundle(number)
    case .learned(let host, let number): learn(host, number)
    case .restart(let host):
      if !hosts[host].isRunning { start(host) }
    case .action(let action): act(action)
    }
  }

  private mutating func arrive(
    _ message: Verified<FinalityMessage>, _ sender: Int, _ receiver: Int
  ) {
    guard hosts[receiver].isRunning, hosts[sender].isRunning else { return }
    if let epoch = message.value.statedEpoch, epoch > hosts[receiver].knownEpoch { return }
    note(UInt64(receiver) << 16 | UInt64(sender) << 8 | 1)
    note(now.nanoseconds)
    hosts[receiver].liar?.incoming(message.value)
    handle(.received(message, from: PeerIndex(UInt16(sender))), at: receiver)
    turn(receiver)
  }

  private mutating func execute(_ host: Int) {
    for outcome in hosts[host].application.execute() {
      if hosts[host].isHonest && !setup.divergent.contains(host) {
        observer.executed(height: outcome.height, root: outcome.root, at: host)
      }
      handle(
        .executed(height: outcome.height, root: outcome.root, validators: outcome.next), at: host)
    }
    sayWork(host)
    turn(host)
  }

  private mutating func makeBundle(_ number: UInt64) {
    for host in hosts.indices {
      let delay = random.next(below: setup.bundleDelayMax.nanoseconds + 1)
      heap.push(.learned(host, number), at: now + TimeSpan(nanoseconds: delay))
    }
    let next = now + setup.bundleInterval
    if let until = setup.bundlesUntil, next > until { return }
    heap.push(.bundle(number + 1), at: next)
  }

  private mutating func learn(_ host: Int, _ number: UInt64) {
    if now < setup.network.calm, setup.lateLearners.contains(host) {
      return heap.push(.learned(host, number), at: setup.network.calm)
    }
    hosts[host].application.known = max(hosts[host].application.known, number)
    sayWork(host)
    let missing = hosts[host].missing
    hosts[host].missing.removeAll(keepingCapacity: true)
    for wanted in missing { judge(wanted, at: host) }
    turn(host)
  }
}

extension FinalityMessage {
  /// The view that it is about.
  var statedView: UInt64? {
    switch self {
    case .proposal(let proposal): proposal.block.header.view
    case .vote(let vote): vote.statement.view
    case .certificate(let certificate), .segment(_, let certificate): certificate.statement.view
    case .status(let status): status.view
    case .certificateRequest(_, _, let last): last
    case .block(let block): block.header.view
    case .blockRequest, .heightRequest, .memoryQuery, .memoryReply, .consent, .handover, .ending:
      nil
    }
  }
}
