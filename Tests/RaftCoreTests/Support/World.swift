import CoreKit
import Primitives
import RaftCore
import Records

/// What can go wrong on the way, and how often.
struct Weather {
  var delay: ClosedRange<UInt64> = 100_000...900_000
  var loss = Ratio.zero
  var repeats = Ratio.zero
  var sync: ClosedRange<UInt64> = 200_000...2_000_000
  /// How often a turn goes on for a while before it ends.
  var longTurns = Ratio(1, in: 4)

  static let calm = Weather()
  static let rough = Weather(
    delay: 100_000...9_000_000, loss: Ratio(1, in: 20), repeats: Ratio(1, in: 30),
    sync: 200_000...25_000_000)
}

/// A member and all that is around it.
struct Machine {
  let number: Int
  var raft: Raft?
  var disk: Disk
  var effects = RaftEffects()
  /// Counts starts: what belongs to an earlier one is void.
  var start = 0
  var isTurnOpen = false
  var wake: UInt64 = .max
  var pausedUntil: UInt64 = 0
  var state: UInt64 = 0
  var applied: UInt64 = 0
  var bootstrap: RaftConfiguration?

  mutating func handle(_ event: RaftEvent, at moment: Moment) {
    raft?.handle(event, at: moment, into: &effects)
  }
}

/// A cluster in virtual time: what happens is a function of the seed.
final class World {
  enum Happening {
    case deliver(RaftMessage, to: Int, from: Int, start: Int)
    case synced(Int, sequence: UInt64, start: Int)
    case endTurn(Int, start: Int)
    case wake(Int)
  }

  var machines: [Machine] = []
  var weather = Weather.calm
  var judge = Judge()
  var random: Xoshiro256
  var settings: (_ number: Int, _ start: Int) -> RaftSettings
  private(set) var now: UInt64 = 1_000_000
  private var queue = EventQueue<Happening>()
  /// Directed links that carry nothing.
  private var cuts: Set<[Int]> = []
  /// When the last message of the ordered stream from one to another arrives.
  private var streamEnds: [[Int]: UInt64] = [:]
  private var nextTicket: UInt64 = 1
  /// The commit that everybody knew of when a read began.
  private var readFloors: [UInt64: UInt64] = [:]
  var answers: [UInt64: RaftOutcome] = [:]
  private(set) var notices: [(machine: Int, notice: RaftNotice)] = []
  private(set) var steps = 0
  /// Bytes that a snapshot is made longer by.
  var snapshotPadding = 0
  /// Messages are changed or dropped by this before they travel.
  var tamper: ((RaftMessage) -> RaftMessage?)?

  init(
    seed: UInt64, count: Int, voters: Int? = nil, disks: [ControlRecovery] = [],
    settings change: @escaping (inout RaftSettings) -> Void = { _ in }
  ) {
    random = Xoshiro256(seed: seed, purpose: "world")
    settings = { number, start in
      var settings = RaftSettings(seed: seed &* 31 &+ UInt64(number + 100 * start))
      change(&settings)
      return settings
    }
    let founders = Array(0..<(voters ?? count))
    let genesis = Name.configuration(voters: founders)
    for number in 0..<count {
      let disk = number < disks.count ? Disk(disks[number]) : Disk()
      machines.append(Machine(number: number, disk: disk))
      machines[number].bootstrap = founders.contains(number) ? genesis : nil
      start(number)
    }
  }

  // MARK: What one can do to it

  func start(_ number: Int) {
    precondition(machines[number].raft == nil, "machine \(number) runs already")
    machines[number].start += 1
    machines[number].effects.removeAll()
    machines[number].isTurnOpen = false
    machines[number].state = 0
    machines[number].applied = 0
    do {
      machines[number].raft = try Raft(
        node: Name.node(number), settings: settings(number, machines[number].start),
        recovery: machines[number].disk.recovery, bootstrap: machines[number].bootstrap)
    } catch {
      judge.fail("machine \(number) does not come back: \(error)")
      return
    }
    for other in machines.indices where other != number && machines[other].raft != nil {
      tell(other, .connected(Name.id(number)))
    }
    touch(number)
  }

  func crash(_ number: Int) {
    guard machines[number].raft != nil else { return }
    machines[number].raft = nil
    let pending = machines[number].disk.pendingCount
    machines[number].disk.crash(survivors: random.next(below: pending + 1))
    for other in machines.indices where other != number { streamEnds[[number, other]] = nil }
    for other in machines.indices where other != number && machines[other].raft != nil {
      tell(other, .disconnected(Name.id(number)))
    }
  }

