internal import ControlCore

/// The shapes of responses about the control state.
extension Shapes {
  private static let node = Shape.hexadecimal(64)
  private static let ordered: [Shape.Member] = [
    .init("revision", .count), .init("consistency", .word(["ordered"])),
  ]
  private static let freshness: [Shape.Member] = [
    .init("revision", .count), .init("consistency", .word(["linearizable", "local"])),
    .init("staleMilliseconds", .optional(.count)), .init("leader", .optional(node)),
  ]

  private static func named(_ name: String, _ members: [Shape.Member]) -> Shape {
    .named(name, .object(members))
  }

  private static func list(_ name: String, _ element: Shape) -> [Shape.Member] {
    [.init(name, .list(element)), .init("more", .flag)] + freshness
  }

  // MARK: Keys

  private static let entry: [Shape.Member] = [
    .init("key", .text), .init("value", .text, isOptional: true),
    .init("valueBase64", .base64, isOptional: true), .init("version", .count),
    .init("created", .count), .init("lease", .count, isOptional: true),
  ]

  static let keyPut = named(
    "KeyPut",
    [
      .init("key", .text), .init("version", .count), .init("created", .count),
      .init("formerVersion", .count),
    ] + ordered)
  static let keyDeleted = named(
    "KeyDeleted",
    [.init("key", .text), .init("deleted", .flag), .init("formerVersion", .count)] + ordered)
  static let key = named("Key", entry + freshness)
  static let keys = named("KeyList", list("entries", named("KeyEntry", entry)))

  // MARK: Leases

  private static let leaseMembers: [Shape.Member] = [
    .init("lease", .count), .init("ttlMilliseconds", .count), .init("renewals", .count),
    .init("attachments", .count),
  ]

  static let leaseGranted = named("LeaseGranted", leaseMembers.prefix(2) + ordered)
  static let leaseKept = named("LeaseKept", leaseMembers.prefix(3) + ordered)
  static let leaseEnded = named(
    "LeaseEnded",
    [.init("lease", .count), .init("keys", .count), .init("locks", .count)] + ordered)
  static let lease = named("Lease", leaseMembers + freshness)
  static let leases = named("LeaseList", list("leases", named("LeaseEntry", leaseMembers)))

  // MARK: Locks

  private static let lockMembers: [Shape.Member] = [
    .init("lock", .text), .init("holder", .count), .init("token", .count),
    .init("waiters", .list(.count)),
  ]

  static let lockHeld = named(
    "LockHeld", [.init("lock", .text), .init("lease", .count), .init("token", .count)] + ordered)
  static let lockReleased = named(
    "LockReleased",
    [.init("lock", .text), .init("lease", .count), .init("released", .flag)] + ordered)
  static let lock = named("Lock", lockMembers + freshness)
  static let locks = named("LockList", list("locks", named("LockEntry", lockMembers)))

  // MARK: Members and settings

  static let roles = ["voter", "learner", "edge"]
  private static let view: [Shape.Member] = [
    .init("state", .word(["alive", "suspect", "down", "left", "removed", "unknown"])),
    .init("incarnation", .count), .init("region", .text), .init("zone", .text),
    .init("load", .count), .init("sinceMilliseconds", .count),
  ]

  static let members = named(
    "MemberList",
    [
      .init(
        "members",
        .list(
          named(
            "Member",
            [
              .init("node", node), .init("role", .optional(.word(roles))),
              .init("transportAddress", .text), .init("apiAddress", .text),
              .init("reachable", .flag),
            ] + view + [
              .init("votes", .flag), .init("leader", .flag), .init("life", .optional(.text)),
            ])))
    ])

  static let memberSet = named(
    "MemberSet", [.init("node", node), .init("role", .optional(.word(roles)))] + ordered)

  private static let setting = Shape.word(ControlSetting.allCases.map(\.name))

  static let settings = named(
    "Settings",
    [
      .init(
        "settings",
        .object(ControlSetting.allCases.map { .init($0.name, .count) }))
    ] + freshness)
  static let settingSet = named(
    "SettingSet", [.init("setting", setting), .init("value", .count)] + ordered)

  // MARK: The control plane

  static let controlMembers: [Shape.Member] = [
    .init("role", .word(["follower", "preCandidate", "candidate", "leader"])),
    .init("term", .count), .init("leader", .optional(node)), .init("commit", .count),
    .init("applied", .count), .init("lastIndex", .count), .init("revision", .count),
    .init("staleMilliseconds", .optional(.count)), .init("changing", .flag),
    .init("coordination", .word(["led", "partitioned", "settling"])),
    .init("coordinator", .optional(node)),
    .init("dissemination", .word(["direct", "gateways", "relays"])),
  ]

  static let control = named(
    "Control",
    controlMembers + [
      .init(
        "members",
        .list(
          .object([
            .init("node", node), .init("life", .text), .init("votes", .flag),
            .init("match", .optional(.count)),
          ]))),
      .init(
        "view",
        .list(
          .object([.init("node", node), .init("role", .optional(.word(roles)))] + view))),
    ])

  static let transfer = named("Transfer", [.init("leader", node), .init("to", .optional(node))])

  /// The members that problems of the control state have.
  static let problemMembers: [Shape.Member] = [
    .init("version", .count, isOptional: true),
    .init("holder", .optional(.count), isOptional: true),
    .init("token", .optional(.count), isOptional: true),
    .init("revision", .count, isOptional: true),
    .init(
      "consistency", .word(["ordered", "linearizable", "local", "unknown", "none"]),
      isOptional: true),
    .init("staleMilliseconds", .optional(.count), isOptional: true),
    .init("leader", .optional(node), isOptional: true),
  ]
}
