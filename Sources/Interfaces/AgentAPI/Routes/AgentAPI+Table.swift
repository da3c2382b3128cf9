extension AgentAPI {
  /// Every route, in the order of the description.
  static let routes: [Route] =
    agentRoutes + questionRoutes + answerRoutes + collectionRoutes + recordRoutes
    + conflictRoutes + proofRoutes + nodeRoutes
}
