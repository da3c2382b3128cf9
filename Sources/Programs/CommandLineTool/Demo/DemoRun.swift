internal import Configuration
internal import Crypto
internal import JSONText
internal import Primitives

/// The work between a cluster that is made and a report: runs on a thread of its own, while the
/// main thread waits for its end or for Ctrl-C.
struct DemoRun: Sendable {
  let settings: DemoSettings
  let programs: [SpellingProgram]
  let truths: [Misspelling]
  let nodes: DemoNodes
  let executable: String
  let board: Monitor<DemoBoard>
  let progress: DemoProgress

  /// Does everything; throws when something fails that the report could not show.
  func run() throws -> DemoReport {
    progress.tell("starting \(DemoSettings.nodeCount) nodes …")
    try nodes.start(0..<DemoSettings.nodeCount)
    for node in nodes.nodes { progress.tell("  node \(node.index)  \(node.api)  pid \(node.pid)") }
    let cast = try DemoCast(
      programs: programs, endpoints: nodes.endpoints, operatorToken: try nodes.operatorToken(),
      isCancelled: isCancelled)
    progress.tell(
      "\(cast.agents.count) checkers are agents, each at a node of its own choice; asking "
        + "\(truths.count) questions; answers and truths are acknowledged when they are final …")
    let start = MonotonicClock.milliseconds
    let operationsBefore = try operations()
    let questions = try ask(cast)
    let (verdicts, outage) = try settle(questions, cast, start)
    let milliseconds = MonotonicClock.milliseconds - start
    return try inspect(
      questions, cast, verdicts: verdicts, outage: outage, milliseconds: milliseconds,
      operationsBefore: operationsBefore)
  }

  private var isCancelled: @Sendable () -> Bool {
    let board = board
    return { board.value.isOver }
  }

  /// Posts the questions through one node after the other; returns their identifiers.
  private func ask(_ cast: DemoCast) throws -> [String] {
    let client = SwarmClient(
      endpoints: nodes.endpoints, token: cast.askerToken, isCancelled: isCancelled)
    return try truths.enumerated().map { place, truth in
      guard let question = SpellingQuestion(misspelling: truth.wrong) else {
        preconditionFailure("'\(truth.wrong)' was chosen and cannot be asked about")
      }
      var writer = JSONWriter()
      writer.beginObject()
      writer.key("text")
      writer.string(question.text)
      writer.key("category")
      writer.string("factual")
      writer.key("minimumAnswers")
      writer.integer(1)
      writer.endObject()
      client.preferred = place % nodes.endpoints.count
      let reply = try client.post(
        "/v1/questions?consistency=quorum", writer.bytes,
        key: Entropy.identifier(DemoRun.self).description)
      guard let id = reply.json["id"]?.string else {
        throw UnexpectedReply("a question", lacks: "id")
      }
      return id
    }
  }

  /// Lets the agents answer and settles question by question while a node dies and returns.
  private func settle(
    _ questions: [String], _ cast: DemoCast, _ start: Int
  ) throws -> ([DemoVerdict], DemoOutage) {
    let board = board
    let answering = cast.agents.map { agent in
      let work = DemoAnswering(
        agent: agent, questions: questions, endpoints: nodes.endpoints, executable: executable,
        board: board)
      return WorkerThread { work.run() }
    }
    let drill = DemoOutageDrill(
      settings: settings, nodes: nodes, board: board, startMilliseconds: start,
      report: { [progress] in progress.tell($0) })
    let outage = Monitor<DemoOutage?>(nil)
    let drilling = WorkerThread {
      do {
        let result = try drill.run()
        outage.update { $0 = result }
      } catch {
        board.update { $0.fail("\(error)") }
      }
    }
    defer { for thread in answering + [drilling] { thread.join() } }
    var verdicts: [DemoVerdict] = []
    do {
      let judge = DemoJudge(
        truths: truths, questions: questions, endpoints: nodes.endpoints,
        resolverToken: cast.resolverToken, board: board)
      verdicts = try judge.run { progress.settled($0, of: questions.count) }
    } catch {
      board.update { $0.fail("\(error)") }
    }
    drilling.join()
    if let failure = board.value.failure { throw DemoFailure(description: failure) }
    guard let outage = outage.value, verdicts.count == questions.count else {
      throw DemoInterruption()
    }
    return (verdicts, outage)
  }

  private func inspect(
    _ questions: [String], _ cast: DemoCast, verdicts: [DemoVerdict], outage: DemoOutage,
    milliseconds: Int, operationsBefore: Int64
  ) throws -> DemoReport {
    progress.tell("reading everything back from every node …")
    let inspection = DemoInspection(endpoints: nodes.endpoints, isCancelled: isCancelled)
    let board = board.value
    let states = try inspection.states()
    let settlement = try FinalitySettlement.wait(
      nodes.endpoints, patience: SwarmClient.patienceMilliseconds)
    let tallies = cast.agents.map {
      DemoTally($0, verdicts: verdicts, replies: board.replies)
    }
    let lost = try inspection.lostAnswers(
      questions: questions, agents: cast.agents, replies: board.replies)
    let differing = states.filter { !$0.agrees(with: states[0]) }
    let checks = [
      DemoCheck(
        claim:
          "final answers lost: \(lost.count); all \(board.acknowledged) were looked for "
          + "on each of \(states.count) nodes", faults: lost),
      DemoCheck(
        claim: "every node has the same bundles, lanes root and rows",
        faults: differing.map { "node \($0.node) differs from node \(states[0].node)" }),
      DemoCheck(
        claim:
          "every node has executed the same blocks to one root, every bundle below their cut",
        faults: settlement == nil ? ["heights or roots differ, or something is not final"] : []),
      DemoCheck(
        claim: "every node counts the same right answers of each agent as were counted here",
        faults: try inspection.wrongScores(tallies)),
    ]
    return DemoReport(
      settings: settings, tallies: tallies, verdicts: verdicts, states: states,
      views: settlement?.views ?? [], outage: outage,
      acknowledged: board.acknowledged, failovers: board.failovers, milliseconds: milliseconds,
      operations: states[0].operations - operationsBefore, checks: checks)
  }

  /// The operations of the node that has most of them.
  private func operations() throws -> Int64 {
    let inspection = DemoInspection(endpoints: nodes.endpoints, isCancelled: isCancelled)
    return try inspection.states().map(\.operations).max() ?? 0
  }
}

/// Why the demonstration failed.
struct DemoFailure: Error, CustomStringConvertible {
  /// The first thing that went wrong.
  let description: String
}
