internal import BFTCore
internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

extension FinalityWorld {
  /// Carries out what a node's engine asked for.
  mutating func carryOut(_ host: Int) {
    let asked = effects
    effects.removeAll()
    for (peer, message) in asked.sends { send(message, from: host, to: Int(peer.value)) }
    if let step = asked.journal { write(step, at: host) }
    guard hosts[host].isRunning else { return }
    take(asked.finalized, at: host)
    for notice in asked.notices { hear(notice, at: host) }
    for wanted in asked.blocksWanted {
      let (blocks, certificate) = hosts[host].application.blocks(
        from: wanted.first, count: wanted.count)
      handle(
        .blocksLoaded(first: wanted.first, blocks, certificate, ending: nil, to: wanted.peer),
        at: host)
    }
    for wanted in asked.checkWanted {
      judge(wanted, at: host)
    }
    for wanted in asked.bodyWanted {
      let body = hosts[host].application.body(above: wanted.parentChain)
      handle(.body(body, parent: wanted.parent.hash, view: wanted.view), at: host)
    }
  }

  /// Says of a block what the node's application thinks; what is missing is judged again later.
  mutating func judge(_ wanted: CheckWanted, at host: Int) {
    let verdict = hosts[host].application.verdict(on: wanted.block, above: wanted.parentChain)
    if verdict == .missing && hosts[host].missing.count < 64 {
      hosts[host].missing.append(wanted)
    }
    handle(.verdict(wanted.block.hash, verdict), at: host)
  }

  private mutating func take(_ finalized: [FinalizedBlock], at host: Int) {
    guard !finalized.isEmpty else { return }
    for final in finalized {
      note(final.block.hash.words.0)
      if hosts[host].isHonest { observer.finalized(final.block, at: host) }
    }
    if hosts[host].isHonest && finalized.last?.certificate == nil {
      observer.report(.certificateValidity, "node \(host) finalizes without a certificate")
    }
    for case let certificate? in finalized.map(\.certificate) where hosts[host].isHonest {
      observer.saw(certificate, isHonest: true)
    }
    if calmHeights != nil && hosts[host].isHonest && !setup.divergent.contains(host) {
      slowest = max(slowest, now.since(hosts[host].lastFinal).nanoseconds)
    }
    hosts[host].lastFinal = now
    hosts[host].application.take(finalized)
    heap.push(.executed(host, life: hosts[host].life), at: now + setup.executionDelay)
  }

  private mutating func write(_ step: JournalStep, at host: Int) {
    hosts[host].steps += 1
    hosts[host].stepRecords.append(step.isCheckpoint ? 0 : step.records.count)
    hosts[host].hasSigned = true
    hosts[host].disk.write(step)
    if plannedCrash(host, .beforeJournal) { return }
    heap.push(
      .journalled(host, life: hosts[host].life, through: step.sequence),
      at: now + setup.diskDelay)
  }

  private mutating func hear(_ notice: BFTNotice, at host: Int) {
    switch notice {
    case .epochBegan(let epoch, let set):
      hosts[host].knownEpoch = max(hosts[host].knownEpoch, epoch)
      if hosts[host].isHonest {
        observer.began(epoch: epoch, with: set)
        door.learn(set, epoch: epoch)
      }
    case .halted(let reason):
      if hosts[host].isHonest {
        observer.report(.exclusiveCertificates, "node \(host) halts: \(reason)")
      }
    case .diverged(let height, _, _):
      hosts[host].hasDiverged = true
      if hosts[host].isHonest && setup.divergent.isEmpty {
        observer.report(.execution, "node \(host) diverges at height \(height)")
      }
    case .evidence(let evidence):
      if hosts[host].isHonest { observer.found(evidence) }
    case .handover, .amnesiaOver: break
    }
  }

  /// Lets a message go, as the node's nature will have it.
  mutating func send(_ message: FinalityMessage, from host: Int, to receiver: Int) {
    guard receiver != host, hosts.indices.contains(receiver) else { return }
    guard hosts[host].liar != nil else {
      return transmit(message, from: host, to: receiver)
    }
    for said in hosts[host].liar?.outgoing(message, to: receiver) ?? [] {
      transmit(said, from: host, to: receiver)
    }
  }

  mutating func transmit(_ message: FinalityMessage, from host: Int, to receiver: Int) {
    if lastChecked?.message != message {
      watch(message, from: host)
      lastChecked = (message, check(message))
    }
    if case .status = message {} else { loudest = now }
    guard let verified = lastChecked?.verified else {
      if hosts[host].isHonest, !isOfUnknownEpoch(message) {
        observer.report(.certificateValidity, "the door refuses what node \(host) says")
      }
      return
    }
    if !setup.network.scripted.isEmpty {
      let view = message.statedView ?? hosts[host].view ?? 0
      guard setup.network.isScripted(from: host, to: receiver, about: view) else { return }
    }
    for arrival in setup.network.arrivals(from: host, to: receiver, at: now, &random) {
      note(UInt64(receiver) << 8 | 4)
      note(arrival.nanoseconds)
      heap.push(.arrival(verified, from: host, to: receiver), at: arrival)
    }
  }

  /// What a receiver's door says: one that is epochs behind knows the validators of its own.
  private mutating func check(_ message: FinalityMessage) -> Verified<FinalityMessage>? {
    guard let epoch = message.statedEpoch, !door.knows(epoch: epoch),
      let set = observer.validators(ofEpoch: epoch)
    else { return door.check(message) }
    var earlier = FinalityDoor(chain: chain, planted: setup.bug)
    earlier.learn(set, epoch: epoch)
    return earlier.check(message)
  }

  private func isOfUnknownEpoch(_ message: FinalityMessage) -> Bool {
    message.statedEpoch.map { !door.knows(epoch: $0) } ?? false
  }

  private mutating func watch(_ message: FinalityMessage, from host: Int) {
    let isHonest = hosts[host].isHonest
    switch message {
    case .proposal(let proposal):
      observer.saw(proposal.block)
      for certificate in proposal.nullifications { observer.saw(certificate, isHonest: isHonest) }
      if let parent = proposal.parentCertificate { observer.saw(parent, isHonest: isHonest) }
      observer.saw(proposal.leaderVote)
    case .vote(let vote): observer.saw(vote)
    case .certificate(let certificate), .segment(_, let certificate):
      observer.saw(certificate, isHonest: isHonest)
    case .memoryReply(_, _, let highest):
      if let highest { observer.saw(highest, isHonest: isHonest) }
    case .block(let block): observer.saw(block)
    case .status, .certificateRequest, .blockRequest, .heightRequest, .memoryQuery, .consent,
      .handover, .ending:
      break
    }
  }
}
