import BFTCore
import CoreKit
import Crypto
import Primitives
import Records

/// Four engines whose messages arrive in order and at once, and whose records are durable when the
/// test says so.
struct Four {
  static let chain = ChainID(digest: Digest(words: 1, 2, 3, 4))
  static let keys = (1...4).map { SigningKey(seed: Digest(words: UInt64($0), 0, 0, 0)) }
    .sorted { $0.publicKey < $1.publicKey }

  static func configuration(_ index: Int, epochLength: UInt64 = 1_000) -> BFTConfiguration {
    guard let genesis = ValidatorSet(keys.map { NodeID(key: $0.publicKey) }) else {
      preconditionFailure("four keys are no set")
    }
    var configuration = BFTConfiguration(chain: chain, genesis: genesis, key: keys[index])
    configuration.epochLength = epochLength
    return configuration
  }

  var engines: [BFT] = []
  var door = FinalityDoor(chain: chain)
  var now = Moment(instant: .origin + .seconds(1), wallMilliseconds: 1_000_000)
  var queue: [(from: Int, to: Int, message: FinalityMessage)] = []
  var finalized: [[FinalizedBlock]] = [[], [], [], []]
  var journals: [[[UInt8]]] = [[], [], [], []]
  var unconfirmed: [UInt64?] = [nil, nil, nil, nil]
  var notices: [BFTNotice] = []
  /// Engines that are cut off.
  var down: Set<Int> = []
  /// Messages that nobody gets.
  var isLost: (FinalityMessage) -> Bool = { _ in false }
  /// Whether records become durable by themselves.
  var confirms = true

  init(epochLength: UInt64 = 1_000) throws {
    let first = Four.configuration(0)
    door.learn(first.genesis, epoch: 1)
    for index in 0..<4 {
      engines.append(
        try BFT(
          Four.configuration(index, epochLength: epochLength), recovery: BFTRecovery(), at: now))
    }
    connect()
  }

  mutating func connect() {
    for index in 0..<4 { connect(index) }
  }

  mutating func connect(_ index: Int) {
    for other in 0..<4 where other != index {
      step(
        index,
        .connected(PeerIndex(UInt16(other)), NodeID(key: Four.keys[other].publicKey)))
    }
  }

  /// Gives one engine an event and a turn, and answers what it asks.
  mutating func step(_ index: Int, _ event: BFTEvent) {
    var effects = BFTEffects()
    engines[index].handle(event, at: now, into: &effects)
    engines[index].handle(.turnEnded, at: now, into: &effects)
    carryOut(effects, index)
  }

  private mutating func carryOut(_ effects: BFTEffects, _ index: Int) {
    for send in effects.sends {
      queue.append((index, Int(send.peer.value), send.message))
    }
    if let step = effects.journal {
      journals[index] = step.isCheckpoint ? step.records : journals[index] + step.records
      unconfirmed[index] = step.sequence
    }
    notices += effects.notices
    for case .epochBegan(let epoch, let set) in effects.notices { door.learn(set, epoch: epoch) }
    for final in effects.finalized {
      finalized[index].append(final)
      let header = final.block.header
      let set = engines[index].validators
      step(
        index,
        .executed(height: header.height, root: Four.root(header.height), validators: set))
    }
    for wanted in effects.checkWanted { step(index, .verdict(wanted.block.hash, .valid)) }
    for wanted in effects.bodyWanted {
      step(index, .body(BlockBody(), parent: wanted.parent.hash, view: wanted.view))
    }
    if confirms { confirm(index) }
  }

  /// What was written last is durable now.
  mutating func confirm(_ index: Int) {
    guard let sequence = unconfirmed[index] else { return }
    unconfirmed[index] = nil
    step(index, .journalled(through: sequence))
  }

  static func root(_ height: UInt64) -> Digest { Digest(words: height, 7, 7, 7) }

  /// Delivers what is under way, at most so many messages.
  mutating func deliver(_ most: Int = 4_000) {
    var count = 0
    while !queue.isEmpty, count < most {
      let next = queue.removeFirst()
      count += 1
      guard !down.contains(next.from), !down.contains(next.to), !isLost(next.message) else {
        continue
      }
      guard let verified = door.check(next.message) else {
        preconditionFailure("the door refuses \(next.message)")
      }
      step(next.to, .received(verified, from: PeerIndex(UInt16(next.from))))
    }
  }

  /// Lets time pass in steps, with what is due and what arrives.
  mutating func run(milliseconds: UInt64) {
    for _ in 0..<milliseconds / 10 {
      now.instant = now.instant + .milliseconds(10)
      now.wallMilliseconds += 10
      for index in 0..<4 where !down.contains(index) {
        if let due = engines[index].nextDeadline, due <= now.instant { step(index, .deadline) }
      }
      deliver(200)
    }
  }

  /// Starts an engine of the first epoch again from its journal and its final blocks.
  mutating func restartWithBlocks(_ index: Int) throws {
    let blocks = finalized[index]
    var recovery = BFTRecovery()
    recovery.journal = journals[index]
    recovery.recent = blocks
    if let last = blocks.last {
      let height = last.block.header.height
      recovery.tip = last.block
      recovery.certificate = last.certificate
      recovery.executed = (height, Four.root(height))
      recovery.earlierRoots =
        [(0, .zero)] + (1..<max(height, 1)).map { (height: $0, root: Four.root($0)) }
    }
    engines[index] = try BFT(Four.configuration(index), recovery: recovery, at: now)
    unconfirmed[index] = nil
    queue.removeAll { $0.from == index || $0.to == index }
  }

  /// Starts an engine again from its journal alone.
  mutating func restart(_ index: Int) throws {
    var recovery = BFTRecovery()
    recovery.journal = journals[index]
    engines[index] = try BFT(Four.configuration(index), recovery: recovery, at: now)
    queue.removeAll { $0.from == index || $0.to == index }
    finalized[index] = []
  }
}
