internal import ProofFiles
internal import Records

/// The shapes of responses about the final ledger.
extension Shapes {
  private static let digest = Shape.hexadecimal(64)

  private static let certificate = Shape.named(
    "Certificate",
    .object([
      .init("kind", .word(["notarize", "nullify", "finalize", "handover", "reconfigure"])),
      .init("epoch", .count), .init("view", .count), .init("hash", digest),
      .init("signers", .list(.count)), .init("signatures", .list(.hexadecimal(128))),
    ]))

  private static let handover = Shape.named(
    "Handover",
    .object([
      .init("boundary", digest), .init("validators", .list(digest)),
      .init("certificate", certificate),
    ]))

  private static let columns = Shape.list(
    .optional(
      .object([
        .init("integer", .text, isOptional: true), .init("text", .text, isOptional: true),
        .init("bytes", .hexadecimal(nil), isOptional: true),
      ])))

  static let ledgerHead = Shape.named(
    "LedgerHead",
    .object([
      .init("chain", digest), .init("running", .flag), .init("stopped", .optional(.text)),
      .init("validator", .flag), .init("epoch", .count), .init("view", .count),
      .init("validators", .list(digest)), .init("quorum", .count),
      .init(
        "finalized",
        .object([
          .init("height", .count), .init("epoch", .count), .init("view", .count),
          .init("hash", digest), .init("at", .timestamp),
        ])),
      .init("executed", .object([.init("height", .count), .init("root", digest)])),
      .init("provenHeight", .count),
    ]))

  static let ledgerBlock = Shape.named(
    "LedgerBlock",
    .object([
      .init("height", .count), .init("hash", digest), .init("epoch", .count),
      .init("view", .count), .init("parentView", .count), .init("parentHash", digest),
      .init("proposer", .count), .init("at", .timestamp), .init("executedHeight", .count),
      .init("executedRoot", digest), .init("validatorsHash", digest),
      .init(
        "advances",
        .list(
          .object([.init("lane", digest), .init("number", .count), .init("digest", digest)]))),
      .init(
        "transactions",
        .list(
          .object([
            .init("kind", .word(["evidence", "reconfigure"])),
            .init("epoch", .count, isOptional: true), .init("signer", .count, isOptional: true),
            .init("added", .list(digest), isOptional: true),
            .init("removed", .list(digest), isOptional: true),
          ]))),
      .init("header", .hexadecimal(440)), .init("body", .hexadecimal(nil)),
      .init("certificate", .optional(certificate)),
    ]))

  static let ledgerBlocks = Shape.named(
    "LedgerBlockList",
    .object([
      .init("blocks", .list(ledgerBlock)), .init("next", .count, isOptional: true),
    ]))

  static let ledgerEpochs = Shape.named(
    "LedgerEpochList",
    .object([
      .init(
        "epochs",
        .list(
          .named(
            "LedgerEpoch",
            .object([
              .init("epoch", .count), .init("parentHeight", .count), .init("parentHash", digest),
              .init("validators", .list(digest)), .init("handover", .optional(handover)),
            ])))), .init("next", .count, isOptional: true),
    ]))

  static let ledgerProof = Shape.named(
    "LedgerProof",
    .object([
      .init("format", .word([ProofFile.proofFormat])), .init("chain", digest),
      .init("height", .count), .init("rowsRoot", digest), .init("lanesRoot", digest),
      .init("handovers", .list(handover)), .init("headers", .list(.hexadecimal(440))),
      .init("certificate", .optional(certificate)),
      .init(
        "operation",
        .object([
          .init("id", .operation), .init("bytes", .hexadecimal(nil)), .init("index", .count),
          .init("operationPath", .list(digest)), .init("header", .hexadecimal(nil)),
          .init("signature", .hexadecimal(128)), .init("laneCount", .count),
          .init("lastSequence", .count), .init("lanePath", .list(digest)),
          .init(
            "lanesPath",
            .list(
              .object([
                .init("left", digest, isOptional: true), .init("right", digest, isOptional: true),
              ]))),
        ]), isOptional: true),
      .init(
        "row",
        .object([
          .init("table", .count), .init("key", columns), .init("values", .optional(columns)),
          .init("siblings", .list(digest)),
          .init(
            "ending",
            .object([
              .init("kind", .word(["leaf", "empty", "other"])),
              .init("key", digest, isOptional: true), .init("value", digest, isOptional: true),
            ])),
        ]), isOptional: true),
    ]))

  static let receipt = Shape.named(
    "Receipt",
    .object([
      .init("format", .word([ProofFile.receiptFormat])), .init("chain", digest),
      .init("operation", .operation), .init("height", .count), .init("block", digest),
      .init("code", .count), .init("level", .word(WriteLevel.allCases.map(\.rawValue))),
      .init("node", digest), .init("signature", .hexadecimal(128)),
      .init("proof", ledgerProof, isOptional: true),
    ]))

  // MARK: Reads of the final state

  private static let asOf = Shape.Member(
    "asOf", .object([.init("height", .count), .init("executedRoot", digest)]))

  private static let standing: [Shape.Member] = [
    .init("phase", .word(["OPEN", "DEBATING", "CONSENSUS", "CLOSED", "VERIFIED"])),
    .init("round", .count), .init("endsAt", .timestamp), .init("settled", .flag),
  ]

  static let finalAgent = Shape.named(
    "FinalAgent",
    .object(
      registration + [
        .init("createdAt", .timestamp),
        .init(
          "account",
          .optional(
            .object([
              .init("available", .decimal), .init("locked", .decimal), .init("right", .decimal),
              .init("wrong", .decimal), .init("operations", .count),
            ]))), asOf,
      ]))

  static let finalQuestion = Shape.named("FinalQuestion", .object(posting + standing + [asOf]))

  static let finalOutcome = Shape.named(
    "FinalOutcome",
    .object(
      [.init("question", .identifier), .init("tentative", .flag)] + standing + [
        .init("winner", .optional(.text)), .init("winnerKey", .optional(.hexadecimal(32))),
        .init("margin", .decimal), .init("resolution", resolution), asOf,
      ]))
}
