import AgentAPI
import Crypto
import HTTPServer
import JSONText
import LedgerCore
import Primitives
import Records
import Testing

/// Routes about the node: health, status, metrics, proofs, tickets.
struct NodeRouteTests {
  private let door = Door()

  @Test func `health is judged by the caller's thresholds`() {
    door.node.pendingWrites = 10
    #expect(door.get("/health").status == 200)
    #expect(door.get("/health?maxPendingWrites=10").status == 200)
    let reply = door.get("/health?maxPendingWrites=9")
    #expect(reply.status == 503)
    #expect(reply.json["detail"]?.string == "pendingWrites is 10, above maxPendingWrites=9")
    #expect(door.get("/health?maxBehindBundles=3").status == 200)
    #expect(door.get("/health?maxBehindBundles=2").status == 503)
    #expect(door.get("/health?maxPendingWrites=-1").status == 422)
  }

  @Test func `readiness names what is missing`() {
    #expect(door.get("/ready").status == 200)
    door.node.votersReachable = 1
    #expect(door.get("/ready").status == 200)
    #expect(door.get("/ready?quorum=0").status == 200)
    let lonely = door.get("/ready?quorum=1")
    #expect(lonely.status == 503)
    #expect(lonely.header("Retry-After") == "1")
    door.node.notReady = ["recovering: 5 of 9 bundles"]
    let recovering = door.get("/ready?quorum=true")
    #expect(recovering.json["reasons"]?.array?.count == 2)
    #expect(recovering.json["reasons"]?.array?.first?.string == "recovering: 5 of 9 bundles")
  }

  @Test func `the status holds what two nodes are compared by`() {
    _ = door.register("Ada")
    let status = door.get("/v1/status").json
    let lane = door.node.lane.digest.hexadecimal
    #expect(status["node"]?.string == door.node.node.key.hexadecimal)
    #expect(status["swarm"]?.string == "main")
    #expect(status["frontier"]?[lane]?.integer == 1)
    #expect(status["syncedFrontier"]?[lane]?.integer == 1)
    #expect(status["rowsDigest"]?.string == door.node.tables.rowsDigest.hexadecimal)
    #expect(status["operations"]?.integer == 1)
    #expect(status["quorum"]?.integer == 2)
    #expect(status["peers"]?.array?.count == 2)
  }

  @Test func `members and lanes are listed`() {
    #expect(door.get("/v1/members").json["members"]?.array?.count == 2)
    #expect(door.get("/v1/lanes").json["lanes"]?.array?.first?["forked"]?.bool == false)
  }

