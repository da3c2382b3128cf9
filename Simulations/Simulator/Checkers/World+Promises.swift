internal import AnswerCore
internal import LedgerCore
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records

/// What clients were promised.
extension World {
  /// Checks an acknowledgement at the moment it is given.
  func checkPromise(
    _ record: RunLedger.Write, _ level: WriteLevel, _ operations: [OperationID], at index: Int
  ) {
    guard level == record.level, operations.count == record.operations.count else {
      report(
        .acknowledgedIsDurable, index,
        "\(operations.count) operations at \(level.rawValue) are acknowledged, "
          + "\(record.operations.count) at \(record.level.rawValue) were submitted")
      return
    }
    for (operation, bytes) in zip(operations, record.operations) {
      ledger.promises.append(RunLedger.Promise(operation: operation, bytes: bytes))
      guard let bundle = nodes[index].disk.bundle(operation.bundle),
        bundle.operations.indices.contains(operation.index),
        bundle.operations[operation.index] == bytes
      else {
        report(
          .acknowledgedIsDurable, index,
          "\(place(operation.bundle)) is acknowledged and not on the disk")
        return
      }
      if level == .final { checkFinal(operation, at: index) }
      guard level != .local else { continue }
      let holders = nodes.filter { $0.disk.bundle(operation.bundle)?.digest == bundle.digest }
      if !isQuorum(holders.map(\.id), of: index) {
        report(
          .acknowledgedIsDurable, index,
          "\(place(operation.bundle)) is acknowledged as quorum and on \(holders.count) disks "
            + "of \(nodes.count)")
        return
      }
    }
  }

  /// Whether some nodes are a majority of those that vote as a node sees it: of both sets while
  /// they change.
  private func isQuorum(_ holders: [NodeID], of index: Int) -> Bool {
    guard let configuration = nodes[index].withMachine({ $0.control.raft.configuration }) else {
      return false
    }
    return [configuration.voters, configuration.outgoing].allSatisfy { voters in
      let present = voters.count { voter in
        configuration.member(voter).map { holders.contains($0.node) } ?? false
      }
      return voters.isEmpty || present > voters.count / 2
    }
  }

  /// Checks in the end that every promise was kept and that nobody waits for an answer.
  func checkEnd() {
    let forgotten = ledger.open.sorted { $0.key < $1.key }
    if let (write, record) = forgotten.first {
      report(
        .writesAreReportedOnce, record.node,
        "write \(write.value) and \(forgotten.count - 1) others were never reported")
    }
    for promise in ledger.promises where !isLiars(promise.operation.bundle.lane) {
      for index in nodes.indices {
        let bundle = nodes[index].disk.bundle(promise.operation.bundle)
        let isKept =
          bundle?.operations.indices.contains(promise.operation.index) == true
          && bundle?.operations[promise.operation.index] == promise.bytes
        if !isKept {
          report(
            .nothingAcknowledgedIsLost, index,
            "operation \(promise.operation.index) of \(place(promise.operation.bundle)) was "
              + "acknowledged and is not on this node")
          return
        }
      }
    }
    checkOrderOfApplication()
  }

  /// Whether a lane's node lied: where each node stopped following it is no matter of rules.
  private func isLiars(_ lane: LaneID) -> Bool {
    ledger.authors[lane].map { liars[$0] != nil } ?? false
  }

  /// Applies all operations of one disk to empty tables in the order of their stamps: the tables
  /// must not depend on the order in which each node happened to apply them.
  private func checkOrderOfApplication() {
    guard liars.isEmpty, let first = nodes.first,
      let rowsDigest = first.withMachine({ $0.tables.rowsDigest })
    else { return }
    var all: [(stamp: OperationStamp, bytes: [UInt8])] = []
    for lane in first.disk.lanes.entries {
      for bundle in lane.value.bundles {
        for (index, bytes) in bundle.operations.enumerated() {
          let time = HybridTime(raw: bundle.header.firstTime.raw + UInt64(index))
          all.append(
            (
              OperationStamp(
                time: time, lane: lane.key, number: bundle.header.number, index: index), bytes
            ))
        }
      }
    }
    all.sort { $0.stamp < $1.stamp }
    var tables = LiveTables()
    var rows: [Row] = []
    for entry in all { tables.apply(entry.bytes, at: entry.stamp, into: &rows) }
    if tables.rowsDigest != rowsDigest {
      report(
        .equalFrontiersAreEqual, first.index,
        "\(all.count) operations applied in the order of their stamps give other rows")
    }
  }

  /// A place in words: which node's lane, and the number.
  func place(_ position: LanePosition) -> String {
    let author = ledger.authors[position.lane].map { "node \($0 + 1)'s lane" } ?? "a foreign lane"
    return "bundle \(position.number) of \(author)"
  }
}
