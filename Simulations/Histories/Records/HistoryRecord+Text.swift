extension HistoryRecord {
  /// The operation as a sentence, such as `client 3 put "a" → version 7, 1.200 to 1.350 ms`.
  package var sentence: String {
    let end = answered.map { Milliseconds.text($0, decimals: 3) } ?? "never answered"
    let start = Milliseconds.text(call, decimals: 3)
    return "client \(client) \(question) → \(answer), \(start) to \(end)"
  }

  private var question: String {
    switch operation {
    case .get: "get"
    case .put(let value): "put \"\(value)\""
    case .compareAndSet(let expected, let value): "cas \(expected) to \"\(value)\""
    case .delete(let expected): "delete" + (expected.map { " \($0)" } ?? "")
    case .lock: "lock"
    case .unlock(let token): "unlock \(token)"
    case .watch(let after): "watch after \(after)"
    }
  }

  private var answer: String {
    switch result {
    case .written(let version): "version \(version)"
    case .deleted(let version): "deleted" + (version.map { " at version \($0)" } ?? "")
    case .value(let value, let version): "\"\(value)\" at version \(version)"
    case .conflict(let version): "conflict with version \(version)"
    case .acquired(let token): "token \(token)"
    case .observed(let through, let events): "\(events.count) events through \(through)"
    case .unknown, .refused, .absent, .held, .released, .lost: result.status
    }
  }
}
