internal import GossipCore
internal import Primitives

/// Two nodes, the smaller first.
struct PairIndex: Hashable {
  let low: Int
  let high: Int

  init(_ one: Int, _ other: Int) {
    precondition(one != other, "node \(one) is no pair")
    low = min(one, other)
    high = max(one, other)
  }

  func contains(_ node: Int) -> Bool { low == node || high == node }
}

/// Something on its way from one node to another.
struct Message {
  enum Content {
    /// A frame on the control channel.
    case control([UInt8])
    /// The first frame of a connection, which is sent again until it arrives.
    case greeting([UInt8])
    /// A frame on the push channel.
    case push([UInt8])
    /// A pull: its name and the request.
    case pull(UInt64, [UInt8])
    /// All frames of the answer to a pull.
    case answer(UInt64, [[UInt8]])
  }

  let from: Int
  let to: Int
  /// The connection it belongs to; 0 for what a hostile peer sends, which is always let in.
  let connection: UInt64
  let content: Content
  /// Whether it will not arrive.
  var isLost: Bool
}

/// One direction's end of a connection, as the node at `from` sees it.
struct Link {
  /// The connection; 0 when there is none.
  var connection: UInt64 = 0
  /// Whether the node has been told of it; what arrives earlier is lost.
  var isAnnounced = false
  /// Frames on the push channel that have not arrived.
  var pushesInFlight = 0
  /// Whether the node was told that the channel is full.
  var isBlocked = false
  /// What waits on the consensus stream, oldest first, and when each has arrived at the earliest.
  var consensus: [(bytes: [UInt8], readyAt: Instant)] = []

  var isUp: Bool { connection != 0 }
}

/// What happens between nodes: who reaches whom, how long it takes, what is lost.
struct Network {
  /// Frames on a push channel that have not arrived, beyond which it is full.
  static let pushesMax = 24

  let nodeCount: Int
  let conditions: Scenario.Network
  private(set) var links: [Link]
  private let distances: [TimeSpan?]
  private var cuts: [Bool]
  private var clogs: [Instant]
  /// Per pair: whether a dial is planned, and how often it failed in a row.
  private var dials: [(isPlanned: Bool, failures: UInt64)]
  private var nextConnection: UInt64 = 1
  private var random: Xoshiro256
  let allPairs: [PairIndex]

  init(_ scenario: Scenario, seed: UInt64) {
    nodeCount = scenario.nodeCount
    conditions = scenario.network
    let count = nodeCount * nodeCount
    links = Array(repeating: Link(), count: count)
    cuts = Array(repeating: false, count: count)
    clogs = Array(repeating: .origin, count: count)
    dials = Array(repeating: (false, 0), count: count)
    random = Xoshiro256(seed: seed, purpose: "network")
    var distances = [TimeSpan?](repeating: nil, count: count)
    for distance in scenario.network.distances {
      distances[distance.low * nodeCount + distance.high] = distance.delay
      distances[distance.high * nodeCount + distance.low] = distance.delay
    }
    self.distances = distances
    var pairs: [PairIndex] = []
    for low in 0..<nodeCount {
      for high in (low + 1)..<max(nodeCount, low + 1) { pairs.append(PairIndex(low, high)) }
    }
    allPairs = pairs
  }

  // MARK: Reachability

  func isOpen(_ from: Int, _ to: Int) -> Bool { !cuts[from * nodeCount + to] }

  func isOpen(_ pair: PairIndex) -> Bool {
    isOpen(pair.low, pair.high) && isOpen(pair.high, pair.low)
  }

  mutating func cut(_ from: Int, _ to: Int) { cuts[from * nodeCount + to] = true }

  mutating func heal() {
    for index in cuts.indices { cuts[index] = false }
    for index in clogs.indices { clogs[index] = .origin }
  }

  mutating func clog(_ from: Int, _ to: Int, until: Instant) {
    clogs[from * nodeCount + to] = until
  }

  // MARK: Links

  func link(_ from: Int, _ to: Int) -> Link { links[from * nodeCount + to] }

  mutating func setUp(_ from: Int, _ to: Int, _ connection: UInt64) {
    links[from * nodeCount + to] = Link(connection: connection)
  }

  mutating func announce(_ from: Int, _ to: Int) {
    links[from * nodeCount + to].isAnnounced = true
  }

