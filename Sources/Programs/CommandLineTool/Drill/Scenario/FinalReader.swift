internal import Histories
internal import Primitives

/// Reads every key of a history through every node, as operations of the history.
struct FinalReader {
  /// The first of the numbers of these clients, beyond those of the load.
  private static let clientsFrom: UInt64 = 1_000_000

  private var history: History
  private let keys: [String]

  init(_ history: History) {
    self.history = history
    var keys: [String] = []
    for record in history.records where !keys.contains(record.key) { keys.append(record.key) }
    self.keys = keys
  }

  /// The history with the reads behind it; what a node does not answer stays unknown.
  func read(_ nodes: [(index: Int, address: PlainAddress)], token: String) -> History {
    var history = history
    for (index, address) in nodes {
      let connection = PlainConnection(address)
      for key in keys {
        let ticket = history.begin(
          client: FinalReader.clientsFrom + UInt64(index), key: key, operation: .get,
          at: BenchClock.nanoseconds)
        guard let ticket else { return history }
        var result = HistoryResult.unknown
        // Without an answer nothing is learned.
        if let response = try? connection.send(
          PlainRequest("GET", "/v1/kv/\(key)", token: token), timeoutMilliseconds: 6_000)
        {
          result =
            KeyAnswer.result(status: response.status, body: response.body, to: .get) ?? .unknown
        }
        history.answer(ticket, result, at: BenchClock.nanoseconds)
      }
    }
    return history
  }
}
