/// Counts and durations per route, in flat arrays that never grow.
struct APIMetrics {
  /// The place of requests that no route takes.
  static let noRoute = -1
  /// The upper bounds of the duration buckets; one more has no bound.
  static let boundsMicroseconds: [UInt64] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
  ]
  private static let classes = 5

  private let routes: Int
  private var responses: [UInt64]
  private var buckets: [UInt64]
  private var sums: [UInt64]
  /// Writes by outcome.
  var writesReached: UInt64 = 0
  var writesUndecided: UInt64 = 0
  var writesOverloaded: UInt64 = 0
  var writesFailed: UInt64 = 0
  /// Requests that were answered with what an earlier one had written.
  var replays: UInt64 = 0

  init(routes: Int) {
    self.routes = routes
    responses = Array(repeating: 0, count: (routes + 1) * APIMetrics.classes)
    buckets = Array(
      repeating: 0, count: (routes + 1) * (APIMetrics.boundsMicroseconds.count + 1))
    sums = Array(repeating: 0, count: routes + 1)
  }

  /// Counts one answer.
  mutating func count(route: Int, status: Int, microseconds: UInt64) {
    precondition((100..<600).contains(status), "status \(status)")
    let place = route + 1
    responses[place * APIMetrics.classes + status / 100 - 1] += 1
    let bounds = APIMetrics.boundsMicroseconds
    let bucket = bounds.firstIndex { microseconds <= $0 } ?? bounds.count
    buckets[place * (bounds.count + 1) + bucket] += 1
    sums[place] &+= microseconds
  }

  /// Writes everything; families without a sample are declared too.
  func write(into text: inout MetricsText, names: [String]) {
    precondition(names.count == routes, "\(names.count) names for \(routes) routes")
    text.family(
      "swarmoracle_http_requests_total", .counter,
      "Requests answered by the agent API, by route and class of status.")
    for place in 0...routes {
      let name = place == 0 ? "none" : names[place - 1]
      for index in 0..<APIMetrics.classes {
        let count = responses[place * APIMetrics.classes + index]
        if count > 0 { text.sample(count, [("route", name), ("status", "\(index + 1)xx")]) }
      }
    }
    text.family(
      "swarmoracle_http_request_duration_seconds", .histogram,
      "Time from a complete request to its answer, by route.")
    let width = APIMetrics.boundsMicroseconds.count + 1
    for place in 0...routes {
      let counts = Array(buckets[place * width..<(place + 1) * width])
      guard counts.contains(where: { $0 > 0 }) else { continue }
      text.histogram(
        counts: counts, boundsMicroseconds: APIMetrics.boundsMicroseconds,
        sumMicroseconds: sums[place], [("route", place == 0 ? "none" : names[place - 1])])
    }
    text.family(
      "swarmoracle_writes_total", .counter, "Groups of operations submitted by agents, by outcome.")
    text.sample(writesReached, [("outcome", "reached")])
    text.sample(writesUndecided, [("outcome", "undecided")])
    text.sample(writesOverloaded, [("outcome", "overloaded")])
    text.sample(writesFailed, [("outcome", "failed")])
    text.family(
      "swarmoracle_replays_total", .counter,
      "Writes that were answered with what an earlier request had written.")
    text.sample(replays)
  }
}
