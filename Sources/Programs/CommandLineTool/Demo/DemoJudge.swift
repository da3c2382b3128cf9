internal import AnswerCore
internal import JSONText

/// What the swarm said about one question before the truth was known.
struct DemoVerdict: Sendable {
  /// The misspelling and its meaning.
  let truth: Misspelling
  /// The answer of the swarm; `nil` without any.
  let winner: String?
  /// The answer with the most votes; `nil` without any.
  let plurality: String?
  /// The swarm's lead over the next answer in millionths.
  let marginMillionths: Int64

  /// Whether the swarm was right.
  var isWinnerRight: Bool { winner.map { DemoVerdict.agree($0, truth.right) } ?? false }
  /// Whether equal votes were right.
  var isPluralityRight: Bool { plurality.map { DemoVerdict.agree($0, truth.right) } ?? false }

  /// Whether two answers are the same to the swarm.
  static func agree(_ left: String, _ right: String) -> Bool {
    CanonicalAnswer.key(of: left) == CanonicalAnswer.key(of: right)
  }
}

/// Settles questions in order: reads what the swarm says, and only then declares the truth.
struct DemoJudge: Sendable {
  let truths: [Misspelling]
  let questions: [String]
  let endpoints: [String]
  let resolverToken: String
  let board: Monitor<DemoBoard>

  /// Settles every question; returns fewer verdicts when the demonstration ends before.
  func run(progress: (Int) -> Void) throws -> [DemoVerdict] {
    let board = board
    let client = SwarmClient(
      endpoints: endpoints, token: resolverToken, isCancelled: { board.value.isOver })
    var verdicts: [DemoVerdict] = []
    for place in questions.indices {
      let answers = board.wait { state -> Int? in
        if state.isOver { return -1 }
        return state.isComplete(place) ? state.answers(to: place) : nil
      }
      guard answers >= 0 else { return verdicts }
      client.preferred = place % endpoints.count
      verdicts.append(try verdict(place, answers, client))
      try resolve(place, client)
      board.update { $0.settled += 1 }
      progress(place + 1)
    }
    return verdicts
  }

  /// Reads the outcome at a node that has all acknowledged answers.
  private func verdict(
    _ place: Int, _ answers: Int, _ client: SwarmClient
  ) throws -> DemoVerdict {
    var patience = Patience(milliseconds: SwarmClient.patienceMilliseconds)
    while true {
      let outcome = try client.get("/v1/questions/\(questions[place])/consensus").json
      guard let counted = outcome["answersCounted"]?.integer else {
        throw UnexpectedReply("a consensus", lacks: "answersCounted")
      }
      if counted >= answers {
        return DemoVerdict(
          truth: truths[place], winner: outcome["winner"]?.string,
          plurality: outcome["plurality"]?.string,
          marginMillionths: outcome["margin"]?.fixedPoint(scale: 6) ?? 0)
      }
      guard patience.pause() else {
        throw UnexpectedReply(
          "the consensus on question \(place + 1)",
          lacks: "\(answers - Int(counted)) of \(answers) answers")
      }
    }
  }

  private func resolve(_ place: Int, _ client: SwarmClient) throws {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("value")
    writer.string(truths[place].right)
    writer.endObject()
    _ = try client.post(
      "/v1/questions/\(questions[place])/resolve?consistency=final", writer.bytes)
  }
}
