internal import JSONText

/// The figures of `bench finality`, as medians over the repetitions.
struct FinalityReport: Sendable {
  /// What one cluster came to.
  struct Cluster: Sendable {
    /// Nodes, all of them validators.
    let nodeCount: Int
    /// The figures by load.
    var loads: [(name: String, runs: [FinalityFigures])]
    /// The height that every node has executed in the end.
    var height: UInt64 = 0
    /// The first bytes of the root that every node has there.
    var root = ""
  }

  /// What was measured.
  let settings: FinalitySettings
  /// What each cluster came to.
  let clusters: [Cluster]
  /// What the simulated regions came to.
  let regions: RegionFigures

  /// A figure: its name, its column, and how it is read from one measurement.
  private struct Figure: Sendable {
    let key: String
    let label: String
    let decimals: Int
    let read: @Sendable (FinalityFigures) -> Double
  }

  private static let figures = [
    Figure(key: "operationsPerSecond", label: "ANSWERS/S", decimals: 0) { $0.operationsPerSecond },
    Figure(key: "p50Milliseconds", label: "P50 MS", decimals: 1) { $0.medianMilliseconds },
    Figure(key: "p99Milliseconds", label: "P99 MS", decimals: 1) { $0.p99Milliseconds },
    Figure(key: "maxMilliseconds", label: "MAX MS", decimals: 1) { $0.maxMilliseconds },
    Figure(key: "blocksPerSecond", label: "BLOCKS/S", decimals: 1) { $0.blocksPerSecond },
    Figure(key: "bundlesPerBlock", label: "BUNDLES/BLOCK", decimals: 1) { $0.bundlesPerBlock },
    Figure(key: "nodeMicrosecondsPerOperation", label: "NODES µS/ANSWER", decimals: 1) {
      $0.nodeMicrosecondsPerOperation
    },
    Figure(key: "clientMicrosecondsPerOperation", label: "CLIENTS µS/ANSWER", decimals: 1) {
      $0.clientMicrosecondsPerOperation
    },
    Figure(key: "settleMilliseconds", label: "SETTLED MS", decimals: 0) { $0.settleMilliseconds },
    Figure(key: "overloaded", label: "503", decimals: 0) { Double($0.overloaded) },
    Figure(key: "undecided", label: "504", decimals: 0) { Double($0.undecided) },
  ]
  private static let powers = [1.0, 10.0, 100.0]

  /// The report for people.
  func text(_ console: Console) -> String {
    var table = Table(
      [("NODES", .right), ("LOAD", .left)]
        + FinalityReport.figures.map { ($0.label, Table.Alignment.right) })
    for cluster in clusters {
      for (name, runs) in cluster.loads {
        table.append(
          [.init("\(cluster.nodeCount)"), .init(name)]
            + FinalityReport.figures.map { .init(FinalityReport.show($0, runs)) })
      }
    }
    var text = table.text(console) + "\n"
    for cluster in clusters {
      let share = FinalityReport.decimal(cluster.finalToQuorum, 2)
      text += "\(cluster.nodeCount) nodes: final batches are \(share) of those of a quorum; "
      text += "all nodes executed height \(cluster.height) to the root \(cluster.root)\n"
    }
    return text + regions.text
  }

  /// The report for programs.
  var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, number) in [
      ("clients", settings.clientCount), ("seconds", settings.seconds),
      ("batch", settings.batchCount), ("bytes", settings.bytes), ("repeats", settings.repeats),
      ("pacedPerSecond", settings.pacedPerSecond),
    ] {
      writer.key(name)
      writer.integer(number)
    }
    writer.key("clusters")
    writer.beginArray()
    for cluster in clusters { FinalityReport.write(cluster, to: &writer) }
    writer.endArray()
    writer.key("regions")
    writer.value(regions.json)
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ cluster: Cluster, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("nodes")
    writer.integer(cluster.nodeCount)
    writer.key("executedHeight")
    writer.integer(Int(clamping: cluster.height))
    writer.key("executedRoot")
    writer.string(cluster.root)
    writer.key("finalToQuorum")
    writer.fixedPoint(scaled(cluster.finalToQuorum, 2), scale: 2)
    writer.key("loads")
    writer.beginObject()
    for (name, runs) in cluster.loads {
      writer.key(name)
      writer.beginObject()
      for figure in figures {
        write(IngestFigures.median(runs.map(figure.read)), figure, to: &writer)
      }
      writer.key("runs")
      writer.beginArray()
      for run in runs {
        writer.beginObject()
        for figure in figures { write(figure.read(run), figure, to: &writer) }
        writer.endObject()
      }
      writer.endArray()
      writer.endObject()
    }
    writer.endObject()
    writer.endObject()
  }

  private static func write(_ number: Double, _ figure: Figure, to writer: inout JSONWriter) {
    writer.key(figure.key)
    writer.fixedPoint(scaled(number, figure.decimals), scale: figure.decimals)
  }

  private static func show(_ figure: Figure, _ runs: [FinalityFigures]) -> String {
    decimal(IngestFigures.median(runs.map(figure.read)), figure.decimals)
  }

  private static func decimal(_ number: Double, _ decimals: Int) -> String {
    var writer = JSONWriter()
    writer.fixedPoint(scaled(number, decimals), scale: decimals)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private static func scaled(_ number: Double, _ decimals: Int) -> Int64 {
    Int64((number * powers[decimals]).rounded())
  }
}

extension FinalityReport.Cluster {
  /// Final answers in a second as a part of those that a quorum acknowledges.
  var finalToQuorum: Double {
    let rates = loads.filter { $0.name.hasPrefix("batch") }.map { _, runs in
      IngestFigures.median(runs.map(\.operationsPerSecond))
    }
    return rates.count == 2 ? rates[0] / max(rates[1], 1) : 0
  }
}
