internal import Crypto
internal import Histories
internal import JSONText
internal import Primitives

/// A client that writes to lanes through any node, at the levels `local` and `quorum`: questions,
/// and shared records that other clients write at the same time.
final class LaneClient {
  /// How long a level may take, in milliseconds.
  static let patienceMilliseconds = 2_000
  /// The collections of shared records, with their policies.
  static let collections = [("drill-notes", "siblings"), ("drill-tags", "set")]
  private static let records = 4

  private let number: Int
  private let nodes: [PlainConnection]
  private let token: String
  private let books: ScenarioBooks
  private let periodNanoseconds: UInt64
  private let quorumMillionths: UInt64
  private var random: Xoshiro256
  private var choices: [WriteTier: NodeChoice]
  private var writes = 0

  init(
    _ number: Int, nodes: [PlainAddress], token: String, periodNanoseconds: UInt64,
    quorumMillionths: UInt64, seed: UInt64, books: ScenarioBooks
  ) {
    self.number = number
    self.nodes = nodes.map { PlainConnection($0) }
    self.token = token
    self.books = books
    self.periodNanoseconds = periodNanoseconds
    self.quorumMillionths = quorumMillionths
    random = Xoshiro256(seed: seed, purpose: "lane client \(number)")
    choices = [
      .local: NodeChoice(count: nodes.count), .quorum: NodeChoice(count: nodes.count),
    ]
  }

  /// Works until the books are closed.
  func run() {
    while !books.isOver {
      DrillClient.pause(
        milliseconds: Int(random.next(in: 0...(2 * periodNanoseconds)) / 1_000_000))
      guard !books.isOver else { return }
      write()
    }
  }

  private func write() {
    let isQuorum = random.next(below: 1_000_000) < Int(quorumMillionths)
    let tier = isQuorum ? WriteTier.quorum : .local
    let request = nextRequest(tier)
    let call = BenchClock.nanoseconds
    guard let node = choices[tier]?.pick(at: call, &random) else { return }
    var outcome = WriteAttempt.Outcome.unknown
    var operations: [String] = []
    var avoided: UInt64 = 0
    do throws(PlainConnection.Failure) {
      let response = try nodes[node].send(
        request, timeoutMilliseconds: LaneClient.patienceMilliseconds + 500)
      (outcome, operations) = read(response, tier)
      if response.status >= 500 { avoided = NodeChoice.uselessNanoseconds }
    } catch {
      switch error {
      case .unreachable:
        outcome = .refused
        avoided = NodeChoice.unreachableNanoseconds
      case .broken: avoided = NodeChoice.unreachableNanoseconds
      case .timedOut: avoided = NodeChoice.uselessNanoseconds
      case .malformed(let reason):
        books.note(surprise: "node \(node + 1) sent what is no answer: \(reason)")
      }
    }
    let now = BenchClock.nanoseconds
    if avoided > 0 { choices[tier]?.avoid(node, from: now, for: avoided) }
    books.note(
      WriteAttempt(
        tier: tier, call: call, answered: outcome == .unknown ? nil : now, outcome: outcome),
      operations: operations)
  }

  private func nextRequest(_ tier: WriteTier) -> PlainRequest {
    writes += 1
    let text = "\(number)-\(writes)"
    let query = "?consistency=\(tier.rawValue)&timeout=\(LaneClient.patienceMilliseconds)"
    let record = "record-\(random.next(below: LaneClient.records))"
    let (method, path, member): (String, String, String)
    switch random.next(below: 4) {
    case 0..<2: (method, path, member) = ("POST", "/v1/questions", "text")
    case 2: (method, path, member) = ("PUT", "/v1/records/drill-notes/\(record)", "value")
    // open set: what chance draws below 4
    default: (method, path, member) = ("POST", "/v1/records/drill-tags/\(record)/set", "add")
    }
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(member)
    writer.string(member == "text" ? "What is \(text) of the drill?" : text)
    writer.endObject()
    return PlainRequest(
      method, path + query, token: token, key: Entropy.identifier(LaneClient.self).description,
      body: writer.bytes)
  }

  private func read(
    _ response: ResponseReader.Response, _ tier: WriteTier
  ) -> (WriteAttempt.Outcome, [String]) {
    switch response.status {
    case 200, 201:
      // A confirmation is JSON; whatever else came is said below.
      let json = try? JSONValue.parse(response.body)
      let reached = json?["consistency"]?["reached"]?.string
      let operations = json?["operations"]?.array?.compactMap(\.string) ?? []
      if reached == tier.rawValue || reached == WriteTier.quorum.rawValue, !operations.isEmpty {
        return (.acknowledged, operations)
      }
    case 503: return (.refused, [])
    case 504: return (.unknown, [])
    case 409 where String(decoding: response.body, as: UTF8.self).contains("record-full"):
      return (.refused, [])
    // open set: statuses of HTTP
    default: break
    }
    let body = String(decoding: response.body.prefix(300), as: UTF8.self)
    books.note(surprise: "a write was answered \(response.status): \(body)")
    return (.unknown, [])
  }
}
