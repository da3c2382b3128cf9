/// Metrics in the text format 0.0.4 of Prometheus.
///
/// Families are declared once, before their samples. Names outside the product's prefix and
/// samples without a family are programmer errors.
package struct MetricsText: Sendable {
  /// The kinds of families.
  package enum Kind: String, Sendable {
    /// A number that only rises while the process lives.
    case counter
    /// A number that rises and falls.
    case gauge
    /// Counts of observations in cumulative buckets.
    case histogram
  }

  /// A label's name and value.
  package typealias Label = (name: String, value: String)

  /// What every name starts with.
  package static let prefix = "swarmoracle_"

  /// The text so far.
  package private(set) var bytes: [UInt8] = []
  private var family = ""
  private var families: Set<String> = []

  /// Makes an empty text.
  package init() {
    bytes.reserveCapacity(16_384)
  }

  /// Starts the family `name`; its samples follow.
  package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    precondition(name.hasPrefix(MetricsText.prefix), "metric \(name) has a foreign name")
    precondition(families.insert(name).inserted, "metric \(name) is declared twice")
    family = name
    append("# HELP \(name) ")
    appendEscaped(help, quotes: false)
    append("\n# TYPE \(name) \(kind.rawValue)\n")
  }

  /// Adds a sample of the present family.
  package mutating func sample(_ value: UInt64, _ labels: [Label] = []) {
    start(suffix: "", labels)
    append("\(value)\n")
  }

  /// Adds a sample of the present family in millionths.
  package mutating func sample(millionths value: UInt64, _ labels: [Label] = []) {
    start(suffix: "", labels)
    append("\(FieldRule.units(value))\n")
  }

  /// Adds a histogram of durations to the present family, in seconds.
  ///
  /// - Parameters:
  ///   - counts: Observations per bucket, not cumulative; the last has no bound.
  ///   - boundsMicroseconds: The upper bounds of all buckets but the last.
  ///   - sumMicroseconds: The sum of all observations.
  ///   - labels: What tells this histogram from others of the family.
  package mutating func histogram(
    counts: [UInt64], boundsMicroseconds: [UInt64], sumMicroseconds: UInt64, _ labels: [Label]
  ) {
    precondition(
      counts.count == boundsMicroseconds.count + 1,
      "\(counts.count) buckets for \(boundsMicroseconds.count) bounds")
    var total: UInt64 = 0
    for (index, count) in counts.enumerated() {
      total += count
      let bound =
        index < boundsMicroseconds.count ? FieldRule.units(boundsMicroseconds[index]) : "+Inf"
      start(suffix: "_bucket", labels + [("le", bound)])
      append("\(total)\n")
    }
    start(suffix: "_sum", labels)
    append("\(FieldRule.units(sumMicroseconds))\n")
    start(suffix: "_count", labels)
    append("\(total)\n")
  }

  private mutating func start(suffix: String, _ labels: [Label]) {
    precondition(!family.isEmpty, "a sample before its family")
    append(family)
    append(suffix)
    if !labels.isEmpty {
      append("{")
      for (index, label) in labels.enumerated() {
        if index > 0 { append(",") }
        append(label.name)
        append("=\"")
        appendEscaped(label.value, quotes: true)
        append("\"")
      }
      append("}")
    }
    append(" ")
  }

  private mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func appendEscaped(_ text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append("\\\\")
      case 0x0A: append("\\n")
      case UInt8(ascii: "\"") where quotes: append("\\\"")
      default: bytes.append(byte)
      }
    }
  }
}