  /// Tells a machine what its operating system or an operator would.
  func tell(_ number: Int, _ event: RaftEvent) {
    guard machines[number].raft != nil else { return }
    step(number, event)
    touch(number)
  }

  func pause(_ number: Int, milliseconds: UInt64) {
    machines[number].pausedUntil = now + milliseconds * 1_000_000
  }

  func cut(from: Int, to: Int) { cuts.insert([from, to]) }

  /// Cuts all links but these, which carry both ways.
  func connect(only links: [(Int, Int)]) {
    cuts.removeAll()
    for from in machines.indices {
      for to in machines.indices where from != to {
        if !links.contains(where: { $0 == (from, to) || $0 == (to, from) }) {
          cuts.insert([from, to])
        }
      }
    }
  }

  /// Cuts both ways whatever does not share a group.
  func partition(_ groups: [[Int]]) {
    cuts.removeAll()
    for from in machines.indices {
      for to in machines.indices where from != to {
        if !groups.contains(where: { $0.contains(from) && $0.contains(to) }) {
          cuts.insert([from, to])
        }
      }
    }
  }

  func heal() {
    let before = cuts
    cuts.removeAll()
    for pair in before.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      tell(pair[0], .connected(Name.id(pair[1])))
    }
  }

  @discardableResult func propose(_ number: Int, _ text: String) -> UInt64 {
    defer { nextTicket += 1 }
    tell(number, .propose(Array(text.utf8), ticket: nextTicket))
    return nextTicket
  }

  @discardableResult func read(_ number: Int) -> UInt64 {
    defer { nextTicket += 1 }
    readFloors[nextTicket] = judge.commit
    tell(number, .read(ticket: nextTicket))
    return nextTicket
  }

  @discardableResult func change(_ number: Int, _ change: RaftChange) -> UInt64 {
    defer { nextTicket += 1 }
    tell(number, .changeConfiguration(change, ticket: nextTicket))
    return nextTicket
  }

  // MARK: Time

  func run(milliseconds: UInt64) {
    let end = now + milliseconds * 1_000_000
    while let next = queue.first, next <= end { happen() }
    now = end
  }

  /// Runs until something holds; false when it does not within the time.
  func run(
    atMost milliseconds: UInt64, until holds: () -> Bool
  ) -> Bool {
    let end = now + milliseconds * 1_000_000
    while !holds() {
      guard let next = queue.first, next <= end else {
        now = end
        return holds()
      }
      happen()
    }
    return true
  }

  private func happen() {
    guard let (time, happening) = queue.pop() else { return }
    now = max(now, time)
    let number: Int
    switch happening {
    case .deliver(_, let to, _, _): number = to
    case .synced(let machine, _, _), .endTurn(let machine, _), .wake(let machine):
      number = machine
    }
    if machines[number].pausedUntil > now {
      queue.push(happening, at: machines[number].pausedUntil)
      return
    }
    switch happening {
    case .deliver(let message, let to, let from, let start):
      let isOrdered = !message.prefersDatagram
      guard machines[to].raft != nil, !cuts.contains([from, to]),
        !isOrdered || machines[to].start == start
      else { return }
      step(to, .received(message))
      touch(to)
    case .synced(let machine, let sequence, let start):
      guard machines[machine].start == start, machines[machine].raft != nil else { return }
      machines[machine].disk.sync(through: sequence)
      step(machine, .persisted(through: sequence))
      touch(machine)
    case .endTurn(let machine, let start):
      guard machines[machine].start == start, machines[machine].raft != nil else { return }
      endTurn(machine)
    case .wake(let machine):
      guard let due = machines[machine].raft?.nextDeadline else { return }
      machines[machine].wake = .max
      if due.nanoseconds <= now { step(machine, .deadline) }
      touch(machine)
    }
  }

  private func step(_ number: Int, _ event: RaftEvent) {
    steps += 1
    let moment = Name.moment(instant: Instant(nanoseconds: now))
    machines[number].handle(event, at: moment)
    if let broken = machines[number].raft?.brokenInvariant {
      judge.fail("machine \(number) at \(now / 1_000_000) ms: \(broken)")
    }
  }

  /// Ends the machine's turn now, or a little later.
  private func touch(_ number: Int) {
    if machines[number].isTurnOpen { return }
    if random.chance(weather.longTurns) {
      machines[number].isTurnOpen = true
      queue.push(
        .endTurn(number, start: machines[number].start),
        at: now + random.next(in: 0...500_000))
    } else {
      endTurn(number)
    }
  }

  private func endTurn(_ number: Int) {
    machines[number].isTurnOpen = false
    step(number, .turnEnded)
    carryOut(number)
    scheduleWake(number)
  }

  private func scheduleWake(_ number: Int) {
    guard let due = machines[number].raft?.nextDeadline else { return }
    let time = max(due.nanoseconds, now)
    // An earlier wake finds out for itself when to come again.
    if machines[number].wake <= time, machines[number].wake > now { return }
    machines[number].wake = time
    queue.push(.wake(number), at: time)
  }

  // MARK: Effects

  private func carryOut(_ number: Int) {
    guard let raft = machines[number].raft else { return }
    let effects = machines[number].effects
    machines[number].effects.removeAll()
    for notice in effects.notices { notices.append((number, notice)) }
    if raft.isLeader { judge.lead(raft) }
    if let write = effects.write {
      judge.write(write.entries, of: raft)
      machines[number].disk.begin(write)
      queue.push(
        .synced(number, sequence: write.sequence, start: machines[number].start),
        at: now + random.next(in: weather.sync))
    }
    apply(effects, number, raft)
    for message in effects.sends {
      judge.send(message)
      carry(message, from: number)
    }
    if let wanted = effects.snapshotWanted {
      if wanted.index != machines[number].applied {
        judge.fail("a snapshot of \(wanted.index) at \(machines[number].applied)")
      }
      let words = [machines[number].applied, machines[number].state]
      var bytes = words.flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
      }
      bytes += Array(repeating: UInt8(truncatingIfNeeded: wanted.index), count: snapshotPadding)
      tell(number, .snapshotTaken(index: wanted.index, bytes: bytes))
    }
  }

  private func apply(_ effects: RaftEffects, _ number: Int, _ raft: Raft) {
    if let restored = effects.restored {
      let bytes = restored.bytes
      func word(_ place: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[place * 8 + $1]) << ($1 * 8) }
      }
      machines[number].applied = word(0)
      machines[number].state = word(1)
      judge.restore(restored.head.index, word(1))
      if word(0) != restored.head.index { judge.fail("a snapshot of another index") }
    }
    for entry in effects.committed {
      if entry.index != machines[number].applied + 1 {
        judge.fail("machine \(number) applies \(entry.index) after \(machines[number].applied)")
      }
      machines[number].applied = entry.index
      machines[number].state = judge.commit(
        entry, on: machines[number].state, inTerm: raft.term)
    }
    if raft.isLeader, let last = effects.committed.last { checkDurability(last, raft) }
    for answer in effects.answers {
      answers[answer.ticket] = answer.outcome
      if case .readable(let index) = answer.outcome, let floor = readFloors[answer.ticket] {
        if index < floor { judge.fail("a read at \(index) after \(floor) was committed") }
        if machines[number].applied < index { judge.fail("a read before its index is applied") }
      }
    }
  }

  /// What a leader calls committed is on the disks of a quorum, now.
  private func checkDurability(_ entry: RaftEntry, _ raft: Raft) {
    let configuration = raft.configuration
    let holders = machines.filter { $0.disk.holds(entry.index, term: entry.term) }
      .map { Name.id($0.number) }
    // A final configuration that was appended in this turn was not in force when it was counted.
    let earlier = raft.committedConfiguration
    if !configuration.isQuorum({ holders.contains($0) })
      && !earlier.isQuorum({ holders.contains($0) })
    {
      judge.fail("\(entry.index) is committed on \(holders.count) disks")
    }
  }

  private func carry(_ message: RaftMessage, from: Int) {
    guard let message = tamper.map({ $0(message) }) ?? message,
      let to = machines.firstIndex(where: { Name.id($0.number) == message.to })
    else { return }
    let isDatagram = message.prefersDatagram
    if cuts.contains([from, to]) || machines[to].raft == nil { return }
    if isDatagram, random.chance(weather.loss) { return }
    var time = now + random.next(in: weather.delay)
    if !isDatagram {
      time = max(time, (streamEnds[[from, to]] ?? 0) + 1)
      streamEnds[[from, to]] = time
    }
    let happening = Happening.deliver(message, to: to, from: from, start: machines[to].start)
    queue.push(happening, at: time)
    if isDatagram, random.chance(weather.repeats) {
      queue.push(happening, at: time + random.next(in: weather.delay) * 4)
    }
  }

  // MARK: Reading

  /// The running leader of the latest term.
  var leader: Int? {
    machines.filter { $0.raft?.isLeader == true }
      .max { ($0.raft?.term ?? 0) < ($1.raft?.term ?? 0) }?.number
  }

  /// Whether all of these have applied everything that was ever committed, and more than `floor`.
  func isEven(_ numbers: [Int], beyond floor: UInt64 = 0) -> Bool {
    judge.commit > floor
      && numbers.allSatisfy { machines[$0].raft != nil && machines[$0].applied == judge.commit }
  }
}
