internal import Crypto
internal import Primitives
internal import Records

/// Checks `state.db` of a directory: the hash over all rows and how far they reflect the lanes.
struct StateCheck {
  let connection: SQLiteConnection
  let tables: [TableSchema]
  /// Told how many bytes were read since the last time; false ends the check without a finding.
  var pace: (Int) -> Bool = { _ in true }

  /// About what a row takes in the file.
  private static let rowBytes = 128
  /// Bytes between two calls of `pace`.
  private static let paceBytes = 1 << 18

  /// Adds what is wrong to `report`.
  func run(heads: [LaneHead], _ report: inout VerificationReport) {
    checkApplied(heads, &report)
    guard hasTables(&report) else { return }
    checkRows(&report)
  }

  private func checkApplied(_ heads: [LaneHead], _ report: inout VerificationReport) {
    do throws(OpenFailure) {
      let applied = try OpenedState.applied(connection)
      for entry in applied.entries {
        let head = heads.first { $0.lane == entry.lane }?.number ?? 0
        guard entry.number > head else { continue }
        report.add(
          .init(.applied, lane: entry.lane, number: entry.number, "the lane ends at \(head)"))
      }
    } catch {
      report.add(error, .applied, "how far the rows reflect the lanes cannot be read")
    }
  }

  private func hasTables(_ report: inout VerificationReport) -> Bool {
    var stored: String?
    Verification.check(.rows, in: &report) { () throws(SQLiteError) in
      stored = try connection.text("SELECT value FROM state_meta WHERE key = 'definition'")
    }
    guard let stored else { return false }
    guard stored == StateSchema.definition(of: tables).joined(separator: ";\n") else {
      report.add(.init(.rows, "the tables are not those of this program"))
      return false
    }
    return true
  }

  private func checkRows(_ report: inout VerificationReport) {
    var hash = LatticeHash()
    var count: UInt64 = 0
    var isRead = true
    var bytes = 0
    for table in tables {
      do throws(SQLiteError) {
        let statement = try connection.prepare(StateSchema.selectAll(from: table))
        while try statement.step() {
          guard let row = Row(checking: statement.row, of: table) else {
            isRead = false
            report.add(.init(.rows, table: table.name, "a row does not fit its columns"))
            break
          }
          hash.insert(row.digest)
          count += 1
          bytes += StateCheck.rowBytes
          if bytes >= StateCheck.paceBytes {
            guard pace(bytes) else { return }
            bytes = 0
          }
        }
      } catch {
        isRead = false
        report.add(error, table: table.name, "rows unreadable")
      }
    }
    report.rows = count
    guard isRead else { return }
    var stored: [UInt8]?
    var applied = Frontier()
    do throws(OpenFailure) {
      applied = try OpenedState.applied(connection)
      stored = try OpenFailure.wrap { () throws(SQLiteError) in
        try connection.bytes("SELECT state FROM row_set WHERE id = 1")
      }
    } catch {
      report.add(error, .rows, "the hash over the rows cannot be read")
      return
    }
    guard let expected = Seal.open(stored, applied: applied) else {
      report.add(.init(.rows, "the stored hash is not the one of what the rows reflect"))
      return
    }
    if hash.bytes != (expected.isEmpty ? LatticeHash().bytes : expected) {
      report.add(
        .init(.rows, "the hash over all \(count) rows is not the stored one: a row was changed"))
    }
  }
}
