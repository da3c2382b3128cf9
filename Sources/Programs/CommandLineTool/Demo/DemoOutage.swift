package import JSONText

/// One node's death and return in the midst of the work.
struct DemoOutage: Sendable {
  /// The node's number, from 1.
  let node: Int
  /// The question, from 1, that was being settled when the node was killed.
  let question: Int
  /// When it was killed, in milliseconds since the first question.
  let killedMilliseconds: Int
  /// From its death until it was started again, in milliseconds.
  let downMilliseconds: Int
  /// From its start until it was ready, in milliseconds.
  let readyMilliseconds: Int
  /// From its start until it had all that the others had at that moment, in milliseconds.
  let catchUpMilliseconds: Int
  /// How many bundles it missed.
  let bundlesMissed: Int64
  /// Answers acknowledged between its death and its start.
  let answersMeanwhile: Int
}

/// Kills a node, waits, starts it again, and watches it catch up.
package struct DemoOutageDrill: Sendable {
  let settings: DemoSettings
  let nodes: DemoNodes
  let board: Monitor<DemoBoard>
  let startMilliseconds: Int
  let report: @Sendable (String) -> Void

  /// Runs the drill; returns `nil` when the demonstration ends before.
  func run() throws -> DemoOutage? {
    let victim = DemoSettings.victim
    let client = SwarmClient(endpoints: nodes.endpoints, isCancelled: isCancelled)
    guard awaitSettled(settings.killPlace) else { return nil }
    let last = try frontier(client, at: victim)
    try nodes.kill(victim)
    let killed = MonotonicClock.milliseconds
    let before = board.value.acknowledged
    report("node \(victim + 1) is killed with SIGKILL; its agents turn to the next node")
    guard awaitSettled(settings.restartPlace) else { return nil }
    let target = try frontier(client, at: 0)
    let missed = DemoOutageDrill.missing(last, of: target)
    let meanwhile = board.value.acknowledged - before
    let started = MonotonicClock.milliseconds
    report(
      "node \(victim + 1) is started again after \(started - killed) ms; it missed \(missed) "
        + "bundles")
    try nodes.start([victim])
    let ready = MonotonicClock.milliseconds
    var patience = Patience(milliseconds: SwarmClient.patienceMilliseconds)
    while DemoOutageDrill.missing(try frontier(client, at: victim), of: target) > 0 {
      guard patience.pause() else {
        throw UnexpectedReply("the status of node \(victim + 1)", lacks: "what it missed")
      }
    }
    let level = MonotonicClock.milliseconds
    report("node \(victim + 1) has all of them \(level - started) ms after its start")
    return DemoOutage(
      node: victim + 1, question: settings.killPlace + 1,
      killedMilliseconds: killed - startMilliseconds, downMilliseconds: started - killed,
      readyMilliseconds: ready - started, catchUpMilliseconds: level - started,
      bundlesMissed: missed, answersMeanwhile: meanwhile)
  }

  private var isCancelled: @Sendable () -> Bool {
    let board = board
    return { board.value.isOver }
  }

  private func awaitSettled(_ count: Int) -> Bool {
    board.wait { state in state.isOver ? false : state.settled >= count ? true : nil }
  }

  private func frontier(_ client: SwarmClient, at place: Int) throws -> [JSONMember] {
    client.preferred = place
    let reply = try client.get("/v1/status")
    guard reply.endpoint == place, let frontier = reply.json["frontier"]?.object else {
      throw UnexpectedReply("the status of node \(place + 1)", lacks: "its frontier")
    }
    return frontier
  }

  /// How many bundles of `target` a frontier lacks.
  package static func missing(_ frontier: [JSONMember], of target: [JSONMember]) -> Int64 {
    target.reduce(0) { sum, lane in
      let number = frontier.first { $0.key == lane.key }?.value.integer ?? 0
      return sum + max(0, (lane.value.integer ?? 0) - number)
    }
  }
}
