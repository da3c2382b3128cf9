internal import JSONText

/// The figures of `bench ingest`, as medians over the repetitions.
struct IngestReport {
  /// What was measured.
  let settings: IngestSettings
  /// How many nodes took part.
  let nodeCount: Int
  /// The figures by phase.
  let phases: [(phase: IngestPhase, runs: [IngestFigures])]

  /// A figure: its name, its unit, and how it is read from one measurement.
  private struct Figure: Sendable {
    let key: String
    let label: String
    let decimals: Int
    let read: @Sendable (IngestFigures) -> Double?
  }

  private static let figures = [
    Figure(key: "operationsPerSecond", label: "answers/s", decimals: 0) { $0.operationsPerSecond },
    Figure(key: "requestsPerSecond", label: "requests/s", decimals: 0) { $0.requestsPerSecond },
    Figure(key: "p50Milliseconds", label: "p50 ms", decimals: 2) { $0.medianMilliseconds },
    Figure(key: "p99Milliseconds", label: "p99 ms", decimals: 2) { $0.p99Milliseconds },
    Figure(key: "nodeMicrosecondsPerOperation", label: "nodes µs/answer", decimals: 1) {
      $0.nodeMicrosecondsPerOperation
    },
    Figure(key: "clientMicrosecondsPerOperation", label: "clients µs/answer", decimals: 1) {
      $0.clientMicrosecondsPerOperation
    },
    Figure(key: "bundlesPerSecond", label: "bundles/s", decimals: 0) { $0.bundlesPerSecond },
    Figure(key: "operationsPerBundle", label: "answers/bundle", decimals: 1) {
      $0.operationsPerBundle
    },
    Figure(key: "rawOperationsPerSecond", label: "raw SQLite/s", decimals: 0) {
      $0.rawOperationsPerSecond
    },
    Figure(key: "ratioToRaw", label: "part of raw", decimals: 3) { $0.ratioToRaw },
    Figure(key: "overloaded", label: "503", decimals: 0) { Double($0.overloaded) },
    Figure(key: "undecided", label: "504", decimals: 0) { Double($0.undecided) },
  ]

  private static let powers: [Double] = [1, 10, 100, 1_000]

  /// The medians for people.
  func text(_ console: Console) -> String {
    var table = Table(
      [(title: "MEDIAN OF \(settings.repeats)", alignment: Table.Alignment.left)]
        + phases.map { (title: $0.phase.name.uppercased(), alignment: .right) })
    for figure in IngestReport.figures {
      table.append(
        [.init(figure.label)]
          + phases.map { phase in
            .init(
              IngestReport.median(figure, phase.runs).map { IngestReport.show($0, figure) } ?? "-")
          })
    }
    let setting = "\(nodeCount) nodes, \(settings.clientCount) clients, \(settings.seconds) s, "
    let answers = "\(settings.bytes) bytes per answer, \(settings.batchCount) answers per batch"
    return table.text(console) + setting + answers + ", quorum\n"
  }

  /// The medians and every measurement for programs.
  var json: [UInt8] {
    var writer = JSONWriter(capacity: 8_192)
    writer.beginObject()
    for (name, number) in [
      ("nodes", nodeCount), ("clients", settings.clientCount), ("seconds", settings.seconds),
      ("batch", settings.batchCount), ("bytes", settings.bytes), ("repeats", settings.repeats),
    ] {
      writer.key(name)
      writer.integer(number)
    }
    writer.key("consistency")
    writer.string("quorum")
    for (phase, runs) in phases {
      writer.key(phase.name)
      writer.beginObject()
      for figure in IngestReport.figures {
        IngestReport.write(IngestReport.median(figure, runs), figure, to: &writer)
      }
      writer.key("runs")
      writer.beginArray()
      for run in runs {
        writer.beginObject()
        for figure in IngestReport.figures {
          IngestReport.write(figure.read(run), figure, to: &writer)
        }
        writer.endObject()
      }
      writer.endArray()
      writer.endObject()
    }
    writer.endObject()
    return writer.bytes
  }

  private static func median(_ figure: Figure, _ runs: [IngestFigures]) -> Double? {
    let numbers = runs.compactMap(figure.read)
    return numbers.count == runs.count ? IngestFigures.median(numbers) : nil
  }

  private static func write(_ number: Double?, _ figure: Figure, to writer: inout JSONWriter) {
    writer.key(figure.key)
    guard let number else { return writer.null() }
    writer.fixedPoint(scaled(number, figure), scale: figure.decimals)
  }

  private static func show(_ number: Double, _ figure: Figure) -> String {
    var writer = JSONWriter()
    writer.fixedPoint(scaled(number, figure), scale: figure.decimals)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private static func scaled(_ number: Double, _ figure: Figure) -> Int64 {
    Int64((number * powers[figure.decimals]).rounded())
  }
}
