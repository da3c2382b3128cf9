import ControlCore
import Primitives
import Records

/// Draws commands that meet each other: few keys, leases and locks, several senders that repeat
/// themselves, forget to acknowledge, come too late and start anew.
struct CommandSource {
  private struct Sender {
    var session: ControlSession
    var sequence: UInt64 = 0
    var acknowledged: UInt64 = 1
    var sent: [ControlCommand] = []
  }

  private var draw: Xoshiro256
  private var senders: [Sender] = []
  private var leases: [LeaseID] = []
  private var versions: [UInt64] = [1]
  /// Who asked for which lock lately.
  private var asked: [(name: ControlName, lease: LeaseID)] = []
  private var nextSession: UInt64 = 1

  init(seed: UInt64) {
    draw = Xoshiro256(seed: seed, purpose: "commands")
    for _ in 0..<5 { senders.append(newSender(at: 0)) }
  }

  static let names: [ControlName] = [
    "a", "a/1", "a/2", "a/1/long name with spaces", "b", "b/ü", "b/漢字", "c", "zz",
  ].compactMap { ControlName($0) }

  static let nodes: [NodeID] = (1...5).map { NodeID(key: Digest(words: $0, 0, 0, 7)) }

  private mutating func newSender(at index: UInt64) -> Sender {
    nextSession += 1
    let number = nextSession &* 0x9e37_79b9_7f4a_7c15
    return Sender(session: ControlSession(number: number, openedAt: index))
  }

  /// Learns what a result says, as a client does: the sender of a command at `index` whose session
  /// is forgotten opens a new one.
  mutating func learn(_ result: ControlResult, of command: ControlCommand, at index: UInt64) {
    if result.outcome == .refused(.sessionExpired) || result.outcome == .refused(.stale) {
      for place in senders.indices where senders[place].session == command.session {
        senders[place] = newSender(at: index)
      }
    }
    if case .acquireLock(let name, let lease, _) = command.operation {
      asked.append((name, lease))
      if asked.count > 6 { asked.removeFirst() }
    }
    if case .leaseEnded(let lease, _, _) = result.outcome {
      leases.removeAll { $0 == lease }
      asked.removeAll { $0.lease == lease }
    }
    if case .releaseLock(let name, let lease, _) = command.operation {
      asked.removeAll { $0.name == name && $0.lease == lease }
    }
    versions.append(result.revision)
    if versions.count > 12 { versions.removeFirst() }
    if case .leaseGranted(let lease, _) = result.outcome {
      leases.append(lease)
      if leases.count > 6 { leases.removeFirst() }
    }
  }

  /// The command to apply at `index`.
  mutating func next(index: UInt64) -> ControlCommand {
    if draw.chance(Ratio(1, in: 3)) { return ControlCommand(operation: operation()) }
    let place = draw.next(below: senders.count)
    if draw.chance(Ratio(1, in: 60)) { senders[place] = newSender(at: index - 1) }
    if draw.chance(Ratio(1, in: 200)) {
      // One that may have been forgotten for good.
      senders[place].session = ControlSession(
        number: draw.next(), openedAt: draw.next(below: index))
    }
    if draw.chance(Ratio(1, in: 5)), !senders[place].sent.isEmpty {
      let sent = senders[place].sent
      return sent[draw.next(below: sent.count)]
    }
    senders[place].sequence += 1 + (draw.chance(Ratio(1, in: 20)) ? 2 : 0)
    let sequence = senders[place].sequence
    if draw.chance(Ratio(1, in: 2)) {
      senders[place].acknowledged = draw.next(in: senders[place].acknowledged...sequence)
    }
    let name: Identifier<ControlIdempotency>? =
      draw.chance(Ratio(1, in: 4)) ? Identifier(high: 9, low: draw.next(below: 300)) : nil
    let command = ControlCommand(
      session: senders[place].session, sequence: sequence,
      acknowledgedBelow: senders[place].acknowledged, idempotency: name, operation: operation())
    senders[place].sent.append(command)
    if senders[place].sent.count > 8 { senders[place].sent.removeFirst() }
    return command
  }

  private mutating func name() -> ControlName {
    CommandSource.names[draw.next(below: CommandSource.names.count)]
  }

  private mutating func lease() -> LeaseID {
    let bogus = LeaseID(1 + draw.next(below: 5)) ?? LeaseID(.max)
    guard let bogus, leases.isEmpty || draw.chance(Ratio(1, in: 20)) else {
      return leases[draw.next(below: leases.count)]
    }
    return bogus
  }

  private mutating func version() -> UInt64 { versions[draw.next(below: versions.count)] }

  private mutating func value() -> [UInt8] {
    let count = draw.next(below: 40)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: draw.next()) }
  }

  private mutating func condition() -> ControlCondition {
    switch draw.next(below: 8) {
    case 0: .mustBeAbsent
    case 1: .version(max(1, version()))
    default: .none
    }
  }

  mutating func operation() -> ControlOperation {
    switch draw.next(below: 32) {
    case 0...8:
      let lease = draw.chance(Ratio(1, in: 2)) ? lease() : nil
      return .put(key: name(), value: value(), condition: condition(), lease: lease)
    case 9...10: return .delete(key: name())
    case 11: return .delete(key: name(), version: version())
    case 12...14:
      return .grantLease(ttlMilliseconds: UInt32(draw.next(in: 400...90_000_000)))
    case 15...16: return .renewLease(lease())
    case 17: return .revokeLease(lease())
    case 18: return .expireLease(lease(), renewals: draw.next(below: 3))
    case 19...24:
      return .acquireLock(
        name: CommandSource.names[draw.next(below: 3)], lease: lease(),
        wait: draw.chance(Ratio(3, in: 4)))
    case 25...27: return leaving()
    case 28: return .setMember(node(), role: role())
    case 29: return .removeMember(node())
    case 30: return .restoreMember(node(), role: role())
    default:
      return draw.chance(Ratio(1, in: 2))
        ? .setSetting(.votersMax, value: draw.next(below: 9))
        : .setSetting(.egressBytesPerSecond, value: draw.next(below: 200_000))
    }
  }

  /// The end of holding or waiting, mostly of one that was asked for.
  private mutating func leaving() -> ControlOperation {
    var (name, lease) = (name(), lease())
    if !asked.isEmpty, draw.chance(Ratio(7, in: 8)) {
      (name, lease) = asked[draw.next(below: asked.count)]
    }
    return switch draw.next(below: 5) {
    case 0: .cancelWait(name: name, lease: lease)
    case 1: .releaseLock(name: name, lease: lease, token: max(1, version()))
    default: .releaseLock(name: name, lease: lease)
    }
  }

  private mutating func node() -> NodeID {
    CommandSource.nodes[draw.next(below: CommandSource.nodes.count)]
  }

  private mutating func role() -> ControlRole {
    ControlRole.allCases[draw.next(below: ControlRole.allCases.count)]
  }

  /// Whether to do something once in so many times.
  mutating func once(in count: UInt64) -> Bool { draw.chance(Ratio(1, in: count)) }
}
