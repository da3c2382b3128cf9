internal import ControlCore
internal import HTTPServer
internal import Primitives

/// The route of watches.
extension AgentAPI {
  static let watchRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("watch")], "watch",
      "Shows what changes, from a revision on, as server-sent events.", access: .agentOrOperator,
      query: [
        FieldRule(
          "prefix", .bytes(0...ControlLimits.nameBytes.upperBound),
          "Keys that start with this; all of them when nothing is asked for."),
        FieldRule(
          "locks", .bytes(0...ControlLimits.nameBytes.upperBound), "Locks that start with this."),
        FieldRule("leases", .flag, "Leases that are gone."),
        FieldRule(
          "after", .integer(0...Int64.max),
          "Begin behind this revision; without it, and without Last-Event-ID, behind the present."),
      ], successes: [(200, .text(WatchHub.mediaType))], problems: [.overloaded]
    ) { api, exchange throws(APIProblem) in try api.watch(exchange) }
  ]

  private func watch(_ exchange: Exchange) throws(APIProblem) {
    let query = exchange.query
    var filter = ControlFilter(leases: query.flag("leases"))
    if let prefix = query.text("locks") { filter.lockPrefixes = [Array(prefix.utf8)] }
    if let prefix = query.text("prefix") {
      filter.keyPrefixes = [Array(prefix.utf8)]
    } else if !query.has("locks") && !filter.leases {
      filter.keyPrefixes = [[]]
    }
    let start = try AgentAPI.lastEvent(exchange.request.headers) ?? query.integer("after")
    guard hub.admit() else { throw AgentAPI.overloaded(1, "watches") }
    if exchange.request.isHead {
      return finish(exchange, HTTPResponse(status: 200, contentType: WatchHub.mediaType))
    }
    count(exchange.route, since: exchange.start, status: 200)
    let sink = exchange.answers.stream([HTTPField("Cache-Control", "no-store")])
    hub.watch(filter, after: start.map { UInt64($0) } ?? backend.controlRevision, on: sink)
  }

  /// Where a client that comes again left off: it knows better than the address it was given.
  private static func lastEvent(_ headers: HTTPHeaders) throws(APIProblem) -> Int64? {
    guard let text = headers["Last-Event-ID"] else { return nil }
    guard !headers.isRepeated("Last-Event-ID"), text.utf8.first != UInt8(ascii: "+"),
      let revision = Int64(text), revision >= 0
    else {
      throw APIProblem(field: "Last-Event-ID", rule: "format", "must be a revision")
    }
    return revision
  }
}
