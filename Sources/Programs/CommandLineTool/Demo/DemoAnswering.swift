internal import JSONText

/// One agent at work: reads each question from a node, runs its program, sends the answer.
struct DemoAnswering: Sendable {
  let agent: DemoAgent
  let questions: [String]
  let endpoints: [String]
  /// This program, which wraps the checker.
  let executable: String
  let board: Monitor<DemoBoard>

  /// Answers every question in order, never far ahead of the last settled one.
  func run() {
    let board = board
    let client = SwarmClient(
      endpoints: endpoints, preferred: agent.home, token: agent.token,
      isCancelled: { board.value.isOver })
    for place in questions.indices {
      let goesOn = board.wait { state -> Bool? in
        if state.isOver { return false }
        return place < state.settled + DemoSettings.leadMax ? true : nil
      }
      guard goesOn else { return }
      do {
        let before = client.failovers
        let reply = try answer(questions[place], client)
        board.update { state in
          state.replies[place][agent.place] = reply
          state.failovers += client.failovers - before
          switch reply {
          case .answered: state.acknowledged += 1
          case .abstained: break
          }
        }
      } catch {
        board.update { $0.fail("\(agent.program.name), question \(place + 1): \(error)") }
        return
      }
    }
  }

  private func answer(_ question: String, _ client: SwarmClient) throws -> DemoBoard.Reply {
    var input = JSONWriter()
    input.value(try client.get("/v1/questions/\(question)").json)
    let answer: ProgramAnswer
    do {
      answer = try ProgramAnswer(try runProgram(on: input.bytes), program: agent.program.name)
    } catch {
      return .abstained("\(error)")
    }
    let reply = try client.post(
      "/v1/questions/\(question)/answers?consistency=final", answer.body)
    guard reply.json["consistency"]?["reached"]?.string == "final" else {
      throw UnexpectedReply("an answer", lacks: "the level final")
    }
    return .answered(value: answer.value ?? answer.content, endpoint: reply.endpoint)
  }

  private func runProgram(on input: [UInt8]) throws(ProgramFault) -> [UInt8] {
    var limits = ProgramLimits()
    limits.timeoutMilliseconds = SpellingProgram.timeoutMilliseconds + 5_000
    limits.showsErrors = false
    let pool = ProgramPool(
      program: [executable, "agent", "spell"] + agent.program.arguments, limits: limits,
      concurrency: 1)
    var result: Result<[UInt8], ProgramFault> = .failure(.notStarted("it was not run"))
    pool.run([input]) { _, output in result = output }
    return try result.get()
  }
}
