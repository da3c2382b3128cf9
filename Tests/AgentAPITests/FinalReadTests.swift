import AgentAPI
import ExecutionCore
import JSONText
import LedgerCore
import Primitives
import Records
import Testing

/// Reads of the final state.
struct FinalReadTests {
  private let door = Door(finality: true)
  private let stamp: [ColumnValue] = [
    .integer(1_900_000_000_000 << 16), .bytes([]), .integer(1), .integer(0),
  ]

  private func identifier(_ text: String) throws -> ColumnValue {
    .bytes(try #require(AgentID(text: text)).bytes)
  }

  @Test func `an agent is read from the final state with its account`() throws {
    let ada = door.register("Ada")
    let path = "/v1/agents/\(ada.id)?consistency=final"
    #expect(door.get(path).problem == "not-found")
    let id = try identifier(ada.id)
    door.finality.rows = [
      Row(
        LiveTables.agentSchema,
        [
          id, .text("Ada"), .text("A test agent."), .text("custom"), .integer(1), .integer(3),
          .bytes([]),
        ] + stamp),
      Row(
        Ledger.accountSchema,
        [
          id, .integer(990_000_000), .integer(10_000_000), .integer(98_304), .integer(0),
          .integer(4), .bytes([]), .bytes([]),
        ]),
    ]
    let reply = door.get(path)
    #expect(reply.json["name"]?.string == "Ada")
    #expect(reply.json["account"]?["available"]?.fixedPoint(scale: 6) == 990_000_000)
    #expect(reply.json["account"]?["right"]?.fixedPoint(scale: 6) == 1_500_000)
    #expect(reply.json["asOf"]?["height"]?.integer == 3)
    #expect(door.get("/v1/agents/\(ada.id)?consistency=local").json["score"] != nil)
    #expect(door.get("/v1/agents/\(ada.id)?consistency=quorum").status == 422)
  }

  @Test func `a question and its outcome are read from the final state`() throws {
    let ada = door.register("Ada")
    let question = door.ask(ada)
    let id = try identifier(question)
    let agents = try (1...3).map { try identifier("00000000-0000-4000-8000-00000000000\($0)") }
    let winner = Array(repeating: UInt8(5), count: 16)
    let other = Array(repeating: UInt8(9), count: 16)
    var rows = [
      Row(
        LiveTables.questionSchema,
        [
          id, agents[0], .text("What?"), .integer(1), .integer(1_900_000_100_000), .integer(3),
          .text("Paris\nRome"),
        ] + stamp),
      Row(
        Ledger.questionStateSchema,
        [
          id, .integer(3), .integer(1), .integer(1_900_000_100_000), .integer(100_000),
          .bytes(winner), .integer(750_000), .integer(1),
        ]),
    ]
    for (agent, (place, text)) in zip(agents, [(2, "late"), (0, "other"), (1, "Paris")]) {
      let key = ColumnValue.bytes(place == 0 ? other : winner)
      rows.append(
        Row(
          Ledger.stakeSchema,
          [id, agent, .integer(Int64(place)), key, .integer(1), .integer(0)]))
      rows.append(
        Row(
          LiveTables.answerSchema,
          [id, agent, key, .text(""), .text(text), .text("r"), .integer(1), .integer(1)] + stamp))
    }
    door.finality.rows = rows
    let shown = door.get("/v1/questions/\(question)?consistency=final")
    #expect(shown.json["phase"]?.string == "CONSENSUS")
    #expect(shown.json["choices"]?.array?.count == 2)
    let outcome = door.get("/v1/questions/\(question)/consensus?consistency=final")
    #expect(outcome.json["tentative"]?.bool == false)
    #expect(outcome.json["winner"]?.string == "Paris")
    #expect(outcome.json["margin"]?.fixedPoint(scale: 6) == 750_000)
    #expect(outcome.json["resolution"]?.isNull == true)
    #expect(outcome.json["asOf"]?["height"]?.integer == 3)
  }
}
