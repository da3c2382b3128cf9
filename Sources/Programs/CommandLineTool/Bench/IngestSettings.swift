/// What `bench ingest` is asked to measure.
struct IngestSettings: Sendable {
  /// Nodes to start; not used with `endpoints`.
  var nodeCount = 4
  /// Connections that are used at the same time.
  var clientCount = 64
  /// Seconds of one measurement.
  var seconds = 10
  /// Answers in one request of the second phase.
  var batchCount = 100
  /// Bytes of text in an answer: content and reasoning.
  var bytes = 256
  /// How often each phase is measured.
  var repeats = 3
  /// APIs of nodes that run already; empty to start a cluster.
  var endpoints: [String] = []

  /// Questions that are asked first; an agent that has answered them all gives way to a new one.
  static let questionCount = 2_000
  /// The reasoning of every answer.
  static let reasoning = "Measured by bench ingest."
  /// What an answer's text may have, so that its content keeps the limits of the API.
  static let bytesRange = reasoning.utf8.count + 10...reasoning.utf8.count + 1_000
}

/// One of the two ways in which answers are sent.
enum IngestPhase: Sendable, CaseIterable {
  /// An answer per request.
  case single
  /// Many answers per request.
  case batch

  /// The name in reports.
  var name: String {
    switch self {
    case .single: "single"
    case .batch: "batch"
    }
  }
}
