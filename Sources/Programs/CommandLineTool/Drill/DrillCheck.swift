internal import HTTPClient
internal import JSONText
internal import SQLiteStorage
internal import Synchronization

/// Asks the nodes of a drill what they hold.
struct DrillCheck {
  /// How long nodes may take to become equal before the drill stops waiting, in milliseconds.
  static let patienceMilliseconds = 60_000
  /// Rows asked for at once; as many as the API gives.
  private static let pageRows = 100

  /// Where the nodes are, in order.
  let endpoints: [String]

  /// What all nodes agree on.
  struct View: Equatable {
    let frontier: JSONValue
    let lanesRoot: String
    let rowsDigest: String
  }

  /// Waits until every node says the same of its lanes and rows, all of it durable; `nil` when that
  /// takes longer than `milliseconds`. Looks once at least.
  func waitUntilEqual(milliseconds: Int) throws -> (view: View, atMilliseconds: Int)? {
    let connection = HTTPConnection(responseBytesMax: 16 << 20)
    let deadline = MonotonicClock.milliseconds + milliseconds
    while true {
      let views = endpoints.map { DrillCheck.view($0, connection) }
      if let first = views[0], views.allSatisfy({ $0 == first }) {
        return (first, MonotonicClock.milliseconds)
      }
      guard MonotonicClock.milliseconds < deadline else { return nil }
      DrillClient.pause(milliseconds: 10)
    }
  }

  /// What one node says; `nil` when it does not answer or has not synced all that it applied.
  private static func view(_ endpoint: String, _ connection: HTTPConnection) -> View? {
    // A node that is starting refuses connections; whoever waits will ask again.
    guard
      let response = try? connection.send(
        method: "GET", url: "\(endpoint)/v1/status", timeoutMilliseconds: 2_000),
      response.status == 200, let status = try? JSONValue.parse(response.body),
      let frontier = status["frontier"], frontier == status["syncedFrontier"],
      let root = status["lanesRoot"]?.string, let rows = status["rowsDigest"]?.string
    else { return nil }
    return View(frontier: frontier, lanesRoot: root, rowsDigest: rows)
  }

  /// For each node, the confirmed writes that it does not show, or shows otherwise.
  ///
  /// The nodes are asked at once, each by a thread of its own.
  func missing(_ cast: DrillCast, _ books: DrillLedger.State) throws -> [[String]] {
    let results = Mutex<[Result<[String], any Error>?]>(
      Array(repeating: nil, count: endpoints.count))
    let threads = endpoints.enumerated().map { index, endpoint in
      WorkerThread {
        let result = Result { try DrillCheck.missing(at: endpoint, cast, books) }
        results.withLock { $0[index] = result }
      }
    }
    for thread in threads { thread.join() }
    return try results.withLock { results in
      try results.map { result in
        guard let result else { preconditionFailure("a node was not asked") }
        return try result.get()
      }
    }
  }

  private static func missing(
    at endpoint: String, _ cast: DrillCast, _ books: DrillLedger.State
  ) throws -> [String] {
    let reader = PageReader(endpoint)
    var missing: [String] = []
    let clients = cast.agents.count - 1
    for (index, question) in cast.questions.enumerated() {
      var contents: [String: String] = [:]
      try reader.forEach("answers", at: "/v1/questions/\(question)/answers") { row in
        contents[row["agent"]?.string ?? ""] = row["content"]?.string
      }
      let numbers = index * clients..<min((index + 1) * clients, books.answers.count)
      for number in numbers where books.answers[number] {
        let content = contents[cast.agent(ofAnswer: number).id]
        if content != DrillCast.content(ofAnswer: number) { missing.append("answer \(number)") }
      }
    }
    let asked = try DrillCheck.questions(reader)
    let lost = (cast.questions + books.localQuestions).filter { !asked.contains($0) }
    return missing + lost.map { "question \($0)" }
  }

  private static func questions(_ reader: PageReader) throws -> Set<String> {
    var asked: Set<String> = []
    try reader.forEach("questions", at: "/v1/questions") { asked.insert($0["id"]?.string ?? "") }
    return asked
  }

  /// For each node, how many of the confirmed questions it does not show.
  func missing(questions: [String]) throws -> [Int] {
    try endpoints.map { endpoint in
      let asked = try DrillCheck.questions(PageReader(endpoint))
      return questions.count { !asked.contains($0) }
    }
  }

  /// Reads lists page by page.
  private final class PageReader {
    private let endpoint: String
    private let connection = HTTPConnection()

    init(_ endpoint: String) {
      self.endpoint = endpoint
    }

    func forEach(_ list: String, at path: String, _ body: (JSONValue) -> Void) throws {
      var cursor = ""
      while true {
        let url = "\(endpoint)\(path)?limit=\(DrillCheck.pageRows)\(cursor)"
        let response = try connection.send(method: "GET", url: url)
        guard response.status == 200 else {
          throw DrillError("\(url) answered \(response.status)")
        }
        let page = try JSONValue.parse(response.body)
        for row in page[list]?.array ?? [] { body(row) }
        guard let next = page["next"]?.string else { return }
        cursor = "&cursor=\(next)"
      }
    }
  }
}
