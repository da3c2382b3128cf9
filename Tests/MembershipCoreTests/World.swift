import CoreKit
import MembershipCore
import Primitives
import Records
import Wire

/// What the network of a world does to messages.
struct Weather {
  /// The probability that a datagram is lost.
  var loss = Ratio.zero
  /// How long a datagram takes, in microseconds.
  var latency: ClosedRange<UInt64> = 200...1_500
  /// How much longer a reliable message may take, in milliseconds: retransmissions.
  var retransmission: UInt64 = 0
}

/// Nodes over a simulated network in virtual time: a function of its seed.
struct World {
  struct Node {
    let id: NodeID
    var core: Membership
    var persisted: UInt64 = 0
    var isRunning = true
    /// Until when the process stands still.
    var pausedUntil = Instant.origin
    /// What came meanwhile.
    var backlog: [(event: MembershipEvent, life: Int)] = []
    var side = 0
    /// Counts restarts: what was on its way to an earlier process is lost.
    var life = 0
    /// When the core was last woken by its own deadline.
    var wakes = 0
    /// Per observer and member, when it was last seen as down; and whether ever.
    var changes: [(at: Instant, change: MembershipEffects.Change)] = []
  }

  enum Happening {
    case event(MembershipEvent, node: Int, life: Int)
    case wake(node: Int, due: Instant, life: Int)
  }

  var nodes: [Node] = []
  var now = Instant(nanoseconds: 1_000_000_000)
  var weather = Weather()
  var random: Xoshiro256
  private var heap = Heap()
  private var lastReliable: [Int: Instant] = [:]
  private var connected: Set<Int> = []
  private let seed: UInt64
  private var effects = MembershipEffects()
  var datagrams = 0
  var largestDatagram = 0
  var limits = MembershipLimits()
  /// Whether every step is checked, which is dear.
  var isChecking = false
  /// Whether somebody's view changed since the last question.
  private var isChanged = true
  var problems: [String] = []

  init(_ count: Int, seed: UInt64, limits: MembershipLimits = MembershipLimits()) {
    self.seed = seed
    self.limits = limits
    random = Xoshiro256(seed: seed, purpose: "world")
    for place in 0..<count {
      let id = Place.node(UInt64(place))
      nodes.append(Node(id: id, core: World.core(id, persisted: 0, limits, seed, life: 0)))
    }
  }

  static func core(
    _ id: NodeID, persisted: UInt64, _ limits: MembershipLimits, _ seed: UInt64, life: Int
  ) -> Membership {
    Membership(
      node: id, attributes: Place.attributes(id), persistedIncarnation: persisted, limits: limits,
      seed: seed &* 1_000_003 &+ id.key.words.3 &+ UInt64(life) &* 7_919)
  }

  var moment: Moment { Moment(instant: now, wallMilliseconds: 0) }

  var known: [KnownMember] {
    nodes.map { KnownMember(node: $0.id, attributes: Place.attributes($0.id)) }
  }

  // MARK: What a test does

  /// Starts everybody, connected, and lets the views settle.
  mutating func boot(for span: TimeSpan = .seconds(6)) {
    for place in nodes.indices { step(place, .setMembers(known)) }
    for left in nodes.indices {
      for right in nodes.indices where right > left { connect(left, right) }
    }
    run(for: span)
  }

  mutating func connect(_ left: Int, _ right: Int) {
    guard nodes[left].isRunning, nodes[right].isRunning else { return }
    connected.insert(left * 1_000 + right)
    connected.insert(right * 1_000 + left)
    step(left, .connected(nodes[right].id))
    step(right, .connected(nodes[left].id))
  }

  mutating func disconnect(_ left: Int, _ right: Int) {
    guard connected.contains(left * 1_000 + right) else { return }
    connected.remove(left * 1_000 + right)
    connected.remove(right * 1_000 + left)
    step(left, .disconnected(nodes[right].id))
    step(right, .disconnected(nodes[left].id))
  }

  /// Stops a process; nobody is told.
  mutating func kill(_ place: Int) {
    nodes[place].isRunning = false
    nodes[place].life += 1
  }

