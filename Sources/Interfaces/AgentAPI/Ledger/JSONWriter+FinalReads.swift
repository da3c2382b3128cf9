internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// What is read from the final state, as JSON.
extension JSONWriter {
  mutating func write(_ row: AgentRow, _ account: AccountRow?, _ found: FinalRows) {
    beginObject()
    writeMembers(of: row)
    key("account")
    if let account {
      beginObject()
      key("available")
      fixedPoint(account.available, scale: 6)
      key("locked")
      fixedPoint(account.locked, scale: 6)
      key("right")
      evidence(account.right)
      key("wrong")
      evidence(account.wrong)
      key("operations")
      integer(account.operations)
      endObject()
    } else {
      null()
    }
    writeAsOf(found)
    endObject()
  }

  /// Writes 65,536ths with six decimals, rounded down; evidence stays below 2^27 of them.
  private mutating func evidence(_ parts: Int64) {
    fixedPoint(min(max(parts, 0), 1 << 40) * 1_000_000 / 65_536, scale: 6)
  }

  mutating func write(_ row: QuestionRow, _ state: QuestionStateRow, _ found: FinalRows) {
    beginObject()
    writeMembers(of: row)
    writeMembers(of: state)
    writeAsOf(found)
    endObject()
  }

  mutating func write(
    _ question: QuestionID, _ state: QuestionStateRow, _ winner: String?,
    _ resolution: ResolutionRow?, _ found: FinalRows
  ) {
    beginObject()
    key("question")
    string(question.description)
    key("tentative")
    bool(false)
    writeMembers(of: state)
    key("winner")
    if let winner { string(winner) } else { null() }
    key("winnerKey")
    if let key = state.winner { hexadecimal(key) } else { null() }
    key("margin")
    fixedPoint(state.marginMillionths, scale: 6)
    key("resolution")
    if let resolution {
      beginObject()
      key("value")
      string(resolution.value)
      key("resolver")
      string(resolution.resolver.description)
      key("at")
      timestamp(resolution.milliseconds)
      endObject()
    } else {
      null()
    }
    writeAsOf(found)
    endObject()
  }

  private mutating func writeMembers(of state: QuestionStateRow) {
    key("phase")
    string(FinalTables.name(of: state.phase))
    key("round")
    integer(state.round)
    key("endsAt")
    timestamp(state.endsMilliseconds)
    key("settled")
    bool(state.isSettled)
  }

  private mutating func writeAsOf(_ found: FinalRows) {
    key("asOf")
    beginObject()
    key("height")
    unsigned(found.height)
    key("executedRoot")
    string(found.executedRoot.hexadecimal)
    endObject()
  }
}
