internal import Records

/// The shapes of all responses.
enum Shapes {
  static func list(_ name: String, _ element: Shape) -> Shape {
    .object([.init(name, .list(element)), .init("next", .hexadecimal(100), isOptional: true)])
  }

  static let category = Shape.word(CategoryNames.all)
  private static let capability = Shape.word(CapabilityNames.all.map(\.name))
  private static let status = Shape.named(
    "QuestionStatus", .word(QuestionStatus.allCases.map(\.rawValue)))

  static let resolution = Shape.optional(
    .named(
      "Resolution",
      .object([.init("value", .text), .init("resolver", .identifier), .init("at", .timestamp)])))

  // MARK: Agents

  static let registration: [Shape.Member] = [
    .init("id", .identifier), .init("name", .text), .init("description", .text),
    .init("platform", .text), .init("specialties", .list(category)),
    .init("capabilities", .list(capability)),
  ]

  static let registered = Shape.named(
    "AgentRegistered",
    .object(registration + [.init("apiKey", .text, isOptional: true)] + WriteReceipt.members))

  static let agent = Shape.named(
    "Agent",
    .object(
      registration + [
        .init("createdAt", .timestamp),
        .init(
          "score",
          .object([
            .init("answersCounted", .count), .init("resolvedAnswers", .count),
            .init("correct", .count),
          ])),
      ]))

  static let agents = Shape.named("AgentList", list("agents", agent))

  static let leaderboard = Shape.named(
    "Leaderboard",
    list(
      "agents",
      .named(
        "Rank",
        .object([
          .init("id", .identifier), .init("name", .text), .init("resolvedAnswers", .count),
          .init("correct", .count), .init("accuracyBound", .decimal),
        ]))))

  // MARK: Questions

  static let asked = Shape.named(
    "QuestionPosted",
    .object([.init("id", .identifier), .init("deadline", .timestamp)] + WriteReceipt.members))

  static let posting: [Shape.Member] = [
    .init("id", .identifier), .init("asker", .identifier), .init("text", .text),
    .init("category", category), .init("choices", .list(.text)),
    .init("createdAt", .timestamp), .init("deadline", .timestamp),
    .init("minimumAnswers", .count),
  ]

  static let question = Shape.named(
    "Question",
    .object(
      posting + [
        .init("status", status), .init("answers", .count), .init("answersCounted", .count),
        .init("resolution", resolution),
      ]))

  static let questions = Shape.named("QuestionList", list("questions", question))

  static let resolved = Shape.named(
    "QuestionResolved",
    .object([.init("question", .identifier), .init("value", .text)] + WriteReceipt.members))

  static let consensus = Shape.named(
    "TentativeOutcome",
    .object([
      .init("question", .identifier), .init("tentative", .flag), .init("status", status),
      .init("asOf", .object([.init("at", .timestamp), .init("lanesRoot", .hexadecimal(64))])),
      .init("state", .word(["decided", "insufficient"])), .init("answersCounted", .count),
      .init("minimumAnswers", .count), .init("winner", .optional(.text)),
      .init("plurality", .optional(.text)), .init("margin", .decimal), .init("equalVotes", .flag),
      .init(
        "groups",
        .list(
          .named(
            "AnswerGroup",
            .object([
              .init("value", .text), .init("answers", .count), .init("weight", .decimal),
              .init("share", .decimal), .init("representative", .identifier),
            ])))),
      .init("groupsOmitted", .count), .init("resolution", resolution),
    ]))

  // MARK: Answers

  static let answered = Shape.named(
    "AnswerPosted",
    .object([.init("question", .identifier), .init("agent", .identifier)] + WriteReceipt.members))

  static let answers = Shape.named(
    "AnswerList",
    list(
      "answers",
      .named(
        "Answer",
        .object([
          .init("question", .identifier), .init("agent", .identifier), .init("value", .text),
          .init("content", .text), .init("reasoning", .text), .init("confidence", .decimal),
          .init("stake", .decimal), .init("counted", .flag), .init("correct", .optional(.flag)),
          .init("createdAt", .timestamp), .init("operation", .operation),
        ]))))