  /// Starts a process again from its disk; its connections are new.
  mutating func restart(_ place: Int) {
    nodes[place].isRunning = true
    nodes[place].life += 1
    nodes[place].backlog.removeAll()
    nodes[place].core = World.core(
      nodes[place].id, persisted: nodes[place].persisted, limits, seed, life: nodes[place].life)
    for other in nodes.indices where other != place { disconnect(place, other) }
    step(place, .setMembers(known))
    for other in nodes.indices where other != place { connect(place, other) }
  }

  mutating func pause(_ place: Int, for span: TimeSpan) {
    nodes[place].pausedUntil = now + span
    let wake = Happening.wake(node: place, due: .origin, life: nodes[place].life)
    heap.push(now + span, wake)
  }

  mutating func run(for span: TimeSpan) {
    run(until: now + span) { _ in false }
  }

  /// Runs until something holds, and says when it did; `nil` when the time is over before.
  @discardableResult
  mutating func run(until end: Instant, or holds: (World) -> Bool) -> Instant? {
    isChanged = true
    var stepsAtOnce = 0
    while let next = heap.first, next <= end {
      guard let (at, happening) = heap.pop() else { break }
      stepsAtOnce = at > now ? 0 : stepsAtOnce + 1
      guard stepsAtOnce < 50_000 else {
        problems.append("time stands still at \(at.nanoseconds) ns")
        break
      }
      now = max(now, at)
      switch happening {
      case .event(let event, let node, let life):
        guard nodes[node].isRunning, nodes[node].life == life else { continue }
        if nodes[node].pausedUntil > now {
          if nodes[node].backlog.count < 2_000 { nodes[node].backlog.append((event, life)) }
          continue
        }
        step(node, event)
      case .wake(let node, let due, let life):
        guard nodes[node].isRunning, nodes[node].life == life, nodes[node].pausedUntil <= now
        else { continue }
        let backlog = nodes[node].backlog
        nodes[node].backlog.removeAll()
        for (event, life) in backlog where life == nodes[node].life { step(node, event) }
        guard due == .origin || nodes[node].core.nextDeadline == due else { continue }
        nodes[node].wakes += 1
        step(node, .deadline)
      }
      if isChanged {
        isChanged = false
        if holds(self) { return now }
      }
    }
    now = end
    return nil
  }

  // MARK: Steps

  mutating func step(_ place: Int, _ event: MembershipEvent) {
    guard nodes[place].isRunning else { return }
    let before = isChecking ? nodes[place].core.members : []
    effects.removeAll()
    nodes[place].core.handle(event, at: moment, into: &effects)
    for change in effects.changes { nodes[place].changes.append((now, change)) }
    if !effects.changes.isEmpty { isChanged = true }
    if let wanted = effects.persistIncarnation {
      let life = nodes[place].life
      nodes[place].persisted = max(nodes[place].persisted, wanted)
      let after = TimeSpan.microseconds(random.next(in: 300...5_000))
      heap.push(now + after, .event(.incarnationPersisted(wanted), node: place, life: life))
    }
    for send in effects.sends { transmit(send, from: place) }
    if let due = nodes[place].core.nextDeadline {
      heap.push(max(due, now), .wake(node: place, due: due, life: nodes[place].life))
    }
    if isChecking { check(place, before) }
  }

  private mutating func check(_ place: Int, _ before: [Member]) {
    let core = nodes[place].core
    if let broken = core.brokenInvariant { problems.append("\(place): \(broken)") }
    for old in before {
      guard let new = core.member(old.node) else { continue }
      if (new.incarnation, new.state.rawValue) < (old.incarnation, old.state.rawValue)
        && old.node != nodes[place].id
      {
        problems.append("M2: \(place) lowers \(old) to \(new)")
      }
      if old.state == .removed && new.state != .removed { problems.append("M3: \(place)") }
    }
  }

