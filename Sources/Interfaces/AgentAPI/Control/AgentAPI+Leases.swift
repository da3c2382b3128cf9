internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// Routes about leases.
extension AgentAPI {
  static let leaseRoutes: [Route] = [
    Route(
      .post, [.literal("v1"), .literal("leases")], "grantLease", "Grants a lease.",
      access: .agentOrOperator,
      body: ObjectRule(
        "LeaseRequest",
        [
          FieldRule(
            "ttlMilliseconds",
            .integer(
              Int64(
                ControlLimits.leaseMilliseconds.lowerBound)...Int64(
                  ControlLimits.leaseMilliseconds.upperBound)), isRequired: true,
            "How long it lasts after it was granted or kept alive.")
        ]), control: .write, successes: [(201, .json(Shapes.leaseGranted))],
      problems: [.limitReached]
    ) { api, exchange throws(APIProblem) in api.grantLease(exchange) },
    Route(
      .post, [.literal("v1"), .literal("leases"), .lease, .literal("keepalive")], "keepLease",
      "Lets a lease's time start anew.", access: .agentOrOperator, control: .write,
      successes: [(200, .json(Shapes.leaseKept))]
    ) { api, exchange throws(APIProblem) in try api.keepLease(exchange) },
    Route(
      .delete, [.literal("v1"), .literal("leases"), .lease], "revokeLease",
      "Ends a lease: its keys are deleted, its locks released.", access: .agentOrOperator,
      control: .write, successes: [(200, .json(Shapes.leaseEnded))]
    ) { api, exchange throws(APIProblem) in try api.revokeLease(exchange) },
    Route(
      .get, [.literal("v1"), .literal("leases"), .lease], "getLease", "Gives a lease.",
      access: .agentOrOperator, control: .read, successes: [(200, .json(Shapes.lease))]
    ) { api, exchange throws(APIProblem) in try api.getLease(exchange) },
    Route(
      .get, [.literal("v1"), .literal("leases")], "listLeases",
      "Lists leases in the order of their numbers.", access: .agentOrOperator,
      query: [
        FieldRule(
          "after", .integer(1...Int64.max), "Where to go on: the last lease of the page before."),
        FieldRule("limit", .integer(1...1_000), fallback: "100", "How many at most."),
      ], control: .read, successes: [(200, .json(Shapes.leases))]
    ) { api, exchange throws(APIProblem) in api.listLeases(exchange) },
  ]

  private func grantLease(_ exchange: Exchange) {
    let ttl = UInt32(exchange.body.integer("ttlMilliseconds") ?? 0)
    order(.grantLease(ttlMilliseconds: ttl), for: exchange, status: 201) { writer, result in
      guard case .leaseGranted(let lease, let ttl) = result.outcome else {
        preconditionFailure("a grant came to \(result.outcome)")
      }
      writer.key("lease")
      writer.unsigned(lease.value)
      writer.key("ttlMilliseconds")
      writer.unsigned(UInt64(ttl))
    }
  }

  private func keepLease(_ exchange: Exchange) throws(APIProblem) {
    order(.renewLease(try exchange.leaseID(2)), for: exchange) { writer, result in
      guard case .leaseRenewed(let lease, let ttl, let renewals) = result.outcome else {
        preconditionFailure("a renewal came to \(result.outcome)")
      }
      writer.key("lease")
      writer.unsigned(lease.value)
      writer.key("ttlMilliseconds")
      writer.unsigned(UInt64(ttl))
      writer.key("renewals")
      writer.unsigned(renewals)
    }
  }

  private func revokeLease(_ exchange: Exchange) throws(APIProblem) {
    order(.revokeLease(try exchange.leaseID(2)), for: exchange) { writer, result in
      guard case .leaseEnded(let lease, let keys, let locks) = result.outcome else {
        preconditionFailure("a revocation came to \(result.outcome)")
      }
      writer.key("lease")
      writer.unsigned(lease.value)
      writer.key("keys")
      writer.unsigned(UInt64(keys))
      writer.key("locks")
      writer.unsigned(UInt64(locks))
    }
  }

  private func getLease(_ exchange: Exchange) throws(APIProblem) {
    let id = try exchange.leaseID(2)
    query(.lease(id), exchange.control.level, for: exchange) {
      [unowned self] answer, freshness throws(APIProblem) in
      guard case .lease(let lease) = answer.content else {
        preconditionFailure("a lease was asked for")
      }
      guard let lease else {
        throw absent("there is no lease \(id), or no more", exchange, answer, freshness)
      }
      finish(exchange, answer, freshness) { $0.writeMembers(of: lease) }
    }
  }

  private func listLeases(_ exchange: Exchange) {
    let after = exchange.query.integer("after").flatMap { LeaseID(UInt64($0)) }
    let limit = Int(exchange.query.integer("limit") ?? 100)
    query(.leases(after: after, limit: limit), exchange.control.level, for: exchange) {
      [unowned self] answer, freshness throws(APIProblem) in
      guard case .leases(let leases, let more) = answer.content else {
        preconditionFailure("leases were asked for")
      }
      finish(exchange, answer, freshness) { writer in
        writer.list("leases", leases, more: more) { $0.writeMembers(of: $1) }
      }
    }
  }
}

extension JSONWriter {
  mutating func writeMembers(of lease: ControlLease) {
    key("lease")
    unsigned(lease.id.value)
    key("ttlMilliseconds")
    unsigned(UInt64(lease.ttlMilliseconds))
    key("renewals")
    unsigned(lease.renewals)
    key("attachments")
    unsigned(UInt64(lease.attachments))
  }
}