  @Test func `metrics are in the text format of Prometheus`() {
    let ada = door.register("Ada")
    _ = door.ask(ada)
    _ = door.get("/nowhere")
    let reply = door.get("/metrics")
    #expect(reply.response.contentType == "text/plain; version=0.0.4; charset=utf-8")
    var declared: Set<String> = []
    for line in reply.text.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        declared.insert(String(line.split(separator: " ")[2]))
      } else if !line.hasPrefix("#") {
        let name = line.prefix { $0 != "{" && $0 != " " }
        let family = ["_bucket", "_sum", "_count"].reduce(String(name)) {
          $0.hasSuffix($1) && !declared.contains($0) ? String($0.dropLast($1.count)) : $0
        }
        #expect(declared.contains(family), "\(line)")
        #expect(name.hasPrefix("swarmoracle_"))
      }
    }
    for line in [
      #"swarmoracle_http_requests_total{route="registerAgent",status="2xx"} 1"#,
      #"swarmoracle_http_requests_total{route="none",status="4xx"} 1"#,
      #"swarmoracle_http_request_duration_seconds_bucket{route="postQuestion",le="0.0001"} 1"#,
      #"swarmoracle_http_request_duration_seconds_bucket{route="postQuestion",le="+Inf"} 1"#,
      #"swarmoracle_writes_total{outcome="reached"} 2"#,
      #"# HELP swarmoracle_test_value A value of the "test".\nSecond line \\."#,
      #"swarmoracle_test_value{label="with \"quotes\", a \\ and a\nline"} 7"#,
    ] {
      #expect(reply.text.contains(line + "\n"), "\(line)")
    }
  }

  @Test func `a metric with a foreign name is a programmer's error`() async {
    await #expect(processExitsWith: .failure) {
      var text = MetricsText()
      text.family("other_total", .counter, "Something.")
    }
  }

  @Test func `a proof is given in hexadecimal`() throws {
    let signature = try #require(Signature(Array(repeating: 0xab, count: 64)))
    let digest = Digest(words: 1, 2, 3, 4)
    let id = OperationID(bundle: LanePosition(lane: door.node.lane, number: 9), index: 3)
    let path = "/v1/operations/\(id)/proof"
    #expect(door.get(path).status == 404)
    door.node.proofResult = .success(
      OperationProof(
        operation: [1, 0xff], index: 3, operationCount: 4, operationPath: [digest, digest],
        header: [2], signature: signature, node: door.node.node, lane: door.node.lane, number: 9,
        laneCount: 12, lanePath: [digest], laneRoot: digest, laneHead: [3], laneIndex: 0,
        lanesCount: 1, lanesPath: [], lanesRoot: digest))
    let reply = door.get(path)
    #expect(reply.status == 200)
    #expect(reply.json["id"]?.string == id.description)
    #expect(reply.json["operation"]?.string == "01ff")
    #expect(reply.json["operationPath"]?.array?.count == 2)
    #expect(reply.json["signature"]?.string == String(repeating: "ab", count: 64))
    door.node.proofResult = .failure(.busy(retryAfterSeconds: 2))
    #expect(door.get(path).header("Retry-After") == "2")
    for bad in ["1", "x-1-1", "\(door.node.lane.digest)-0-0", "\(door.node.lane.digest)-1-1024"] {
      #expect(door.get("/v1/operations/\(bad)/proof").status == 404)
    }
  }

  @Test func `tickets are made for the operator only`() {
    let ada = door.register("Ada")
    let body = #"{"role":"learner","validSeconds":60}"#
    #expect(door.post("/v1/tickets", body).status == 401)
    #expect(door.post("/v1/tickets", token: "guess", body).status == 401)
    #expect(door.post("/v1/tickets", token: ada.token, body).status == 403)
    let reply = door.post("/v1/tickets", token: FakeNode.operatorToken, body)
    #expect(reply.status == 201)
    #expect(reply.json["ticket"]?.string == "sot1_secret")
    #expect(reply.header("Cache-Control") == "no-store")
    #expect(door.node.ticketRequests == [TicketRequest(role: .learner, validSeconds: 60)])
    #expect(door.post("/v1/tickets", token: FakeNode.operatorToken, "{}").status == 201)
    #expect(door.node.ticketRequests.last == TicketRequest(role: .learner, validSeconds: 3_600))
    let voter = #"{"role":"voter"}"#
    #expect(door.post("/v1/tickets", token: FakeNode.operatorToken, voter).status == 201)
    #expect(door.node.ticketRequests.last == TicketRequest(role: .voter, validSeconds: 3_600))
    let edge = #"{"role":"leader"}"#
    #expect(door.post("/v1/tickets", token: FakeNode.operatorToken, edge).status == 422)
    door.node.ticketResult = .failure(TicketFault(reason: "no address is known"))
    #expect(door.post("/v1/tickets", token: FakeNode.operatorToken, "{}").status == 500)
    door.node.operatorTokenDigest = nil
    #expect(door.post("/v1/tickets", token: FakeNode.operatorToken, body).status == 403)
  }

  @Test func `every read seeks by a key or an index and sorts no table`() throws {
    let ada = door.register("Ada")
    let question = door.ask(ada)
    for index in 0..<3 { _ = door.ask(door.register("Agent \(index)")) }
    door.post("/v1/questions/\(question)/answers", token: ada.token, Door.answer())
    for path in ["/v1/agents", "/v1/leaderboard", "/v1/questions"] {
      let next = try #require(door.get(path + "?limit=1").json["next"]?.string)
      door.get(path + "?limit=1&cursor=\(next)")
    }
    for path in ["", "/answers", "/consensus"] { door.get("/v1/questions/\(question)\(path)") }
    for filter in [
      "status=OPEN", "status=VERIFIED", "since=2030-01-01T00:00:00Z", "asker=\(ada.id)",
    ] {
      door.get("/v1/questions?\(filter)")
    }
    #expect(door.node.queries.count > 10)
    for query in door.node.queries {
      for step in door.node.database.plan(query) {
        let isScan = step.hasPrefix("SCAN") && !step.contains("USING") && !step.contains("CONSTANT")
        // Tables without row ids are in the order of their keys, so that a scan of one is a seek.
        #expect(!isScan || query.sql.contains("ORDER BY agent"), "\(step): \(query.sql)")
        #expect(
          !step.contains("TEMP B-TREE FOR ORDER BY"), "\(step): \(query.sql)")
      }
    }
  }
}