  mutating func setDown(_ from: Int, _ to: Int) {
    links[from * nodeCount + to] = Link()
  }

  func isUpAtEitherEnd(_ pair: PairIndex) -> Bool {
    link(pair.low, pair.high).isUp || link(pair.high, pair.low).isUp
  }

  mutating func makeConnection() -> UInt64 {
    defer { nextConnection += 1 }
    return nextConnection
  }

  // MARK: The push channel

  /// Takes room for a frame; false when the channel is full.
  mutating func takeRoom(_ from: Int, _ to: Int) -> Bool {
    let place = from * nodeCount + to
    guard links[place].pushesInFlight < Network.pushesMax else {
      links[place].isBlocked = true
      return false
    }
    links[place].pushesInFlight += 1
    return true
  }

  /// Gives room back; true when a full channel has become free again.
  mutating func giveRoom(_ from: Int, _ to: Int, _ connection: UInt64) -> Bool {
    let place = from * nodeCount + to
    guard links[place].connection == connection, links[place].pushesInFlight > 0 else {
      return false
    }
    links[place].pushesInFlight -= 1
    guard links[place].isBlocked, links[place].pushesInFlight < Network.pushesMax / 2 else {
      return false
    }
    links[place].isBlocked = false
    return true
  }

  // MARK: The consensus stream

  /// Adds a frame behind all others; true when it is the only one and must be planned.
  mutating func enqueue(_ bytes: [UInt8], _ from: Int, _ to: Int, readyAt: Instant) -> Bool {
    let place = from * nodeCount + to
    let last = links[place].consensus.last?.readyAt ?? .origin
    links[place].consensus.append((bytes, max(readyAt, last)))
    return links[place].consensus.count == 1
  }

  /// Takes the frame whose turn it is; `nil` when there is none yet.
  mutating func dequeue(_ from: Int, _ to: Int, at now: Instant) -> [UInt8]? {
    let place = from * nodeCount + to
    guard let first = links[place].consensus.first, first.readyAt <= now else { return nil }
    links[place].consensus.removeFirst()
    return first.bytes
  }

  /// When the next frame arrives; `nil` when none waits.
  func nextReady(_ from: Int, _ to: Int) -> Instant? {
    links[from * nodeCount + to].consensus.first?.readyAt
  }

  // MARK: Dials

  /// Notes that a dial is planned; false when one was.
  mutating func noteDial(_ pair: PairIndex) -> Bool {
    let place = pair.low * nodeCount + pair.high
    guard !dials[place].isPlanned else { return false }
    dials[place].isPlanned = true
    return true
  }

  /// Notes how a dial went and returns the pause before the next one.
  mutating func endDial(_ pair: PairIndex, succeeded: Bool) -> TimeSpan {
    let place = pair.low * nodeCount + pair.high
    let failures = succeeded ? 0 : dials[place].failures + 1
    dials[place] = (false, failures)
    let ceiling = TimeSpan.milliseconds(50) * (1 << min(failures, 4))
    return TimeSpan(nanoseconds: random.next(in: ceiling.nanoseconds / 2...ceiling.nanoseconds))
  }

  // MARK: Chance

  /// When a message sent now arrives.
  mutating func arrival(_ from: Int, _ to: Int, at now: Instant) -> Instant {
    let delay =
      distances[from * nodeCount + to].map { distance in
        TimeSpan(
          nanoseconds: distance.nanoseconds + random.next(in: 0...distance.nanoseconds / 10))
      } ?? conditions.delay.pick(&random)
    return max(now, clogs[from * nodeCount + to]) + delay
  }

  mutating func isLost() -> Bool { chance(conditions.lossMillionths) }

  mutating func isDatagramLost() -> Bool {
    chance(max(conditions.lossMillionths, conditions.datagramLossMillionths))
  }

  mutating func isDuplicated() -> Bool { chance(conditions.duplicateMillionths) }

  private mutating func chance(_ millionths: UInt64) -> Bool {
    random.chance(Ratio(millionths, in: 1_000_000))
  }

  /// How long an end takes to notice that the other is gone.
  mutating func idleTimeout() -> TimeSpan {
    TimeSpan(nanoseconds: random.next(in: 500_000_000...2_000_000_000))
  }

  /// A pause of up to `longest`.
  mutating func pause(_ longest: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: random.next(in: 0...longest.nanoseconds))
  }
}
