internal import ExecutionCore
internal import FinalityStorage
internal import Primitives
internal import Records
internal import StorageThreads

/// Fills a final ledger on a thread of its own, while the rest of what a node has is made.
final class LedgerFilling: Sendable {
  /// Parts that wait for the thread.
  private static let partsMax = 8

  /// What ends a ledger, beside its rows.
  struct End: Sendable {
    let block: Block
    let state: ExecutedState
    let cut: [CutAdvance]
    let epochs: [LedgerEpoch]
    let values: [(name: String, bytes: [UInt8]?)]
  }

  private struct Queue {
    var parts: [[[UInt8]]] = []
    var end: End?
    /// Whether nobody takes parts any more, or nobody gives them.
    var isOver = false
  }

  private let queue: Monitor<Queue>
  private let filling: Computation<Bool>

  /// Begins the ledger of a chain in a directory, whose parent must exist.
  init(directory: String, chain: ChainID) {
    let queue = Monitor(Queue())
    self.queue = queue
    filling = Computation {
      defer { queue.update { $0.isOver = true } }
      return try LedgerFilling.run(queue, directory, chain)
    }
  }

  /// Hands over rows in the form that their digests hash, once there is room.
  func add(_ rows: [[UInt8]]) throws {
    let isOver = queue.wait { queue -> Bool? in
      queue.isOver || queue.parts.count < LedgerFilling.partsMax ? queue.isOver : nil
    }
    if isOver { _ = try filling.value() }
    queue.update { $0.parts.append(rows) }
  }

  /// Ends the ledger and waits until it is durable.
  func finish(_ end: End) throws {
    queue.update { $0.end = end }
    _ = try filling.value()
  }

  /// Ends the thread when something else has failed; what it made is rubbish.
  func abandon() {
    queue.update { $0.isOver = true }
    // What it says was not asked for.
    _ = try? filling.value()
  }

  /// Whether the ledger is complete.
  private static func run(
    _ queue: Monitor<Queue>, _ directory: String, _ chain: ChainID
  ) throws -> Bool {
    let ledger = try LedgerImport(directory: directory, chain: chain, tables: Ledger.schemas)
    while true {
      let (parts, end, isOver) = queue.wait { queue -> ([[[UInt8]]], End?, Bool)? in
        guard !queue.parts.isEmpty || queue.end != nil || queue.isOver else { return nil }
        return (queue.parts, queue.end, queue.isOver)
      }
      if isOver { return false }
      for rows in parts {
        try ledger.add(rows)
        queue.update { queue in _ = queue.parts.removeFirst() }
      }
      guard let end, parts.isEmpty else { continue }
      try ledger.finish(
        block: end.block, state: end.state, cut: end.cut, epochs: end.epochs, values: end.values)
      return true
    }
  }
}
