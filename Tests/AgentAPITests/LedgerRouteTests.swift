import AgentAPI
import HTTPServer
import JSONText
import Primitives
import ProofFiles
import Records
import Testing

/// The final ledger over the interface: blocks, proofs, receipts and writes.
struct LedgerRouteTests {
  private let door: Door
  private let ledger: FakeFinality
  private static let operation = "\(String(repeating: "0f", count: 32))-3-1"
  private let body = #"{"text":"What is it now?"}"#

  init() {
    door = Door(finality: true)
    ledger = door.finality
  }

  private static let unknown = "00000000-0000-0000-0000-000000000001"
  private static let reads = [
    "/v1/ledger/head", "/v1/ledger/blocks", "/v1/ledger/blocks/1", "/v1/ledger/epochs",
    "/v1/proofs/operation/\(operation)", "/v1/proofs/row/validator/00",
    "/v1/operations/\(operation)/receipt", "/v1/agents/\(unknown)?consistency=final",
    "/v1/questions/\(unknown)?consistency=final",
    "/v1/questions/\(unknown)/consensus?consistency=final",
  ]

  // MARK: Without a ledger, and faults

  @Test(arguments: reads)
  func `a node without a final ledger says so`(path: String) {
    let reply = Door().get(path)
    #expect(reply.status == 503)
    #expect(reply.problem == "no-finality")
  }

  @Test(arguments: reads.dropFirst())
  func `a fault of the storage is passed on`(path: String) {
    ledger.fault = .failed("the disk is gone")
    #expect(door.get(path).problem == "storage-failed")
    ledger.fault = .busy(retryAfterSeconds: 3)
    let busy = door.get(path)
    #expect(busy.problem == "overloaded")
    #expect(busy.header("Retry-After") == "3")
  }

  // MARK: The ledger

  @Test func `the head says how far it is and whether it moves`() {
    let reply = door.get("/v1/ledger/head")
    #expect(reply.json["running"]?.bool == true)
    #expect(reply.json["finalized"]?["height"]?.integer == 4)
    #expect(reply.json["quorum"]?.integer == 3)
    ledger.stopped = "this node's disk was lost"
    let stopped = door.get("/v1/ledger/head")
    #expect(stopped.json["running"]?.bool == false)
    #expect(stopped.json["stopped"]?.string == "this node's disk was lost")
  }

  @Test func `blocks are given one by one and in pages, and can be checked`() throws {
    let reply = door.get("/v1/ledger/blocks/2")
    #expect(reply.json["height"]?.integer == 2)
    #expect(reply.json["advances"]?.array?.count == 1)
    let read = try LedgerFile.block(fromAPI: reply.json, of: ledger.chain)
    #expect(read.block == ledger.blocks[1].block)
    #expect(read.certificate == ledger.blocks[1].certificate)
    #expect(door.get("/v1/ledger/blocks/1").json["certificate"]?.isNull == true)
    let page = door.get("/v1/ledger/blocks?from=0&limit=3")
    #expect(page.json["blocks"]?.array?.compactMap { $0["height"]?.integer } == [1, 2, 3])
    #expect(page.json["next"]?.integer == 4)
    let last = door.get("/v1/ledger/blocks?from=4&limit=3")
    #expect(last.json["blocks"]?.array?.count == 1)
    #expect(last.json["next"] == nil)
  }

  @Test(arguments: ["0", "5", "01", "-1", "x", "99999999999999999999"])
  func `a height that has no block is not found`(height: String) {
    #expect(door.get("/v1/ledger/blocks/\(height)").problem == "not-found")
  }

  @Test func `epochs come with their handovers`() throws {
    let reply = door.get("/v1/ledger/epochs")
    let epochs = try (reply.json["epochs"]?.array ?? []).map {
      try LedgerFile.epoch(fromAPI: $0, of: ledger.chain)
    }
    #expect(epochs.map(\.epoch) == [1, 2])
    #expect(epochs.first?.handover == nil)
    #expect(epochs.last?.handover?.boundary == ledger.blocks[3].block.hash)
    #expect(door.get("/v1/ledger/epochs?from=1&limit=1").json["next"]?.integer == 2)
  }

  // MARK: Proofs and receipts

  @Test func `proofs of operations and rows are files that can be read`() throws {
    let path = "/v1/proofs/operation/\(LedgerRouteTests.operation)"
    let proof = try LedgerProof(json: door.get(path).json)
    #expect(proof.headers.count == 3)
    let agent = "00000000-0000-4000-8000-000000000001"
    let row = try LedgerProof(
      json: door.get("/v1/proofs/row/stake/\(String(repeating: "ab", count: 16))/\(agent)").json)
    guard case .row(let shown) = row.subject else {
      Issue.record("no row")
      return
    }
    #expect(shown.table == 34)
    let id = try #require(AgentID(text: agent))
    #expect(shown.key == [.bytes(Array(repeating: 0xAB, count: 16)), .bytes(id.bytes)])
    door.get("/v1/proofs/row/record/notes%2Fold/a%2Fb%20c")
    #expect(ledger.proofKeys.last?.key == [.text("notes/old"), .text("a/b c")])
    door.get("/v1/proofs/row/epoch_validators/-7")
    #expect(ledger.proofKeys.last?.key == [.integer(-7)])
  }

