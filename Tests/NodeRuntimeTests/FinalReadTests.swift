import Configuration
import Crypto
import Foundation
import HTTPClient
import JSONText
import Primitives
import ProofFiles
import Records
import Testing

/// Proofs and receipts of real nodes, checked with nothing but the genesis.
@Suite(.timeLimit(.minutes(5)))
struct FinalReadTests {
  private static func trust(_ swarm: TestSwarm) throws -> LedgerTrust {
    try #require(swarm.genesis.ledgerTrust)
  }

  /// A proof that a node gives as soon as a final block vouches for what is asked for.
  private static func proof(
    _ path: String, _ swarm: TestSwarm, at number: Int = 1
  ) throws -> LedgerProof {
    var found: LedgerProof?
    try swarm.eventually("a final block vouches for it") {
      let response = try swarm.send("GET", path, to: number)
      let text = String(decoding: response.body, as: UTF8.self)
      try #require([200, 404, 409, 503].contains(response.status), "\(text)")
      guard response.status == 200 else { return false }
      found = try LedgerProof(json: response.body)
      return true
    }
    return try #require(found)
  }

  private static func register(
    _ swarm: TestSwarm, at number: Int = 1
  ) throws -> (agent: String, operation: String, receipt: JSONValue) {
    let response = try swarm.send(
      "POST", "/v1/agents/register?consistency=final&timeout=30000", to: number,
      #"{"name":"Ada","description":"an agent of a test","platform":"custom"}"#)
    let body = try JSONValue.parse(response.body)
    let text = "\(String(decoding: response.body, as: UTF8.self))"
    return (
      try #require(body["id"]?.string, "\(text)"),
      try #require(body["operations"]?.array?.first?.string, "\(text)"),
      try #require(body["receipts"]?.array?.first, "\(text)")
    )
  }

  @Test func `what is final is proven by another node, and again after a crash`() throws {
    let swarm = try TestSwarm(voters: 2)
    var nodes = [try swarm.start(1), try swarm.start(2)]
    let trust = try FinalReadTests.trust(swarm)
    let written = try FinalReadTests.register(swarm)
    let receipt = try ReceiptFile(json: written.receipt).receipt
    try receipt.verify(trust.chain, with: nil)
    #expect(receipt.code == 0)
    #expect(receipt.node.key == swarm.places[0].key.publicKey)
    for number in 1...2 {
      try FinalReadTests.check(written, receipt, trust, swarm, at: number)
    }
    for node in nodes { node.crash() }
    nodes = [try swarm.start(1), try swarm.start(2)]
    for number in 1...2 {
      try FinalReadTests.check(written, receipt, trust, swarm, at: number)
    }
    for node in nodes {
      node.send(SIGTERM)
      #expect(node.waitForEnd() == 0)
    }
  }

  private static func check(
    _ written: (agent: String, operation: String, receipt: JSONValue),
    _ receipt: OperationReceipt, _ trust: LedgerTrust, _ swarm: TestSwarm, at number: Int
  ) throws {
    let proof = try proof("/v1/proofs/operation/\(written.operation)", swarm, at: number)
    #expect(try proof.verify(trust).height >= receipt.height)
    try receipt.verify(trust.chain, with: proof)
    let row = try FinalReadTests.proof("/v1/proofs/row/account/\(written.agent)", swarm, at: number)
    let state = try row.verify(trust)
    guard case .row(let path) = row.subject else {
      Issue.record("a proof of something else")
      return
    }
    #expect(state.height > 0)
    // An account that was opened has what was minted for it; before that it was absent.
    if state.height >= receipt.height { #expect(path.values?[1] == .integer(1_000_000_000)) }
    let none = try FinalReadTests.proof(
      "/v1/proofs/row/account/00000000-0000-0000-0000-000000000000", swarm, at: number)
    _ = try none.verify(trust)
    let again = try ReceiptFile(
      json: try swarm.get("/v1/operations/\(written.operation)/receipt?proof=1", from: number))
    let beside = try #require(again.proof)
    try again.receipt.verify(trust.chain, with: beside)
    #expect(again.receipt.block == receipt.block)
  }

  @Test func `the chain that a node hands out is whole, and what it lacks is said`() throws {
    let swarm = try TestSwarm(voters: 1)
    let node = try swarm.start(1)
    let trust = try FinalReadTests.trust(swarm)
    let written = try FinalReadTests.register(swarm)
    var audit = LedgerAudit(trust)
    var next: Int64 = 1
    while true {
      let page = try swarm.get("/v1/ledger/blocks?from=\(next)&limit=2")
      for value in page["blocks"]?.array ?? [] {
        let read = try LedgerFile.block(fromAPI: value, of: trust.chain)
        try audit.take(read.block, read.certificate)
        next += 1
      }
      guard page["next"] != nil else { break }
    }
    let head = try swarm.get("/v1/ledger/head")
    #expect(audit.report.height >= 1)
    #expect(audit.report.certifiedHeight == audit.report.height)
    #expect(head["epoch"]?.integer == 1)
    #expect(try swarm.get("/v1/ledger/epochs")["epochs"]?.array?.count == 1)
    let agent = try swarm.get("/v1/agents/\(written.agent)?consistency=final")
    #expect(agent["account"]?["available"] != nil)
    let lane = written.operation.prefix(64)
    for (path, status) in [
      ("/v1/proofs/operation/\(lane)-999999-0", 404),
      ("/v1/proofs/operation/\(String(repeating: "0", count: 64))-1-0", 404),
      ("/v1/operations/\(lane)-999999-0/receipt", 409),
      ("/v1/proofs/row/nothing/1", 404), ("/v1/proofs/row/supply/1", 200),
      ("/v1/ledger/blocks/999999999", 404),
    ] {
      // What no final block vouches for yet is 409; one follows.
      try swarm.eventually("\(path) gives \(status)") {
        try swarm.send("GET", path).status == status
      }
    }
    node.send(SIGTERM)
    #expect(node.waitForEnd() == 0)
  }
}
