internal import NodeCore
internal import Primitives
internal import Records

extension World {
  /// How long after its deadline a write may still be unreported.
  private static let lateness = TimeSpan.seconds(1)

  /// A client submits a write to a node that runs, and the next write is planned.
  func writeSomething() {
    guard !isHealing else { return }
    queue.add(.write, at: now + workload.pause())
    let alive = nodes.indices.filter { nodes[$0].isAlive }
    let request = workload.next()
    guard !alive.isEmpty else { return }
    let index = alive[Int(request.choice % UInt64(alive.count))]
    let operations =
      request.operations + records.operations(at: nodes[index].withMachine { $0.tables })
    let deadline = now + request.patience
    ledger.writes.submitted += 1
    ledger.open[request.write] = RunLedger.Write(
      node: index, life: nodes[index].life, operations: operations,
      level: request.level, submittedAt: now, deadline: deadline,
      isLiars: liars[index] != nil)
    give(
      .submit(
        request.write, operations: operations, level: request.level, deadline: deadline),
      to: index)
  }

  /// A node told a client how its write ended.
  func take(_ outcome: WriteOutcome, of write: WriteID, at index: Int) {
    audit.mix(0xe0, write.value, outcome.auditTag)
    note { "node \(index + 1) ends write \(write.value): \(outcome.traceText)" }
    guard let record = ledger.open.removeValue(forKey: write) else {
      // The planted bug has reported this write before its time, or a liar's clients left.
      if options.mutant == .acknowledgeBeforeDurable || liars[index] != nil { return }
      report(.writesAreReportedOnce, index, "write \(write.value) is reported again")
      return
    }
    if record.node != index || record.life != nodes[index].life {
      report(.writesAreReportedOnce, index, "write \(write.value) is reported by another node")
    }
    let due = max(record.deadline, nodes[index].pausedUntil) + World.lateness
    if now > due {
      let late = now.since(record.deadline).nanoseconds / 1_000_000
      report(
        .writesAreReportedOnce, index, "write \(write.value) is reported \(late) ms late")
    }
    switch outcome {
    case .reached(let level, let operations):
      switch level {
      case .local: ledger.writes.local += 1
      case .quorum: ledger.writes.quorum += 1
      case .final:
        ledger.writes.final += 1
        ledger.finalDelays.append(now.since(record.submittedAt))
      }
      if !record.isLiars && liars[index] == nil {
        checkPromise(record, level, operations, at: index)
      }
    case .undecided:
      ledger.writes.undecided += 1
      probes[.writeUndecided] += 1
    case .overloaded:
      ledger.writes.overloaded += 1
      probes[.writeOverloaded] += 1
    }
  }

  /// A crash ends what its node had not answered; what became of it is not known.
  func cutOffWrites(at index: Int) {
    let lost = ledger.open.filter { $0.value.node == index }.map(\.key).sorted()
    if !lost.isEmpty { probes[.writeLostInCrash] += 1 }
    for write in lost {
      ledger.open[write] = nil
      ledger.writes.cutOff += 1
    }
  }

  /// The planted bug: every local write of a batch is reported when the batch is handed over.
  func acknowledgeAtOnce(_ batch: StorageBatch, at index: Int) {
    for bundle in batch.bundles where bundle.header.node == nodes[index].id {
      let position = LanePosition(lane: bundle.header.lane, number: bundle.header.number)
      for (write, record) in ledger.open.sorted(by: { $0.key < $1.key })
      where record.node == index && record.level == .local {
        let places = record.operations.map { bundle.operations.firstIndex(of: $0) }
        let identifiers = places.compactMap { place in
          place.map { OperationID(bundle: position, index: $0) }
        }
        guard identifiers.count == places.count else { continue }
        take(.reached(.local, identifiers), of: write, at: index)
      }
    }
  }
}
