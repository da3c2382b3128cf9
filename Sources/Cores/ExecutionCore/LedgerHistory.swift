internal import Merkle
package import Primitives
package import Records

/// What the last blocks changed, so that rows and lanes can be shown as they were at an earlier
/// height, which a certified header vouches for while the ledger has moved on.
///
/// It keeps, for each height, what stood before in the places that its block changed. The state at
/// a height is the present one under all that was replaced since.
///
/// Invariants:
/// - H1: the heights kept are without gaps and end with the ledger's own.
/// - H2: what is proven at a height is what a ledger that stopped there would prove.
/// - H3: after `trim` there are at most `heightsMax` steps, and at most `partsMax` nodes and rows
///   in them unless they belong to the last block alone.
package struct LedgerHistory: Sendable {
  /// Blocks that can be undone.
  package static let heightsMax = 64
  /// Nodes and rows that are kept, some 80 MB.
  package static let partsMax = 131_072

  /// The state at a height, as headers vouch for it.
  package struct Roots: Hashable, Sendable {
    /// The height.
    package let height: UInt64
    /// The root over the rows.
    package let rows: Digest
    /// The root over the lanes.
    package let lanes: Digest

    /// Joins the parts.
    package init(height: UInt64, rows: Digest, lanes: Digest) {
      self.height = height
      self.rows = rows
      self.lanes = lanes
    }
  }

  /// What one block replaced.
  private struct Step: Sendable {
    /// The state before the block.
    let before: Roots
    /// In ascending order of path.
    var oldNodes: [(path: TriePath, node: OldNode)] = []
    // For lookup alone: their order reaches no result.
    var oldRows: [Digest: Row?] = [:]
    var oldHeads: [LaneID: LaneHead?] = [:]

    var parts: Int { oldNodes.count + oldRows.count }

    /// What stood at a path before, if the block changed it.
    func oldNode(at path: TriePath) -> OldNode? {
      var (low, high) = (0, oldNodes.count)
      while low < high {
        let middle = (low + high) / 2
        if oldNodes[middle].path < path { low = middle + 1 } else { high = middle }
      }
      return low < oldNodes.count && oldNodes[low].path == path ? oldNodes[low].node : nil
    }

    mutating func note(_ replaced: [TrieUpdate.Change], by nodes: [TrieUpdate.Change]) {
      oldNodes.reserveCapacity(nodes.count)
      for (old, new) in zip(replaced, nodes) {
        oldNodes.append((old.path, OldNode(old.node, after: new.node)))
      }
    }
  }

  /// What a node was before a block: most blocks change one or two of its sixteen slots.
  private enum OldNode: Sendable {
    case absent
    case whole(TrieNode)
    case slots([(index: UInt8, slot: TrieSlot)])

    /// Says how to come from the node after a block to the one before.
    init(_ before: TrieNode?, after: TrieNode?) {
      switch (before, after) {
      case (nil, _): self = .absent
      case (.some(let before), nil): self = .whole(before)
      case (.some(let before), .some(let after)): self = .slots(before.slots(otherThan: after))
      }
    }

    /// The node before, from the one after.
    func undoing(_ node: TrieNode?) -> TrieNode? {
      switch self {
      case .absent: nil
      case .whole(let before): before
      case .slots(let slots): node?.with(slots)
      }
    }
  }

  private var steps: [Step] = []
  private var parts = 0
  /// The newest row of each key that a kept block wrote, and that block's height. For lookup alone.
  private var latest: [Digest: (height: UInt64, row: Row)] = [:]
  /// The present state.
  package private(set) var present: Roots

  /// Begins with the state of a ledger; earlier ones are not known.
  package init(at ledger: borrowing Ledger) {
    present = Roots(height: ledger.height, rows: ledger.rowsRoot, lanes: ledger.lanesRoot)
  }

  /// The lowest height that is known.
  package var first: UInt64 { steps.first?.before.height ?? present.height }

  /// Nodes and rows that are kept.
  package var partCount: Int { parts }

  /// The roots at a height, or `nil` when it is not known.
  package func roots(at height: UInt64) -> Roots? {
    if height == present.height { return present }
    return undoing(height).first?.before
  }

  /// The steps to be undone for a height, the earliest first; none when it is not known.
  private func undoing(_ height: UInt64) -> ArraySlice<Step> {
    guard height >= first, height < present.height else { return [] }
    return steps[Int(height - first)...]
  }
}

extension LedgerHistory {
  /// Takes note of what a block replaced, right after it was executed.
  ///
  /// - Parameters:
  ///   - executed: what executing it led to.
  ///   - changes: what it changed, and nothing else.
  ///   - ledger: the ledger after it.
  ///   - stored: the row of a table with a key as it was before; asked only for rows that existed
  ///     and that none of the kept blocks wrote.
  package mutating func note(
    _ executed: ExecutedBlock, _ changes: LedgerChanges, of ledger: borrowing Ledger,
    stored: (_ table: UInt16, _ key: [ColumnValue]) throws -> Row?
  ) rethrows {
    precondition(
      executed.height == present.height + 1, "H1: \(executed.height) after \(present.height)")
    var step = Step(before: present)
    precondition(
      changes.replaced.count == changes.nodes.count && changes.rows.count == changes.rowKeys.count
        && changes.rows.count == changes.areReplacing.count,
      "the changes of a block are not whole")
    step.note(changes.replaced, by: changes.nodes)
    for (lane, head) in changes.replacedHeads { step.oldHeads[lane] = .some(head) }
    step.oldRows.reserveCapacity(changes.rows.count)
    for (place, key) in changes.rowKeys.enumerated() {
      let row = changes.rows[place]
      if let before = latest[key]?.row {
        step.oldRows[key] = .some(before)
      } else if changes.areReplacing[place] {
        // order: an array of columns, no hash table.
        let columns = Array(row.values.prefix(Ledger.keyColumnCount(of: row.table)))
        step.oldRows[key] = .some(try stored(row.table, columns))
      } else {
        step.oldRows[key] = .some(nil)
      }
      latest[key] = (executed.height, row)
    }
    parts += step.parts
    steps.append(step)
    present = Roots(
      height: executed.height, rows: executed.rowsRoot, lanes: executed.lanesRoot)
  }

