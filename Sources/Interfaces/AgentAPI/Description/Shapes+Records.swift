internal import LedgerCore

/// The shapes of responses about shared records.
extension Shapes {
  private static let policy = Shape.named("Policy", .word(PolicyNames.all))

  private static let recordName: [Shape.Member] = [.init("collection", .text), .init("key", .text)]

  private static let context = Shape.Member("context", .hexadecimal(nil), isOptional: true)

  static let collectionDefined = Shape.named(
    "CollectionDefined",
    .object([.init("name", .text), .init("policy", policy)] + WriteReceipt.members))

  static let collection = Shape.named(
    "Collection",
    .object([
      .init("name", .text), .init("policy", policy), .init("agent", .identifier),
      .init("createdAt", .timestamp),
    ]))

  static let collections = Shape.named(
    "CollectionList",
    .object([
      .init("collections", .list(collection)), .init("next", .text, isOptional: true),
    ]))

  static let recordChanged = Shape.named(
    "RecordChanged", .object(recordName + [context] + WriteReceipt.members))

  private static let recordWrite = Shape.named(
    "RecordWrite",
    .object([
      .init("operation", .operation), .init("agent", .identifier),
      .init("node", .optional(.hexadecimal(64))), .init("at", .timestamp),
      .init("priority", .count), .init("deleted", .flag), .init("valueBytes", .count),
      .init("value", .json, isOptional: true),
    ]))

  static let record = Shape.named(
    "Record",
    .object(
      recordName + [
        .init("policy", policy), .init("conflict", .flag), context,
        .init("value", .json, isOptional: true),
        .init("operation", .operation, isOptional: true),
        .init("writes", .list(recordWrite), isOptional: true),
        .init("total", .integer, isOptional: true), .init("count", .count, isOptional: true),
        .init("elements", .list(.text), isOptional: true),
      ]))

  static let records = Shape.named(
    "RecordList",
    .object([
      .init(
        "records",
        .list(
          .named(
            "RecordSummary",
            .object([
              .init("key", .text), .init("conflict", .flag),
              .init("value", .json, isOptional: true),
              .init("total", .integer, isOptional: true),
              .init("count", .count, isOptional: true),
            ])))), .init("next", .text, isOptional: true),
    ]))

  static let conflicts = Shape.named(
    "ConflictList",
    list(
      "conflicts",
      .named(
        "Conflict",
        .object(
          recordName + [
            .init("policy", policy), .init("status", .word(["open", "resolved"])),
            .init("writes", .list(recordWrite)), .init("winner", .optional(.operation)),
            .init("resolvedBy", .optional(recordWrite)),
          ]))))
}
