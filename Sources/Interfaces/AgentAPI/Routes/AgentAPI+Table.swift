extension AgentAPI {
  /// Every route, in the order of the description.
  static let routes: [Route] =
    agentRoutes + questionRoutes + answerRoutes + collectionRoutes + recordRoutes
    + conflictRoutes + proofRoutes + ledgerRoutes + keyRoutes + leaseRoutes + lockRoutes
    + watchRoutes
    + controlRoutes + nodeRoutes + memberRoutes

  /// The way from a request to its route.
  static let table = RouteTable(routes)
}