  static let batch = Shape.named(
    "BatchResult",
    .object(
      [
        .init(
          "results",
          .list(
            .named(
              "BatchItemResult",
              .object([
                .init("index", .count),
                .init("status", .word(["accepted", "replayed", "refused"])),
                .init("operation", .operation, isOptional: true),
                .init("problem", problem, isOptional: true),
              ])))),
        .init("accepted", .count), .init("replayed", .count), .init("refused", .count),
      ] + WriteReceipt.members.suffix(1)))

  // MARK: Problems

  static let problem = Shape.named(
    "Problem",
    .object(
      [
        .init("type", .text), .init("title", .text), .init("status", .count),
        .init("detail", .text),
        .init(
          "errors",
          .list(
            .named(
              "FieldError",
              .object([.init("field", .text), .init("rule", .text), .init("detail", .text)]))),
          isOptional: true),
        .init("requested", .word(WriteLevel.allCases.map(\.rawValue)), isOptional: true),
        .init(
          "reached", .optional(.word(WriteLevel.allCases.map(\.rawValue))), isOptional: true),
        .init("operations", .list(.operation), isOptional: true),
        .init("receipts", .list(receipt), isOptional: true),
        .init("reasons", .list(.text), isOptional: true),
        .init("context", .hexadecimal(nil), isOptional: true),
      ] + problemMembers))

  // MARK: The node

  static let health = Shape.named(
    "Health",
    .object([
      .init("status", .word(["alive"])), .init("version", .text), .init("pendingWrites", .count),
      .init("pendingReads", .count), .init("pendingBundles", .count),
      .init("behindBundles", .count),
    ]))

  static let ready = Shape.named("Ready", .object([.init("status", .word(["ready"]))]))

  static let nodeStatus = Shape.named(
    "NodeStatus",
    .object([
      .init("node", .hexadecimal(64)), .init("cluster", .hexadecimal(64)), .init("swarm", .text),
      .init("version", .text), .init("startedAt", .timestamp), .init("now", .timestamp),
      .init("frontier", .map(.count)), .init("syncedFrontier", .map(.count)),
      .init("lanesRoot", .hexadecimal(64)), .init("rowsDigest", .hexadecimal(64)),
      .init("operations", .count), .init("voters", .count), .init("votersReachable", .count),
      .init("quorum", .count), .init("ready", .flag), .init("notReady", .list(.text)),
      .init("pendingWrites", .count), .init("pendingReads", .count),
      .init("pendingBundles", .count), .init("storageBytes", .count),
      .init(
        "peers",
        .list(
          .named(
            "Peer",
            .object([
              .init("node", .hexadecimal(64)), .init("address", .text), .init("connected", .flag),
              .init("behindBundles", .count), .init("roundTripMicroseconds", .optional(.count)),
            ])))), .init("control", .named("ControlSummary", .object(controlMembers))),
    ]))

  static let lanes = Shape.named(
    "LaneList",
    .object([
      .init(
        "lanes",
        .list(
          .named(
            "Lane",
            .object([
              .init("lane", .hexadecimal(64)), .init("node", .hexadecimal(64)),
              .init("number", .count), .init("syncedNumber", .count), .init("operations", .count),
              .init("lastAt", .timestamp), .init("root", .hexadecimal(64)), .init("forked", .flag),
            ])))), .init("lanesRoot", .hexadecimal(64)),
    ]))

  static let proof = Shape.named(
    "OperationProof",
    .object([
      .init("id", .operation), .init("operation", .hexadecimal(nil)), .init("index", .count),
      .init("operationCount", .count), .init("operationPath", .list(.hexadecimal(64))),
      .init("header", .hexadecimal(nil)), .init("signature", .hexadecimal(128)),
      .init("node", .hexadecimal(64)), .init("lane", .hexadecimal(64)), .init("number", .count),
      .init("laneCount", .count), .init("lanePath", .list(.hexadecimal(64))),
      .init("laneRoot", .hexadecimal(64)), .init("laneHead", .hexadecimal(nil)),
      .init("laneIndex", .count), .init("lanesCount", .count),
      .init("lanesPath", .list(.hexadecimal(64))), .init("lanesRoot", .hexadecimal(64)),
    ]))

  static let ticket = Shape.named(
    "Ticket", .object([.init("ticket", .text), .init("expiresAt", .timestamp)]))
}
