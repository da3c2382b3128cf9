internal import JSONText

extension ControlVerdict {
  /// The verdict as one JSON object; times are in nanoseconds.
  package var json: [UInt8] {
    var writer = JSONWriter(capacity: 2048)
    writer.beginObject()
    writer.member("scenario", scenario)
    writer.member("outcome", outcome.rawValue)
    writer.member("command", command)
    writer.member("seed", seed)
    writer.member("durationNanoseconds", nanoseconds)
    writer.member("acknowledged", acknowledged)
    writer.member("lost", lostCount)
    writer.texts("lostWrites", lost)
    writer.member("leaderChanges", leaderChanges)
    writer.member("healNanoseconds", healNanoseconds)
    writer.key("tiers")
    writer.beginArray()
    for tier in tiers { Self.write(tier, to: &writer) }
    writer.endArray()
    writer.key("linearizability")
    Self.write(linearizability, to: &writer)
    writer.member("faults", faults.count)
    writer.texts("faultLines", faults.kept.map(\.line))
    writer.key("expectations")
    writer.beginArray()
    for expectation in expectations {
      writer.beginObject()
      writer.member("text", expectation.text)
      writer.member("found", expectation.found)
      writer.key("met")
      writer.bool(expectation.isMet)
      writer.endObject()
    }
    writer.endArray()
    writer.member("conflicts", conflictCount)
    writer.key("conflictList")
    writer.beginArray()
    for conflict in conflicts {
      writer.beginObject()
      writer.member("key", conflict.key)
      writer.member("policy", conflict.policy)
      writer.member("detail", conflict.detail)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func write(_ tier: WriteGaps, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("tier", tier.tier.rawValue)
    writer.member("acknowledged", tier.acknowledged)
    writer.member("unknown", tier.unknown)
    writer.member("refused", tier.refused)
    writer.member("pauseMedianNanoseconds", tier.pauseMedian)
    writer.member("pauseMaxNanoseconds", tier.pauseMax)
    writer.member("outages", tier.outages.count)
    writer.member("outageMedianNanoseconds", tier.outageMedian)
    writer.member("outageMaxNanoseconds", tier.outageMax)
    writer.gaps("longestPauses", tier.longestPauses)
    writer.gaps("outageList", tier.outages)
    writer.endObject()
  }

  private static func write(_ report: Linearizability.Report?, to writer: inout JSONWriter) {
    guard let report else { return writer.null() }
    writer.beginObject()
    writer.member("outcome", report.outcome.rawValue)
    writer.member("keys", report.keyCount)
    writer.member("operations", report.operationCount)
    writer.member("steps", report.stepCount)
    writer.texts("violatedKeys", report.violatedKeys)
    writer.texts("undecidedKeys", report.undecidedKeys)
    writer.texts("explanation", report.explanation?.lines ?? [])
    writer.endObject()
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ key: String, _ text: String) {
    self.key(key)
    string(text)
  }

  fileprivate mutating func member(_ key: String, _ number: Int) {
    self.key(key)
    integer(number)
  }

  fileprivate mutating func member(_ key: String, _ number: UInt64?) {
    self.key(key)
    if let number { unsigned(number) } else { null() }
  }

  fileprivate mutating func texts(_ key: String, _ texts: [String]) {
    self.key(key)
    beginArray()
    for text in texts { string(text) }
    endArray()
  }

  fileprivate mutating func gaps(_ key: String, _ gaps: [WriteGaps.Gap]) {
    self.key(key)
    beginArray()
    for gap in gaps {
      beginObject()
      member("start", gap.start)
      member("end", gap.end)
      member("attempts", gap.attempts)
      self.key("closed")
      bool(gap.isClosed)
      endObject()
    }
    endArray()
  }
}
