internal import BFTCore
internal import Crypto
internal import Primitives
internal import Records

/// How a validator lies. A liar runs the product's engine; what it says is changed on its way out.
package enum Adversary: String, CaseIterable, Sendable {
  /// Shows two blocks of one view, each to half of the nodes.
  case equivocator
  /// Notarizes and finalizes two blocks of a view.
  case conflicter
  /// Nullifies and finalizes everything.
  case nuller
  /// Says nothing.
  case silent
  /// Notarizes, never finalizes, and shows certificates to one node only.
  case withholder
  /// Signs for others.
  case impersonator
  /// Says again what it said in views long past.
  case outdated
  /// Says again what others said.
  case replayer
  /// As leader leaves one node out.
  case selective
  /// Proposes in views that others lead.
  case usurper
  /// As leader skips its parent.
  case skipper
  /// As leader shows its block to one node only, and another block of that view when the node comes
  /// back.
  case turncoat
  /// Any of these at any time.
  case chaos
}

/// A liar at work.
struct AdversaryState: Sendable {
  /// Messages that a liar remembers.
  static let memoryMax = 64

  let kind: Adversary
  let key: SigningKey
  var random: Xoshiro256
  let nodes: Int
  /// Whom a turncoat deceives.
  var victim: Int?
  /// What a turncoat showed last.
  var shown: Proposal?
  var said: [FinalityMessage] = []
  var heard: [FinalityMessage] = []

  /// What leaves instead of a message to a node.
  mutating func outgoing(_ message: FinalityMessage, to receiver: Int) -> [FinalityMessage] {
    remember(message, in: \.said)
    switch kind {
    case .chaos: return apply(chaosKind(), message, receiver)
    case .equivocator, .conflicter, .nuller, .silent, .withholder, .impersonator, .outdated,
      .replayer, .selective, .usurper, .skipper, .turncoat:
      return apply(kind, message, receiver)
    }
  }

  /// Takes note of what others say.
  mutating func incoming(_ message: FinalityMessage) {
    remember(message, in: \.heard)
  }

  private mutating func remember(
    _ message: FinalityMessage, in list: WritableKeyPath<AdversaryState, [FinalityMessage]>
  ) {
    if self[keyPath: list].count < AdversaryState.memoryMax {
      self[keyPath: list].append(message)
    } else {
      self[keyPath: list][random.next(below: AdversaryState.memoryMax)] = message
    }
  }

  private mutating func chaosKind() -> Adversary {
    let kinds: [Adversary] = [
      .equivocator, .conflicter, .conflicter, .nuller, .nuller, .withholder, .impersonator,
      .replayer,
    ]
    return kinds[random.next(below: kinds.count)]
  }

  private mutating func apply(
    _ kind: Adversary, _ message: FinalityMessage, _ receiver: Int
  ) -> [FinalityMessage] {
    switch kind {
    case .equivocator: equivocate(message, receiver)
    case .conflicter: conflict(message)
    case .nuller: nullEverything(message)
    case .silent: []
    case .withholder: withhold(message, receiver)
    case .impersonator: impersonate(message)
    case .outdated: sayAgain(message, from: said)
    case .replayer: sayAgain(message, from: heard)
    case .selective: leaveOut(message, receiver)
    case .usurper: usurp(message)
    case .skipper: skip(message)
    case .turncoat: deceive(message, receiver)
    case .chaos: [message]
    }
  }
}
