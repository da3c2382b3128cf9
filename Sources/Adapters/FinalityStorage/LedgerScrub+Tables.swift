internal import Primitives
internal import Records

/// How each table is checked.
extension LedgerScrub {
  mutating func checkBlocks(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let rows = try page(
      reads,
      """
      SELECT \(StoredBlock.columns), epoch, view FROM blocks
      WHERE height > ? ORDER BY height
      """, start: [.integer(0)], limit: limit, keyColumns: 1, &result)
    for values in rows {
      let stored = StoredBlock(values)
      switch stored.decoded() {
      case .failure(let finding):
        result.findings.append(finding)
        lastHash = nil
      case .success(let final):
        try check(final.block, values, reads, &result)
        lastHash = final.block.hash
      }
    }
  }

  private func check(
    _ block: Block, _ values: [ColumnValue], _ reads: LedgerReads,
    _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let header = block.header
    let name = "\(header.height)"
    if values[6].unsigned != header.epoch || values[7].unsigned != header.view {
      result.findings.append(LedgerFinding("blocks", name, "epoch or view are not its header's"))
    }
    let expected = header.height == 1 ? reads.chain.digest : lastHash
    if let expected, header.parentHash != expected {
      result.findings.append(LedgerFinding("blocks", name, "it does not follow the one before"))
    }
    for advance in block.body.advances {
      let found = try reads.select(
        "SELECT height FROM advances WHERE lane = ? AND number = ?",
        [.bytes(advance.lane.digest.bytes), .integer(Int64(clamping: advance.number))])
      if found.first?.first?.unsigned != header.height {
        result.findings.append(
          LedgerFinding(
            "advances", "\(advance.lane.digest.short) \(advance.number)",
            "block \(header.height) is not named"))
      }
    }
    let executed = try reads.select(
      "SELECT root FROM executed WHERE height = ?",
      [.integer(Int64(clamping: header.executedHeight))])
    if let root = executed.first?.first?.content, root != header.executedRoot.bytes {
      result.findings.append(
        LedgerFinding(
          "executed", "\(header.executedHeight)", "block \(header.height) names another root"))
    }
  }

  mutating func checkCut(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let rows = try page(
      reads, "SELECT lane, number, digest FROM cut WHERE lane > ? ORDER BY lane",
      start: [.bytes([])], limit: limit, keyColumns: 1, &result)
    for values in rows {
      let last = try reads.select(
        "SELECT number, height FROM advances WHERE lane = ? ORDER BY number DESC LIMIT 1",
        [values[0]])
      guard let advance = last.first, advance[0] == values[1] else {
        result.findings.append(
          LedgerFinding("cut", values[0].name, "it is not the last advance of the lane"))
        continue
      }
      // What a snapshot brought is that of many blocks, which are not held.
      let first = try reads.firstHeight()
      if first > 1, advance[1].unsigned == first { continue }
      let blocks = try reads.blocks(from: advance[1].unsigned, count: 1)
      let isNamed = blocks.first?.block.body.advances.contains { entry in
        entry.lane.digest.bytes == values[0].content && entry.digest.bytes == values[2].content
      }
      if isNamed != true {
        result.findings.append(
          LedgerFinding("cut", values[0].name, "its block names another digest"))
      }
    }
  }

  mutating func checkExecuted(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let below = try reads.firstHeight() - 1
    var height = position.first?.unsigned ?? below
    let rows = try page(
      reads,
      """
      SELECT height, root, rows_root, lanes_root, checksum FROM executed
      WHERE height > ? ORDER BY height
      """, start: [.integer(0)], limit: limit, keyColumns: 1, &result)
    for values in rows {
      height += 1
      if values[0].unsigned != height {
        result.findings.append(LedgerFinding("executed", "\(height)", "it is missing"))
        height = values[0].unsigned
      }
      let roots = values[1...3].flatMap(\.content)
      if LedgerChecksum.executed(values[0].unsigned, roots) != values[4].content {
        result.findings.append(
          LedgerFinding("executed", values[0].name, "it fails its checksum"))
      }
    }
  }

  mutating func checkRows(
    _ reads: LedgerReads, _ limit: Int, _ proof: RowProof?, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let rows = try page(
      reads,
      """
      SELECT table_number, key, value, digest FROM rows
      WHERE (table_number, key) > (?, ?) ORDER BY table_number, key
      """, start: [.integer(-1), .bytes([])], limit: limit, keyColumns: 2, &result)
    for values in rows {
      switch StoredRow(key: values[1], value: values[2], digest: values[3]).decoded(reads.tables) {
      case .failure(let finding): result.findings.append(finding)
      case .success(let row):
        let isProven = try proof?(row, reads) ?? true
        if UInt64(row.table) != values[0].unsigned {
          result.findings.append(
            LedgerFinding("rows", values[1].name, "it stands in another table"))
        } else if !isProven {
          result.findings.append(
            LedgerFinding("rows", values[1].name, "the tries do not vouch for it"))
        }
      }
    }
  }

  mutating func checkTrie(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    // A text is before every blob in SQLite's order, so that the empty path is not left out.
    let rows = try page(
      reads, "SELECT path, node, checksum FROM trie WHERE path > ? ORDER BY path",
      start: [.text("")], limit: limit, keyColumns: 1, &result)
    for values in rows
    where LedgerChecksum.trie(values[0].content, values[1].content) != values[2].content {
      result.findings.append(LedgerFinding("trie", values[0].name, "it fails its checksum"))
    }
  }

  mutating func checkOutcomes(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let rows = try page(
      reads,
      """
      SELECT lane, number, height, codes, checksum FROM outcomes
      WHERE (lane, number) > (?, ?) ORDER BY lane, number
      """, start: [.bytes([]), .integer(0)], limit: limit, keyColumns: 2, &result)
    for values in rows {
      if case .failure(let finding) = StoredOutcome.decoded(values) {
        result.findings.append(finding)
      }
    }
  }

  mutating func checkEpochs(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let rows = try page(
      reads,
      """
      SELECT epoch, parent, validators, handover, checksum FROM epochs
      WHERE epoch > ? ORDER BY epoch
      """, start: [.integer(-1)], limit: limit, keyColumns: 1, &result)
    for values in rows {
      if case .failure(let finding) = StoredEpoch.decoded(values) {
        result.findings.append(finding)
      }
    }
  }

  mutating func checkValues(
    _ reads: LedgerReads, _ limit: Int, _ result: inout LedgerScrubStep
  ) throws(LedgerError) {
    let rows = try page(
      reads, "SELECT name, bytes, checksum FROM meta WHERE name > ? ORDER BY name",
      start: [.text("")], limit: limit, keyColumns: 1, &result)
    for values in rows {
      guard case .text(let name) = values[0] else { continue }
      if LedgerChecksum.value(name, values[1].content) != values[2].content {
        result.findings.append(LedgerFinding("meta", name, "it fails its checksum"))
      }
    }
  }
}
