internal import HTTPServer
internal import JSONText
internal import LedgerCore
internal import Primitives
internal import Records

/// Routes about the node itself.
extension AgentAPI {
  static let nodeRoutes: [Route] = [
    Route(
      .get, [.literal("health")], "getHealth",
      "Says that the process is alive, and whether it stays within the caller's thresholds.",
      query: [
        FieldRule("maxPendingWrites", .integer(0...1_000_000_000), "503 above it."),
        FieldRule("maxPendingReads", .integer(0...1_000_000_000), "503 above it."),
        FieldRule("maxPendingBundles", .integer(0...1_000_000_000), "503 above it."),
        FieldRule(
          "maxBehindBundles", .integer(0...1_000_000_000),
          "503 when a connected peer lacks more bundles than this."),
      ], successes: [(200, .json(Shapes.health))], problems: [.notReady]
    ) { api, exchange throws(APIProblem) in try api.getHealth(exchange) },
    Route(
      .get, [.literal("ready")], "getReady",
      "Says whether the node is recovered and serves agents, with quorum=1 also a quorum in reach.",
      query: [
        FieldRule("quorum", .flag, "Whether a quorum must be in reach and a leader known.")
      ],
      successes: [(200, .json(Shapes.ready))], problems: [.notReady]
    ) { api, exchange throws(APIProblem) in try api.getReady(exchange) },
    Route(
      .get, [.literal("metrics")], "getMetrics", "Gives metrics in the text format of Prometheus.",
      successes: [(200, .text("text/plain; version=0.0.4; charset=utf-8"))]
    ) { api, exchange throws(APIProblem) in api.getMetrics(exchange) },
    Route(
      .get, [.literal("openapi.json")], "getDescription", "Gives this description (OpenAPI 3.0.3).",
      successes: [(200, .document("application/json"))]
    ) { api, exchange throws(APIProblem) in
      api.finish(exchange, HTTPResponse.json(OpenAPIDocument.bytes))
    },
    Route(
      .get, [.literal("v1"), .literal("status")], "getStatus",
      "Says what the node holds: frontiers, roots, peers, queues.",
      successes: [(200, .json(Shapes.nodeStatus))]
    ) { api, exchange throws(APIProblem) in api.getStatus(exchange) },
    Route(
      .get, [.literal("v1"), .literal("lanes")], "listLanes", "Lists the lanes and their roots.",
      successes: [(200, .json(Shapes.lanes))]
    ) { api, exchange throws(APIProblem) in api.getLanes(exchange) },
    Route(
      .post, [.literal("v1"), .literal("tickets")], "createTicket",
      "Makes a ticket with which a new node may join.", access: .operator_,
      body: ObjectRule(
        "TicketRequest",
        [
          FieldRule(
            "role", .word(["voter", "learner"]), fallback: "learner",
            "The part of the new node; a voter learns until it has caught up."),
          FieldRule(
            "validSeconds", .integer(60...604_800), fallback: "3600", "How long it may be used."),
        ]),
      successes: [(201, .json(Shapes.ticket))], problems: [.storageFailed]
    ) { api, exchange throws(APIProblem) in api.postTicket(exchange) },
  ]

  private func getHealth(_ exchange: Exchange) throws(APIProblem) {
    let status = backend.status
    let behind = status.peers.filter(\.isConnected).map(\.behindBundles).max() ?? 0
    let gauges: [(name: String, threshold: String, value: UInt64)] = [
      ("pendingWrites", "maxPendingWrites", UInt64(status.pendingWrites)),
      ("pendingReads", "maxPendingReads", UInt64(status.pendingReads)),
      ("pendingBundles", "maxPendingBundles", UInt64(status.pendingBundles)),
      ("behindBundles", "maxBehindBundles", behind),
    ]
    for gauge in gauges {
      guard let threshold = exchange.query.integer(gauge.threshold),
        gauge.value > UInt64(threshold)
      else { continue }
      throw APIProblem(
        .notReady, "\(gauge.name) is \(gauge.value), above \(gauge.threshold)=\(threshold)",
        headers: [HTTPField("Retry-After", "1")])
    }
    finish(
      exchange,
      json { writer in
        writer.beginObject()
        writer.key("status")
        writer.string("alive")
        writer.key("version")
        writer.string(status.version)
        for gauge in gauges {
          writer.key(gauge.name)
          writer.unsigned(gauge.value)
        }
        writer.endObject()
      })
  }

  private func getReady(_ exchange: Exchange) throws(APIProblem) {
    let status = backend.status
    var reasons = status.notReady
    if exchange.query.flag("quorum") {
      if !status.isQuorumInReach {
        reasons.append(
          "\(status.votersReachable) of \(status.voters) voters are in reach, a quorum is"
            + " \(status.quorum)")
      }
      if backend.controlStatus.leader == nil { reasons.append("no leader is known") }
    }
    guard reasons.isEmpty else {
      var problem = APIProblem(
        .notReady, reasons.joined(separator: "; "), headers: [HTTPField("Retry-After", "1")])
      problem.members = [
        (
          "reasons",
          json { writer in
            writer.beginArray()
            for reason in reasons { writer.string(reason) }
            writer.endArray()
          }.body
        )
      ]
      throw problem
    }
    finish(
      exchange,
      json { writer in
        writer.beginObject()
        writer.key("status")
        writer.string("ready")
        writer.endObject()
      })
  }

  private func getMetrics(_ exchange: Exchange) {
    var text = MetricsText()
    metrics.write(into: &text, names: AgentAPI.routes.map(\.name))
    hub.writeMetrics(into: &text)
    backend.writeMetrics(into: &text)
    finish(
      exchange,
      HTTPResponse(
        status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: text.bytes))
  }

  private func getStatus(_ exchange: Exchange) {
    let status = backend.status
    finish(
      exchange,
      json {
        $0.write(status, backend.controlStatus, nowMilliseconds: backend.wallMilliseconds)
      })
  }

  private func getLanes(_ exchange: Exchange) {
    let lanes = backend.lanes
    let root = backend.lanesRoot
    finish(
      exchange,
      json { writer in
        writer.beginObject()
        writer.key("lanes")
        writer.beginArray()
        for lane in lanes { writer.write(lane) }
        writer.endArray()
        writer.key("lanesRoot")
        writer.string(root.hexadecimal)
        writer.endObject()
      })
  }

  private func postTicket(_ exchange: Exchange) {
    guard exchange.park() else { return }
    let request = TicketRequest(
      role: exchange.body.text("role") == "voter" ? .voter : .learner,
      validSeconds: Int(exchange.body.integer("validSeconds") ?? 3_600))
    backend.makeTicket(request) { [unowned self] result in
      switch result {
      case .success(let ticket):
        finish(
          exchange,
          json(201, headers: [HTTPField("Cache-Control", "no-store")]) { writer in
            writer.beginObject()
            writer.key("ticket")
            writer.string(ticket.text)
            writer.key("expiresAt")
            writer.timestamp(ticket.expiresMilliseconds)
            writer.endObject()
          })
      case .failure(let fault):
        finish(exchange, APIProblem(.storageFailed, "no ticket was made: \(fault.reason)"))
      }
    }
  }
}
