internal import ControlCore
internal import Histories
internal import NodeCore
internal import Primitives
internal import Records

/// Programs that use the control state: each does one operation after the other, on a few keys, so
/// that they meet. Some read and write keys, some take locks with leases, some watch.
struct CommandClients {
  /// What a client is there for.
  enum Purpose {
    case register
    case locker
    case watcher
  }

  /// One client.
  struct Client {
    let purpose: Purpose
    /// What it waits for.
    var open: Open?
    /// The node that answered it last: where it turns to first.
    var home: Int?
    /// The last version that it has seen of each key.
    var versions: [UInt64]
    /// A locker's lease, as long as it believes in it.
    var lease: LeaseID?
    /// The lock that it believes to hold, and the token.
    var hold: (key: Int, token: UInt64)?
    /// Up to which revision a watcher has seen everything.
    var watched: UInt64 = 0
  }

  /// An operation that is not answered.
  struct Open {
    let request: ControlRequestID
    let node: Int
    let life: UInt64
    let key: Int
    /// Its place in the history; `nil` for what a history does not tell of.
    let ticket: History.Ticket?
    let deadline: Instant
    let calledAt: Instant
  }

  /// What a client does next.
  struct Step {
    let action: CommandAction
    let key: Int
    let patience: TimeSpan
    let choice: UInt64
  }

  /// How long a lease lasts, in milliseconds.
  static let leaseMilliseconds: UInt32 = 1_500
  /// What the names of all keys start with.
  static let prefix = "key-"

  let scenario: Scenario.Commands
  var clients: [Client] = []
  var history = History()
  /// Requests whose client has gone on, and the nodes that owe it an answer.
  var abandoned = SortedMap<ControlRequestID, Open>()
  var random: Xoshiro256
  private var nextRequest: UInt64 = 1
  private var nextValue: UInt64 = 1

  init(_ scenario: Scenario, seed: UInt64) {
    self.scenario = scenario.commands
    random = Xoshiro256(seed: seed, purpose: "command clients")
    let purposes =
      Array(repeating: Purpose.register, count: scenario.commands.count)
      + Array(repeating: .locker, count: scenario.commands.lockers)
      + Array(repeating: .watcher, count: scenario.commands.watchers)
    let versions = [UInt64](repeating: 0, count: scenario.commands.keys)
    clients = purposes.map { Client(purpose: $0, open: nil, versions: versions) }
  }

  /// The key or lock of a client's step.
  func name(_ client: Int, _ key: Int) -> String {
    clients[client].purpose == .locker ? "lock-\(key)" : "\(CommandClients.prefix)\(key)"
  }

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
    let patience: TimeSpan = random.chance(Ratio(1, in: 20)) ? .milliseconds(40) : .seconds(3)
    switch clients[client].purpose {
    case .register:
      let key = random.next(below: scenario.keys)
      return Step(
        action: .register(registerOperation(client, key)), key: key, patience: patience,
        choice: random.next())
    case .locker:
      let key = clients[client].hold?.key ?? random.next(below: max(1, scenario.keys / 2))
      return Step(
        action: lockerAction(client), key: key, patience: patience, choice: random.next())
    case .watcher:
      return Step(
        action: .watch(after: clients[client].watched), key: 0, patience: patience,
        choice: random.next())
    }
  }

  private mutating func registerOperation(_ client: Int, _ key: Int) -> HistoryOperation {
    let version = clients[client].versions[key]
    let value = "value \(nextValue)"
    nextValue += 1
    return switch random.next(below: 20) {
    case 0..<7: .get
    case 7..<13: .put(value: value)
    case 13..<18: .compareAndSet(expected: version, value: value)
    case 18: .delete(expected: nil)
    default: .delete(expected: version == 0 ? nil : version)
    }
  }

  private mutating func lockerAction(_ client: Int) -> CommandAction {
    guard let lease = clients[client].lease else { return .grant }
    guard let hold = clients[client].hold else { return .lock(lease) }
    return switch random.next(below: 4) {
    case 0: .renew(lease)
    case 1: .lock(lease)
    default: .unlock(lease, token: hold.token)
    }
  }
}

/// What a client asks for.
enum CommandAction {
  /// A key is read or written.
  case register(HistoryOperation)
  /// A lease is asked for.
  case grant
  /// The lease's time is to start anew.
  case renew(LeaseID)
  /// The lock is asked for; nobody queues.
  case lock(LeaseID)
  /// The lock is given back.
  case unlock(LeaseID, token: UInt64)
  /// Changes of keys are read from what the node has applied.
  case watch(after: UInt64)

  /// What the history tells of it.
  var operation: HistoryOperation? {
    switch self {
    case .register(let operation): operation
    case .lock: .lock
    case .unlock(_, let token): .unlock(token: token)
    case .grant, .renew, .watch: nil
    }
  }
}
