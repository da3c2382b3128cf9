internal import HTTPServer

/// Finds the route of a request without looking at every one: routes are grouped by the first part
/// of their path that tells them apart, the one behind `/v1`.
struct RouteTable: Sendable {
  private let routes: [Route]
  /// The places of the routes below `/v1`, by their second part.
  private var versioned: [String: [Int]] = [:]
  /// The places of the others.
  private var others: [Int] = []

  init(_ routes: [Route]) {
    self.routes = routes
    for (index, route) in routes.enumerated() {
      if route.path.count > 1, route.path[0] == .literal("v1"),
        case .literal(let name) = route.path[1]
      {
        versioned[name, default: []].append(index)
      } else {
        others.append(index)
      }
    }
  }

  /// The place of the route that takes a request.
  func find(_ method: HTTPMethod, _ segments: [String]) throws(APIProblem) -> Int {
    let candidates =
      segments.count > 1 && segments[0] == "v1" ? versioned[segments[1]] ?? [] : others
    for index in candidates
    where routes[index].method == method && routes[index].matches(segments) {
      return index
    }
    throw refusal(method, segments, candidates)
  }

  private func refusal(
    _ method: HTTPMethod, _ segments: [String], _ candidates: [Int]
  ) -> APIProblem {
    var allowed: [String] = []
    for index in candidates where routes[index].matches(segments) {
      allowed.append(routes[index].method.rawValue)
      if routes[index].method == .get { allowed.append("HEAD") }
    }
    let path = "/" + segments.joined(separator: "/").prefix(120)
    guard !allowed.isEmpty else {
      return APIProblem(
        .notFound, "\(path) is no path of this interface; /openapi.json describes them all")
    }
    let list = allowed.joined(separator: ", ")
    return APIProblem(
      .methodNotAllowed, "\(path) takes \(list), not \(method.rawValue)",
      headers: [HTTPField("Allow", list)])
  }
}