  private mutating func transmit(_ send: MembershipEffects.Send, from place: Int) {
    guard let target = Place.number(of: send.node), target < nodes.count else { return }
    guard connected.contains(place * 1_000 + target) else { return }
    let latency = TimeSpan.microseconds(random.next(in: weather.latency))
    var arrival = now + latency
    switch send.channel {
    case .datagram:
      datagrams += 1
      if isChecking { largestDatagram = max(largestDatagram, send.message.encoded.count) }
      if random.chance(weather.loss) { return }
    case .reliable:
      if weather.retransmission > 0 {
        arrival = arrival + .microseconds(random.next(in: 0...(weather.retransmission * 1_000)))
      }
      let pair = place * 1_000 + target
      arrival = max(arrival, lastReliable[pair] ?? .origin)
      lastReliable[pair] = arrival
    }
    guard nodes[place].side == nodes[target].side else { return }
    heap.push(
      arrival,
      .event(
        .received(send.message, from: nodes[place].id, over: send.channel), node: target,
        life: nodes[target].life))
  }

  // MARK: What a test asks

  /// What one node believes of another.
  func state(of member: Int, at observer: Int) -> MemberState? {
    nodes[observer].core.member(nodes[member].id)?.state
  }

  /// Whether all running nodes believe this of a member.
  func allBelieve(_ state: MemberState, of member: Int) -> Bool {
    nodes.indices.allSatisfy { observer in
      observer == member || !nodes[observer].isRunning
        || self.state(of: member, at: observer) == state
    }
  }

  /// Whether all running nodes see exactly the running ones, alive.
  var isOneView: Bool {
    let running = nodes.filter(\.isRunning).map(\.id).sorted()
    return nodes.allSatisfy { node in
      !node.isRunning
        || node.core.members.filter { $0.state == .alive }.map(\.node) == running
    }
  }

  /// Who called whom down since an instant, except of the nodes named.
  func downs(since start: Instant, except excluded: Set<Int> = []) -> [String] {
    var found: [String] = []
    for (place, node) in nodes.enumerated() {
      for (at, change) in node.changes where at >= start && change.new == .down {
        guard let member = Place.number(of: change.node), !excluded.contains(member) else {
          continue
        }
        let after = at.since(start).nanoseconds / 1_000_000
        found.append("\(place) called \(member) down after \(after) ms")
      }
    }
    return found
  }
}

/// Names of a world.
enum Place {
  static func node(_ number: UInt64) -> NodeID {
    // Spread over the key space, so that the order of nodes is not that of their numbers.
    let mixed = (number &+ 1) &* 0x9e37_79b9_7f4a_7c15
    return NodeID(key: Digest(words: mixed, 0, 0, number))
  }

  static func number(of node: NodeID) -> Int? { Int(exactly: node.key.words.3) }

  static func attributes(_ node: NodeID, zone: String = "a") -> MemberAttributes {
    guard
      let attributes = MemberAttributes(
        address: "10.0.0.\(node.key.words.3):7000", apiAddress: "http://10.0.0.1:8000",
        region: "eu", zone: zone, role: .voter, protocolVersion: 1)
    else { preconditionFailure("the texts are short") }
    return attributes
  }
}

/// What happens next: a binary heap, ties in the order of pushing.
private struct Heap {
  private var items: [(at: Instant, order: UInt64, happening: World.Happening)] = []
  private var next: UInt64 = 0

  var first: Instant? { items.first?.at }

  private func isEarlier(_ left: Int, _ right: Int) -> Bool {
    items[left].at != items[right].at
      ? items[left].at < items[right].at : items[left].order < items[right].order
  }

  mutating func push(_ at: Instant, _ happening: World.Happening) {
    items.append((at, next, happening))
    next += 1
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isEarlier(child, parent) else { break }
      items.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> (Instant, World.Happening)? {
    guard !items.isEmpty else { return nil }
    items.swapAt(0, items.count - 1)
    let last = items.removeLast()
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < items.count && isEarlier(child, smallest) { smallest = child }
      if smallest == parent { break }
      items.swapAt(parent, smallest)
      parent = smallest
    }
    return (last.at, last.happening)
  }
}