  @Test(arguments: [
    ("nothing/00", 404, "not-found"), ("stake/00", 422, "invalid"), ("stake/0/00", 422, "invalid"),
    ("supply/+1", 422, "invalid"), ("supply/00", 422, "invalid"), ("supply/0/1", 422, "invalid"),
  ])
  func `a key that a table cannot have is refused`(path: String, status: Int, problem: String) {
    let reply = door.get("/v1/proofs/row/\(path)")
    #expect(reply.status == status)
    #expect(reply.problem == problem)
  }

  @Test(arguments: [
    (LedgerProofAnswer.unknown, 404, "not-found"), (.notFinal, 409, "not-final"),
    (.overtaken, 503, "not-ready"),
  ])
  func `a proof that cannot be made says why`(
    answer: LedgerProofAnswer, status: Int, problem: String
  ) {
    ledger.answer = answer
    for path in ["operation/\(LedgerRouteTests.operation)", "row/supply/0"] {
      let reply = door.get("/v1/proofs/\(path)")
      #expect(reply.status == status)
      #expect(reply.problem == problem)
    }
  }

  @Test func `a receipt is signed, with the proof when asked for`() throws {
    let path = "/v1/operations/\(LedgerRouteTests.operation)/receipt"
    let file = try ReceiptFile(json: door.get(path).json)
    try file.receipt.verify(ledger.chain, with: nil)
    #expect(file.receipt.operation.description == LedgerRouteTests.operation)
    #expect(file.proof == nil)
    #expect(try ReceiptFile(json: door.get(path + "?proof=1").json).proof != nil)
    ledger.code = nil
    #expect(door.get(path).problem == "not-final")
  }

  // MARK: Writes

  @Test func `a final write waits for its level and carries its receipts`() throws {
    let ada = door.register("Ada")
    let reply = door.post("/v1/questions?consistency=final", token: ada.token, body)
    #expect(reply.status == 201)
    #expect(door.node.lastLevel == .final)
    #expect(reply.json["consistency"]?["reached"]?.string == "final")
    let receipt = try ReceiptFile(json: try #require(reply.json["receipts"]?.array?.first)).receipt
    try receipt.verify(ledger.chain, with: nil)
    #expect(receipt.operation.description == reply.json["operations"]?.array?.first?.string)
  }

  @Test func `a write that the final order left no room for is refused with its receipt`() throws {
    let ada = door.register("Ada")
    ledger.code = 8
    let reply = door.post("/v1/questions?consistency=final", token: ada.token, body)
    #expect(reply.status == 409)
    #expect(reply.problem == "refused-finally")
    #expect(reply.json["detail"]?.string?.contains("less than it puts at stake") == true)
    let receipt = try ReceiptFile(json: try #require(reply.json["receipts"]?.array?.first)).receipt
    #expect(receipt.code == 8)
  }

  @Test func `a retry that went through another node first is compared and not refused`() {
    let ada = door.register("Ada")
    ledger.code = 2
    let key = [HTTPField("Idempotency-Key", "first-try")]
    let reply = door.post("/v1/questions?consistency=final", token: ada.token, body, headers: key)
    #expect(reply.status == 200)
    #expect(reply.json["replayed"]?.bool == true)
    #expect(reply.json["receipts"]?.array?.first?["code"]?.integer == 2)
  }

  @Test func `a final write whose receipts cannot be read is still confirmed`() {
    let ada = door.register("Ada")
    ledger.fault = .busy(retryAfterSeconds: 1)
    let reply = door.post("/v1/questions?consistency=final", token: ada.token, body)
    #expect(reply.status == 201)
    #expect(reply.json["receipts"]?.array?.isEmpty == true)
  }

  @Test func `a final write writes nothing while nothing becomes final`() {
    let ada = door.register("Ada")
    let before = door.node.submitted.count
    ledger.stopped = "two validators are out of reach"
    let reply = door.post("/v1/questions?consistency=final", token: ada.token, body)
    #expect(reply.problem == "no-finality")
    #expect(reply.json["detail"]?.string?.contains("two validators are out of reach") == true)
    let header = [HTTPField("X-Consistency", "final")]
    let other = door.post("/v1/questions", token: ada.token, body, headers: header)
    #expect(other.problem == "no-finality")
    #expect(door.node.submitted.count == before)
  }

  @Test func `a final write whose deadline passes is unknown and not failed`() {
    let ada = door.register("Ada")
    door.node.fate = .undecided(.quorum)
    let reply = door.post("/v1/questions?consistency=final", token: ada.token, body)
    #expect(reply.problem == "outcome-unknown")
    #expect(reply.json["requested"]?.string == "final")
    #expect(reply.json["reached"]?.string == "quorum")
  }
}
