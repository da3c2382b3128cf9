internal import Crypto
internal import Primitives
internal import Records

/// Checks `state.db` of a directory: the hash over all rows and how far they reflect the lanes.
struct StateCheck {
  let connection: SQLiteConnection
  let tables: [TableSchema]

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
      report.add(.init(.applied, "cannot be read: \(error)"))
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
    for table in tables {
      do throws(SQLiteError) {
        let statement = try connection.prepare(StateSchema.selectAll(from: table))
        while try statement.step() {
          hash.insert(Row(table, statement.row).digest)
          count += 1
        }
      } catch {
        isRead = false
        report.add(.init(.file, table: table.name, "rows unreadable: \(error)"))
      }
    }
    report.rows = count
    guard isRead else { return }
    var stored: [UInt8]?
    Verification.check(.rows, in: &report) { () throws(SQLiteError) in
      stored = try connection.bytes("SELECT state FROM row_set WHERE id = 1")
    }
    let expected = stored ?? LatticeHash().bytes
    if hash.bytes != expected {
      report.add(
        .init(.rows, "the hash over all \(count) rows is not the stored one: a row was changed"))
    }
  }
}
