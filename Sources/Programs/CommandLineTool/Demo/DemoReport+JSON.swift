internal import JSONText

extension DemoReport {
  /// The report for programs.
  var json: [UInt8] {
    var writer = JSONWriter(capacity: 65_536)
    writer.beginObject()
    writer.key("succeeded")
    writer.bool(succeeded)
    writer.key("questions")
    writer.integer(verdicts.count)
    writer.key("seed")
    writer.unsigned(settings.seed)
    writer.key("agents")
    writer.array(tallies) { writer, tally in
      writer.key("name")
      writer.string(tally.agent.program.name)
      writer.key("id")
      writer.string(tally.agent.id)
      writer.key("node")
      writer.integer(tally.agent.home + 1)
      writer.key("answered")
      writer.integer(tally.answered)
      writer.accuracy(tally.right, permille(tally.right))
    }
    for (name, right) in [("equalVotes", pluralityRight), ("swarm", swarmRight)] {
      writer.key(name)
      writer.beginObject()
      writer.accuracy(right, permille(right))
      writer.endObject()
    }
    writer.key("gain")
    writer.fixedPoint(Int64(permille(swarmRight) - permille(pluralityRight)), scale: 3)
    write(nodes: states, to: &writer)
    writer.key("operations")
    writer.integer(operations)
    writer.key("seconds")
    writer.fixedPoint(Int64(milliseconds), scale: 3)
    writer.key("operationsPerSecond")
    writer.fixedPoint(operationTenthsPerSecond, scale: 1)
    write(outage, to: &writer)
    writer.key("checks")
    writer.array(checks) { writer, check in
      writer.key("claim")
      writer.string(check.claim)
      writer.key("holds")
      writer.bool(check.holds)
      writer.key("faults")
      writer.beginArray()
      for fault in check.faults { writer.string(fault) }
      writer.endArray()
    }
    write(verdicts, to: &writer)
    writer.endObject()
    return writer.bytes
  }

  private func write(nodes: [DemoNodeState], to writer: inout JSONWriter) {
    writer.key("nodes")
    writer.array(Array(nodes.enumerated())) { writer, entry in
      let (place, state) = entry
      writer.key("index")
      writer.integer(state.node)
      writer.key("bundles")
      writer.integer(state.bundles)
      writer.key("operations")
      writer.integer(state.operations)
      writer.key("lanesRoot")
      writer.string(state.lanesRoot)
      writer.key("rowsDigest")
      writer.string(state.rowsDigest)
      let view = views.indices.contains(place) ? views[place] : nil
      writer.key("executedHeight")
      if let view { writer.unsigned(view.executedHeight) } else { writer.null() }
      writer.key("executedRoot")
      if let view { writer.string(view.rootText) } else { writer.null() }
    }
  }

  private func write(_ outage: DemoOutage, to writer: inout JSONWriter) {
    writer.key("outage")
    writer.beginObject()
    let members: [(String, Int64)] = [
      ("node", Int64(outage.node)), ("question", Int64(outage.question)),
      ("killedMilliseconds", Int64(outage.killedMilliseconds)),
      ("downMilliseconds", Int64(outage.downMilliseconds)),
      ("readyMilliseconds", Int64(outage.readyMilliseconds)),
      ("bundlesMissed", outage.bundlesMissed),
      ("catchUpMilliseconds", Int64(outage.catchUpMilliseconds)),
      ("answersMeanwhile", Int64(outage.answersMeanwhile)), ("failovers", Int64(failovers)),
      ("answersAcknowledged", Int64(acknowledged)),
    ]
    for (name, number) in members {
      writer.key(name)
      writer.integer(number)
    }
    writer.endObject()
  }

  private func write(_ verdicts: [DemoVerdict], to writer: inout JSONWriter) {
    writer.key("verdicts")
    writer.array(verdicts) { writer, verdict in
      writer.key("misspelling")
      writer.string(verdict.truth.wrong)
      writer.key("truth")
      writer.string(verdict.truth.right)
      for (name, answer) in [("swarm", verdict.winner), ("equalVotes", verdict.plurality)] {
        writer.key(name)
        if let answer { writer.string(answer) } else { writer.null() }
      }
      writer.key("margin")
      writer.fixedPoint(verdict.marginMillionths, scale: 6)
    }
  }
}

extension JSONWriter {
  /// Writes an array of objects, whose members `write` writes.
  fileprivate mutating func array<Element>(
    _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void
  ) {
    beginArray()
    for element in elements {
      beginObject()
      write(&self, element)
      endObject()
    }
    endArray()
  }

  fileprivate mutating func accuracy(_ right: Int, _ permille: Int) {
    key("right")
    integer(right)
    key("accuracy")
    fixedPoint(Int64(permille), scale: 3)
  }
}
