internal import ControlCore
internal import Histories
internal import NodeCore
internal import Primitives

/// Programs that use the control state: each does one operation after the other, on a few keys, so
/// that they meet.
struct CommandClients {
  /// One client.
  struct Client {
    /// What it waits for.
    var open: Open?
    /// The last version that it has seen of each key.
    var versions: [UInt64]
  }

  /// An operation that is not answered.
  struct Open {
    let request: ControlRequestID
    let node: Int
    let life: UInt64
    let key: Int
    let ticket: History.Ticket
    let deadline: Instant
  }

  /// What a client does next.
  struct Step {
    let operation: HistoryOperation
    let key: Int
    let patience: TimeSpan
    let choice: UInt64
  }

  let scenario: Scenario.Commands
  var clients: [Client]
  var history = History()
  var random: Xoshiro256
  private var nextRequest: UInt64 = 1
  private var nextValue: UInt64 = 1

  init(_ scenario: Scenario, seed: UInt64) {
    self.scenario = scenario.commands
    clients = Array(
      repeating: Client(open: nil, versions: Array(repeating: 0, count: scenario.commands.keys)),
      count: scenario.commands.count)
    random = Xoshiro256(seed: seed, purpose: "command clients")
  }

  static func name(ofKey key: Int) -> String { "key-\(key)" }

  mutating func makeRequest() -> ControlRequestID {
    defer { nextRequest += 1 }
    return ControlRequestID(nextRequest)
  }

  /// How long a client thinks before its next operation.
  mutating func pause() -> TimeSpan {
    let mean = 1_000_000_000 * UInt64(max(1, clients.count)) / scenario.perSecond
    return TimeSpan(nanoseconds: random.next(in: 0...(2 * mean)))
  }

  mutating func next(_ client: Int) -> Step {
    let key = random.next(below: scenario.keys)
    let version = clients[client].versions[key]
    let value = "value \(nextValue)"
    nextValue += 1
    let operation: HistoryOperation =
      switch random.next(below: 20) {
      case 0..<7: .get
      case 7..<13: .put(value: value)
      case 13..<18: .compareAndSet(expected: version, value: value)
      case 18: .delete(expected: nil)
      default: .delete(expected: version == 0 ? nil : version)
      }
    let patience: TimeSpan = random.chance(Ratio(1, in: 20)) ? .milliseconds(40) : .seconds(3)
    return Step(operation: operation, key: key, patience: patience, choice: random.next())
  }
}