  /// Forgets the earliest heights beyond the bounds; called when what was executed is stored.
  package mutating func trim() {
    var count = 0
    while steps.count - count > LedgerHistory.heightsMax
      || (parts > LedgerHistory.partsMax && steps.count - count > 1)
    {
      let height = steps[count].before.height + 1
      // order: each key is looked at for itself.
      for key in steps[count].oldRows.keys where latest[key]?.height == height { latest[key] = nil }
      parts -= steps[count].parts
      count += 1
    }
    steps.removeFirst(count)
  }

  /// Goes one height further back, over a block that changed nothing but height and time, as blocks
  /// without content do; false when it changed more. What a restart lost of a ledger at rest comes
  /// back this way.
  package mutating func resume(
    _ roots: Roots, timestamp: UInt64, in ledger: borrowing Ledger
  ) throws -> Bool {
    precondition(ledger.height == present.height, "H1: a ledger of height \(ledger.height)")
    guard roots.height + 1 == first, steps.count < LedgerHistory.heightsMax,
      roots.lanes == (steps.first?.before ?? present).lanes
    else { return false }
    let row = Ledger.supplyRow(
      height: roots.height, timestamp: timestamp, minted: ledger.minted, treasury: ledger.treasury)
    let key = row.trieKey(Ledger.supplySchema)
    let nodes = HistoricNodes(steps: steps[...], base: ledger.trie)
    let update = try SparseMerkleTrie.update([TrieEdit(key: key, value: row.digest)], in: nodes)
    guard update.root == roots.rows else { return false }
    var step = Step(before: roots)
    step.note(
      update.changes,
      by: update.changes.map {
        TrieUpdate.Change(path: $0.path, node: nodes.node(at: $0.path))
      })
    step.oldRows[key] = .some(row)
    parts += step.parts
    steps.insert(step, at: 0)
    return true
  }

  /// Forgets all earlier heights.
  package mutating func forget(at ledger: borrowing Ledger) { self = LedgerHistory(at: ledger) }

  // MARK: Looking back

  /// The way that shows what a table had under a key at a height; `nil` when the height is not
  /// known, or not any more.
  ///
  /// `stored` gives the row of the table with the key as it is at the present height. Throws
  /// `HistoryError` when that is not the ledger's.
  package func prove(
    table: UInt16, key: [ColumnValue], atHeight height: UInt64, in ledger: borrowing Ledger,
    stored: () throws -> Row?
  ) throws -> FinalRowPath? {
    precondition(ledger.height == present.height, "H1: a ledger of height \(ledger.height)")
    guard let roots = roots(at: height) else { return nil }
    let undone = undoing(height)
    let trieKey = Row.trieKey(table: table, key)
    let row: Row?
    if let replaced = undone.lazy.compactMap({ $0.oldRows[trieKey] }).first {
      row = replaced
    } else {
      row = try latest[trieKey]?.row ?? stored()
    }
    let nodes = HistoricNodes(steps: undone, base: ledger.trie)
    let path = FinalRowPath(
      // order: an array of columns, no hash table.
      table: table, key: key, values: row?.values,
      path: try SparseMerkleTrie.proof(of: trieKey, in: nodes))
    guard path.path.shows(row?.digest, of: trieKey, under: roots.rows) else {
      throw HistoryError(table: table, height: height)
    }
    return path
  }

  /// The heads of all lanes at the cut of a height, ascending; `nil` when it is not known.
  package func laneHeads(atHeight height: UInt64, in ledger: borrowing Ledger) -> [LaneHead]? {
    precondition(ledger.height == present.height, "H1: a ledger of height \(ledger.height)")
    guard roots(at: height) != nil else { return nil }
    let undone = undoing(height)
    return ledger.laneHeads.compactMap { head in
      guard let replaced = undone.lazy.compactMap({ $0.oldHeads[head.lane] }).first else {
        return head
      }
      return replaced
    }
  }

  /// The nodes of the trie at an earlier height.
  private struct HistoricNodes: TrieNodes {
    let steps: ArraySlice<Step>
    let base: MemoryTrieNodes

    var areChecked: Bool { base.areChecked }

    func node(at path: TriePath) -> TrieNode? {
      var node = base.node(at: path)
      for step in steps.reversed() {
        if let old = step.oldNode(at: path) { node = old.undoing(node) }
      }
      return node
    }
  }
}

/// A stored row that is not the one that the ledger's tree has.
package struct HistoryError: Error, Hashable, CustomStringConvertible {
  /// The table.
  package let table: UInt16
  /// The height at which it was to be shown.
  package let height: UInt64

  package var description: String {
    "a stored row of table \(table) is not under the root over rows of height \(height)"
  }
}
