internal import Primitives
package import Records
internal import Wire

/// What one step of a scrub did.
package struct LedgerScrubStep: Hashable, Sendable {
  /// Records that are not what was written.
  package internal(set) var findings: [LedgerFinding] = []
  /// Records that were checked.
  package internal(set) var recordCount = 0
  /// Whether the step ended a pass over everything.
  package internal(set) var endsPass = false
}

/// Reads everything again while the ledger is in use, a little at a time, so that a disk that
/// forgets is found out while other nodes still have what is lost.
///
/// Rows and blocks are hashed and compared with their digests, blocks with their predecessors and
/// with what stands in other tables because of them; the rest carries checksums. Records may change
/// between steps.
package struct LedgerScrub: Sendable {
  /// Tells whether a row is the one that the tries vouch for.
  package typealias RowProof = (Row, LedgerReads) throws(LedgerError) -> Bool

  private enum Phase: CaseIterable {
    case blocks
    case cut
    case executed
    case rows
    case trie
    case outcomes
    case epochs
    case values
  }

  private var phase = Phase.blocks
  /// The key of the last record that was checked in this phase.
  private(set) var position: [ColumnValue] = []
  var lastHash: Digest?
  /// Passes over everything that have ended.
  package private(set) var passCount: UInt64 = 0

  /// Begins with the first record.
  package init() {}

  /// Checks at most `limit` records, all of one table.
  ///
  /// - Parameters:
  ///   - reads: the ledger, at the same moment for the whole step.
  ///   - limit: the most records to check; blocks count like other records.
  ///   - proof: compares a row with the tries, if the caller can.
  /// - Returns: what was found and whether a pass has ended.
  /// - Throws: `LedgerError` for other reasons than damage, which is a finding.
  package mutating func step(
    _ reads: LedgerReads, limit: Int, proof: RowProof? = nil
  ) throws(LedgerError) -> LedgerScrubStep {
    precondition(limit > 0, "a step of \(limit) records")
    var result = LedgerScrubStep()
    do throws(LedgerError) {
      switch phase {
      case .blocks: try checkBlocks(reads, limit, &result)
      case .cut: try checkCut(reads, limit, &result)
      case .executed: try checkExecuted(reads, limit, &result)
      case .rows: try checkRows(reads, limit, proof, &result)
      case .trie: try checkTrie(reads, limit, &result)
      case .outcomes: try checkOutcomes(reads, limit, &result)
      case .epochs: try checkEpochs(reads, limit, &result)
      case .values: try checkValues(reads, limit, &result)
      }
    } catch {
      guard case .damaged(let findings) = error.reason else { throw error }
      // The pages of the table cannot be read on: what is behind them is not checked in this pass.
      result.findings += findings
      result.recordCount = 0
    }
    if result.recordCount < limit { result.endsPass = advance() }
    return result
  }

  /// Goes on to the next table; whether a pass has ended.
  private mutating func advance() -> Bool {
    let phases = Phase.allCases
    let next = (phases.firstIndex(of: phase) ?? 0) + 1
    phase = phases[next % phases.count]
    position = []
    lastHash = nil
    guard next == phases.count else { return false }
    passCount += 1
    return true
  }

  /// The next records of a table, each beginning with `keyColumns` columns of its key; `start` is
  /// before all keys.
  mutating func page(
    _ reads: LedgerReads, _ sql: String, start: [ColumnValue], limit: Int, keyColumns: Int,
    _ result: inout LedgerScrubStep
  ) throws(LedgerError) -> [[ColumnValue]] {
    let rows = try reads.select(
      sql + " LIMIT ?", (position.isEmpty ? start : position) + [.integer(Int64(limit))])
    if let last = rows.last { position = Array(last.prefix(keyColumns)) }
    result.recordCount = rows.count
    return rows
  }
}
