internal import Crypto
internal import Glibc
internal import HTTPClient
internal import JSONText
internal import Primitives

/// What one client counted in one measurement.
struct IngestCount: Sendable {
  /// Answers that were acknowledged at their level.
  var operations = 0
  /// How long each request took whose answers were acknowledged, in microseconds.
  var latencies: [UInt32] = []
  /// Requests that were turned away because too much was under way (503).
  var overloaded = 0
  /// Requests whose level was not reached in time (504).
  var undecided = 0
  /// What else went wrong first, if anything did.
  var fault: String?
  /// When the last request ended, in nanoseconds of the monotonic clock.
  var endNanoseconds: UInt64 = 0
}

/// How answers are sent.
struct AnswerPattern: Sendable {
  /// One or many in a request.
  var phase: IngestPhase
  /// Answers in a request with many.
  var batchCount = 100
  /// The level that is waited for.
  var level = "quorum"
  /// When each client sends its requests: one each so many nanoseconds; `nil` for each as soon as
  /// the one before is answered.
  var paceNanoseconds: UInt64?
}

/// One connection's worth of load: an agent that answers one question after the other.
///
/// The value is what lives on between measurements; each measurement has its own connection.
package struct IngestClient: Sendable {
  private let endpoint: String
  private let workload: IngestWorkload
  private var agent = ""
  private var headers: [HTTPClientField] = []
  /// The first question that the agent has not answered.
  private var next: Int

  /// Makes a client of a node; it registers its agent when it first needs one.
  init(endpoint: String, workload: IngestWorkload) {
    self.endpoint = endpoint
    self.workload = workload
    next = workload.questions.count
  }

  /// Connects, so that a measurement does not include it.
  func connect() throws -> HTTPConnection {
    let connection = HTTPConnection(responseBytesMax: 1 << 20)
    _ = try connection.send(method: "GET", url: endpoint + "/health")
    return connection
  }

  /// Sends requests from one moment to another, at a pace from `first` on.
  mutating func run(
    _ pattern: AnswerPattern, on connection: HTTPConnection, from first: UInt64,
    untilNanoseconds end: UInt64
  ) -> IngestCount {
    var count = IngestCount()
    count.latencies.reserveCapacity(16_384)
    var due = first
    do {
      while BenchClock.nanoseconds < end {
        let size =
          switch pattern.phase {
          case .single: 1
          case .batch: pattern.batchCount
          }
        if next + size > workload.questions.count { try register(on: connection) }
        var start = BenchClock.nanoseconds
        if let pace = pattern.paceNanoseconds {
          if due >= end { break }
          BenchClock.wait(until: due)
          // A request that its forerunner holds up has waited from its own time on.
          start = due
          due += pace
        }
        try send(pattern, next..<next + size, on: connection, since: start, &count)
        next += size
      }
    } catch {
      count.fault = "\(error)"
    }
    count.endNanoseconds = BenchClock.nanoseconds
    return count
  }

  private func send(
    _ pattern: AnswerPattern, _ places: Range<Int>, on connection: HTTPConnection,
    since start: UInt64, _ count: inout IngestCount
  ) throws {
    let url: String
    let body: [UInt8]
    switch pattern.phase {
    case .single:
      url = "\(endpoint)/v1/questions/\(workload.questions[places.lowerBound])/answers"
      body = workload.singleBody
    case .batch:
      url = "\(endpoint)/v1/agents/\(agent)/answers/batch"
      body = workload.batchBody(places)
    }
    let response = try connection.send(
      method: "POST", url: url + "?consistency=" + pattern.level, headers: headers, body: body)
    let microseconds = (BenchClock.nanoseconds - start) / 1_000
    switch response.status {
    case 200, 201:
      switch pattern.phase {
      case .single: count.operations += response.status == 201 ? 1 : 0
      case .batch: count.operations += try IngestClient.accepted(in: response.body)
      }
      count.latencies.append(UInt32(clamping: microseconds))
    case 503:
      count.overloaded += 1
      poll(nil, 0, 10)
    case 504:
      count.undecided += 1
    default:
      throw APIClient.refusal(response)
    }
  }

  /// Reads `"accepted":N` behind the results of a batch; everything before it has no such member.
  package static func accepted(in body: [UInt8]) throws -> Int {
    let key = Array(#""accepted":"#.utf8)
    var place = body.count - key.count
    while place >= 0 {
      if body[place] == key[0], body[place..<place + key.count].elementsEqual(key) {
        let digits = body[(place + key.count)...].prefix { (0x30...0x39).contains($0) }
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else { break }
        return number
      }
      place -= 1
    }
    throw UnexpectedReply("a batch", lacks: "accepted")
  }

  /// Registers a new agent, which has answered nothing yet.
  private mutating func register(on connection: HTTPConnection) throws {
    let token = "bench_" + Hexadecimal.text(Entropy.bytes(32))
    var writer = JSONWriter()
    writer.beginObject()
    for (name, text) in [
      ("name", "bench ingest"), ("description", "Answers to be measured"),
      ("platform", "custom"), ("apiKey", token),
    ] {
      writer.key(name)
      writer.string(text)
    }
    writer.endObject()
    let json = HTTPClientField("Content-Type", "application/json")
    let response = try connection.send(
      method: "POST", url: endpoint + "/v1/agents/register?consistency=quorum", headers: [json],
      body: writer.bytes)
    guard response.status == 201 else { throw APIClient.refusal(response) }
    guard let id = try JSONValue.parse(response.body)["id"]?.string else {
      throw UnexpectedReply("a registration", lacks: "id")
    }
    agent = id
    headers = [json, HTTPClientField("Authorization", "Bearer \(token)")]
    next = 0
  }
}

/// The clock of measurements.
enum BenchClock {
  /// Waits until a moment; at once when it is over.
  static func wait(until moment: UInt64) {
    var time = timespec(
      tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }

  /// Nanoseconds since some moment in the past; never jumps.
  static var nanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
