package import Histories
internal import JSONText
internal import Primitives

/// A client of the control state: one operation after the other, through any node, each recorded.
final class CommandClient {
  /// How long an operation may take, in milliseconds: sometimes too short, so that outcomes stay
  /// unknown.
  static let patienceMilliseconds = (usual: 2_000, seldom: 40)

  private let number: Int
  private let nodes: [PlainConnection]
  private let token: String
  private let books: ScenarioBooks
  private let keys: [String]
  /// The mean time between two operations of this client.
  private let periodNanoseconds: UInt64
  private var versions: [UInt64]
  private var random: Xoshiro256
  private var choice: NodeChoice
  private var writes = 0

  init(
    _ number: Int, nodes: [PlainAddress], token: String, keys: Int, periodNanoseconds: UInt64,
    seed: UInt64, books: ScenarioBooks
  ) {
    self.number = number
    self.nodes = nodes.map { PlainConnection($0) }
    self.token = token
    self.books = books
    self.keys = (0..<keys).map { "key-\($0)" }
    self.periodNanoseconds = periodNanoseconds
    versions = Array(repeating: 0, count: keys)
    random = Xoshiro256(seed: seed, purpose: "command client \(number)")
    choice = NodeChoice(count: nodes.count)
  }

  /// Works until the books are closed.
  func run() {
    while !books.isOver {
      DrillClient.pause(
        milliseconds: Int(random.next(in: 0...(2 * periodNanoseconds)) / 1_000_000))
      operate()
    }
  }

  private func operate() {
    let place = random.next(below: keys.count)
    let operation = nextOperation(on: place)
    let isHasty = random.chance(Ratio(1, in: 20))
    let patience =
      isHasty
      ? CommandClient.patienceMilliseconds.seldom : CommandClient.patienceMilliseconds.usual
    let call = BenchClock.nanoseconds
    let node = choice.pick(at: call, &random)
    guard let ticket = books.begin(client: number, key: keys[place], operation, at: call) else {
      return
    }
    let request = self.request(operation, keys[place], patience: patience)
    var result = HistoryResult.unknown
    do throws(PlainConnection.Failure) {
      // The node says when the time is over; only one that stands still says nothing.
      let response = try nodes[node].send(request, timeoutMilliseconds: patience + 500)
      result = self.result(of: response, operation)
      if response.status == 503 || response.status == 504 && !isHasty {
        choice.avoid(
          node, from: BenchClock.nanoseconds, for: NodeChoice.uselessNanoseconds)
      }
    } catch {
      switch error {
      case .unreachable:
        result = .refused
        choice.avoid(
          node, from: BenchClock.nanoseconds, for: NodeChoice.unreachableNanoseconds)
      case .broken:
        choice.avoid(
          node, from: BenchClock.nanoseconds, for: NodeChoice.unreachableNanoseconds)
      case .timedOut:
        choice.avoid(node, from: BenchClock.nanoseconds, for: NodeChoice.uselessNanoseconds)
      case .malformed(let reason):
        books.note(surprise: "node \(node + 1) sent what is no answer: \(reason)")
      }
    }
    remember(result, place)
    books.answer(ticket, result, at: BenchClock.nanoseconds)
  }

  private func nextOperation(on place: Int) -> HistoryOperation {
    writes += 1
    let value = "\(number)-\(writes)"
    switch random.next(below: 20) {
    case 0..<7: return .get
    case 7..<13: return .put(value: value)
    case 13..<18: return .compareAndSet(expected: versions[place], value: value)
    case 18: return .delete(expected: nil)
    // open set: what chance draws below 20
    default: return .delete(expected: versions[place] == 0 ? nil : versions[place])
    }
  }

  private func request(
    _ operation: HistoryOperation, _ key: String, patience: Int
  ) -> PlainRequest {
    let target = "/v1/kv/\(key)?timeout=\(patience)"
    switch operation {
    case .put(let value):
      return PlainRequest(
        "PUT", target, token: token, body: CommandClient.body(value, expected: nil))
    case .compareAndSet(let expected, let value):
      return PlainRequest(
        "PUT", target, token: token, body: CommandClient.body(value, expected: expected))
    case .delete(let expected):
      let condition = expected.map { "&ifVersion=\($0)" } ?? ""
      return PlainRequest("DELETE", target + condition, token: token)
    case .get, .lock, .unlock, .watch: return PlainRequest("GET", target, token: token)
    }
  }

  private static func body(_ value: String, expected: UInt64?) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("value")
    writer.string(value)
    if let expected {
      writer.key("ifVersion")
      writer.unsigned(expected)
    }
    writer.endObject()
    return writer.bytes
  }

  private func result(
    of response: ResponseReader.Response, _ operation: HistoryOperation
  ) -> HistoryResult {
    guard
      let result = KeyAnswer.result(status: response.status, body: response.body, to: operation),
      operation.admits(result)
    else {
      let text = String(decoding: response.body.prefix(300), as: UTF8.self)
      books.note(surprise: "\(operation.name) was answered \(response.status): \(text)")
      return .unknown
    }
    return result
  }

  private func remember(_ result: HistoryResult, _ place: Int) {
    switch result {
    case .written(let version), .value(_, let version), .conflict(let version):
      versions[place] = version
    case .absent, .deleted: versions[place] = 0
    case .unknown, .refused, .acquired, .held, .released, .lost, .observed: break
    }
  }
}

/// What an answer of the interface means in a history.
package enum KeyAnswer {
  /// The result that an operation had; `nil` when nothing explains the answer.
  package static func result(
    status: Int, body: [UInt8], to operation: HistoryOperation
  ) -> HistoryResult? {
    switch status {
    case 503: return .refused
    case 504: return .unknown
    case 200, 404, 409: break
    // open set: statuses of HTTP
    default: return nil
    }
    // An answer of these statuses is JSON; whatever else came explains nothing.
    guard let json = try? JSONValue.parse(body) else { return nil }
    func number(_ key: String) -> UInt64? {
      json[key]?.integer.flatMap { UInt64(exactly: $0) }
    }
    switch (operation, status) {
    case (.get, 404): return .absent
    case (.get, 200):
      guard let value = json["value"]?.string, let version = number("version") else { return nil }
      return .value(value, version: version)
    case (.put, 200), (.compareAndSet, 200): return number("version").map { .written(version: $0) }
    case (.compareAndSet, 409), (.delete, 409):
      return number("version").map { .conflict(version: $0) }
    case (.delete, 200):
      guard let isDeleted = json["deleted"]?.bool, let revision = number("revision") else {
        return nil
      }
      return isDeleted ? .deleted(version: revision) : .absent
    // open set: pairs that no answer has
    default: return nil
    }
  }
}
