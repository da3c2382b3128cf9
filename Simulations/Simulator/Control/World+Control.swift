internal import ControlCore
internal import CoreKit
internal import MembershipCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// What drives a node's control plane here, as `NodeDriver+Control` does in a process.
extension World {
  /// Does what the control plane asked for.
  func carryOutControl(_ taken: EffectsBox, of index: Int) {
    if let write = taken.value.control.write { hand(write, of: index) }
    for entry in taken.value.control.applied { checkApplied(entry, at: index) }
    for send in taken.value.control.sends { self.send(send, from: index) }
    for disconnect in taken.value.control.disconnects {
      note { "node \(index + 1) disconnects: \(disconnect.reason)" }
      breakLink(index, nodes[index].peersByIndex[Int(disconnect.peer.value)])
    }
    if let wanted = taken.value.control.snapshotWanted { encode(wanted, of: index) }
    for (request, reply) in taken.value.control.replies { take(reply, of: request, at: index) }
    for notice in taken.value.control.notices { hear(notice, at: index) }
  }

  private func hand(_ write: ControlWrite, of index: Int) {
    audit.mix(0xc5, UInt64(index), write.sequence)
    let sequence = write.sequence
    checkLogged(write.entries, at: index)
    checkKept(write, by: index)
    let isIdle = nodes[index].controlDisk.submit(write)
    if isIdle { startControlCommit(index) }
    if isReportedEarly(write, isDiskIdle: isIdle) {
      give(.control(.persisted(through: sequence)), to: index)
    }
  }

  private func startControlCommit(_ index: Int) {
    guard nodes[index].controlDisk.startGroup() else { return }
    var latency = scenario.diskLatency.pick(&controlDiskRandom)
    if controlDiskRandom.chance(Ratio(1, in: 200)) { latency = latency * 10 }
    if nodes[index].slowUntil > now {
      latency = TimeSpan(nanoseconds: latency.nanoseconds + nodes[index].slowLatency.nanoseconds)
    }
    queue.add(.controlCommitEnd(node: index, life: nodes[index].life), at: now + latency)
  }

  func endControlCommit(_ index: Int, _ life: UInt64) {
    guard nodes[index].isAlive, nodes[index].life == life else { return }
    let crashPoint = pickCrashPoint()
    if crashPoint == .before { return crash(index, for: pickReturn()) }
    let sequence = nodes[index].controlDisk.finishGroup()
    audit.mix(0xc6, UInt64(index), sequence)
    note { "node \(index + 1) has control step \(sequence) on its disk" }
    if options.mutant != .loseControlSync {
      give(.control(.persisted(through: sequence)), to: index)
    }
    startControlCommit(index)
    if crashPoint == .after {
      queue.add(
        .fault(.crashFor(index, pickReturn())),
        at: now + .microseconds(controlDiskRandom.next(in: 0...5_000)))
    }
  }

  /// Where a process dies around the end of a commit.
  private enum CrashPoint {
    /// Nobody heard of what is durable by then, or is not.
    case before
    /// What waited for the disk may just have left.
    case after
  }

  private func pickCrashPoint() -> CrashPoint? {
    guard !isHealing, scenario.crashPointMillionths > 0,
      controlDiskRandom.chance(Ratio(scenario.crashPointMillionths, in: 1_000_000))
    else { return nil }
    probes[.crashedAtCommit] += 1
    return controlDiskRandom.chance(Ratio(1, in: 4)) ? .before : .after
  }

  private func pickReturn() -> TimeSpan {
    .microseconds(controlDiskRandom.next(in: 1_000...30_000))
  }

  private func encode(_ wanted: ControlPlaneEffects.SnapshotWanted, of index: Int) {
    let bytes = wanted.state.snapshotBytes
    probes[.snapshotTaken] += 1
    queue.add(
      .own(
        node: index, life: nodes[index].life,
        .control(.snapshotEncoded(index: wanted.index, bytes: bytes))),
      at: now + TimeSpan.microseconds(controlDiskRandom.next(in: 500...20_000)))
  }

  private func hear(_ notice: ControlPlaneNotice, at index: Int) {
    switch notice {
    case .raft(let notice): hear(notice, at: index)
    case .member(let change):
      note { "node \(index + 1) takes node \(change.node.key.short) for \(change.new)" }
      noteBelief(change, at: index)
    case .coordination(let notice): note { "node \(index + 1): \(notice)" }
    case .unusable(let reason): report(.recoveryIsExact, index, reason)
    case .eventsAdded, .restored, .lockWaitEnded: break
    }
  }

  private func hear(_ notice: RaftNotice, at index: Int) {
    note { "node \(index + 1) control log: \(notice)" }
    switch notice {
    case .role(let role, let term):
      if role == .leader { noteLeader(index, term) }
      picture?.noteRole(index, leads: role == .leader ? term : nil, at: now)
    case .snapshotInstalled: probes[.snapshotInstalled] += 1
    case .leaderForgotten: probes[.leaderForgotten] += 1
    case .quorumLost: probes[.quorumLost] += 1
    case .transferred: probes[.leadershipTransferred] += 1
    case .configurationCommitted: probes[.configurationCommitted] += 1
    case .breach(let breach, let from):
      if liars.isEmpty {
        report(.coreInvariants, index, "calls \(breach) of member \(from) a breach")
      }
    case .configuration, .leader, .snapshotOffered, .stalled, .transferAborted: break
    }
  }
}
