internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records
internal import Wire

/// What is final, what was executed, and how an epoch follows another.
extension BFT {
  /// Final blocks that are remembered for peers.
  static let recentMax = 128

  /// Makes a block and its ancestors final, once all are here.
  mutating func finalize(
    _ certificate: Certificate, at now: Moment, into effects: inout BFTEffects
  ) {
    guard certificate.statement.view > finalized.view else { return }
    guard let chain = chain(to: certificate.statement.hash) else {
      if pendingFinalization.map({ $0.statement.view < certificate.statement.view }) ?? true {
        pendingFinalization = certificate
      }
      return
    }
    if pendingFinalization.map({ $0.statement.view <= certificate.statement.view }) ?? false {
      pendingFinalization = nil
    }
    for block in chain where block.header.height <= lastHeight {
      let own = views[block.header.view]?.finalization
      var final = FinalizedBlock(
        block: block, certificate: own?.statement.hash == block.hash ? own : nil,
        endsEpoch: block.header.height == lastHeight)
      if block.header.height == lastHeight, final.certificate == nil {
        // What finalizes it is above the epoch's end and no part of the chain: it is kept beside.
        final = FinalizedBlock(
          block: block, certificate: certificate,
          descendants: chain.filter { $0.header.height > lastHeight }, endsEpoch: true)
      }
      effects.finalized.append(final)
      recent.append(final)
      note(block)
    }
    if recent.count > 2 * BFT.recentMax { recent.removeFirst(recent.count - BFT.recentMax) }
    if let last = chain.last?.header {
      let reached = chain.last { $0.header.height <= lastHeight }?.header ?? last
      finalized = BlockReference(
        epoch: epoch, view: last.view, height: reached.height, hash: certificate.statement.hash)
      if reached.height == lastHeight {
        finalized = BlockReference(
          epoch: epoch, view: last.view, height: reached.height, hash: reached.hash)
      }
      finalizedTimestamp = reached.timestamp
      finalizedExecutedHeight = max(finalizedExecutedHeight, last.executedHeight)
      finalizedExecutedRoot = last.executedRoot
    }
    finalizedCertificate = certificate
    timeouts = 0
    if view <= finalized.view { enter(finalized.view + 1, at: now) }
    prune()
  }

  /// Takes note of what a final block says beside the cut.
  private mutating func note(_ block: Block) {
    for transaction in block.body.transactions {
      switch transaction {
      case .evidence(let found, _):
        let (signer, origin) = (found.first.signer, found.first.statement.epoch)
        evidence.removeAll {
          $0.first.signer == signer && $0.first.statement.epoch == origin
        }
        if !isConvicted(signer, in: origin) { convicted.append((signer, origin)) }
      case .reconfigure(let change):
        consents.removeAll { $0.added == change.added && $0.removed == change.removed }
        lastHeight = min(
          lastHeight, block.header.height + BFTConfiguration.reconfigurationDelay)
      }
    }
  }

  /// Whether a final block has evidence against a validator of an epoch.
  func isConvicted(_ signer: UInt16, in epoch: UInt64) -> Bool {
    convicted.contains { $0.signer == signer && $0.epoch == epoch }
  }

  private mutating func prune() {
    let floor = finalized.view - min(finalized.view, BFTConfiguration.viewsBehind)
    while let first = views.entries.first?.key, first < floor { views[first] = nil }
    openViews.removeAll { $0 <= finalized.view }
    let stale = blocks.entries.filter { $0.value.header.height <= finalized.height }.map(\.key)
    for hash in stale {
      blocks[hash] = nil
      judged[hash] = nil
    }
    for hash in judged.entries.map(\.key) where blocks[hash] == nil { judged[hash] = nil }
    let durable = min(floor, durableFloor)
    guardian.prune(below: durable)
    if configuration.plantedBug == .pruneAboveFloor { guardian.forget(below: view) }
  }

  /// The view below which a journal record cannot matter any more: the block is final, executed
  /// and on the ledger's disk.
  var durableFloor: UInt64 {
    let height = executed.last?.height ?? 0
    let place = recent.last { $0.block.header.height <= height }?.block.header
    guard let place, place.epoch == epoch else { return 0 }
    return place.view - min(place.view, BFTConfiguration.viewsBehind)
  }

  mutating func take(
    _ root: Digest, of height: UInt64, next: ValidatorSet?, at now: Moment,
    into effects: inout BFTEffects
  ) {
    if let last = executed.last, height <= last.height { return }
    executed.append((height, root))
    if executed.count > 256 { executed.removeFirst(executed.count - 128) }
    if let next, height == lastHeight { nextValidators = (height, next) }
  }

  /// Begins the next epoch when the last block of this one is final and executed.
  mutating func beginEpoch(at now: Moment, into effects: inout BFTEffects) {
    guard isEpochOver, let next = nextValidators, next.height == finalized.height else { return }
    prepareHandover(of: finalized, by: validators)
    epoch += 1
    validators = next.set
    genesis = BlockReference(
      epoch: epoch, view: 0, height: finalized.height, hash: finalized.hash)
    finalized = genesis
    finalizedCertificate = nil
    evidence.removeAll { epoch - $0.first.statement.epoch > 2 }
    convicted.removeAll { epoch - $0.epoch > 2 }
    nextValidators = nil
    resetEpoch()
    if !carried.isEmpty { restore() }
    abstainIfForgotten()
    effects.notices.append(.epochBegan(epoch, validators))
  }

  /// Abstains where this node may have signed before it lost its journal, while those who told it
  /// of the epoch before were not yet in this one.
  ///
  /// It cannot have gone beyond view 1: that takes a quorum's votes of this epoch, and whoever gave
  /// one answers no questions about the epoch before. And it had the last block of that epoch as
  /// final, so some honest one of them knew of that block's view.
  private mutating func abstainIfForgotten() {
    defer { rememberedView = nil }
    guard let remembered = rememberedView, let last = recent.last?.block.header,
      last.height == genesis.height, last.view <= remembered
    else { return }
    guardian.abstain(through: 1)
    records.append(JournalRecord.abstain(epoch: epoch, view: 1).encoded)
  }

  /// Forgets what belongs to the epoch before.
  mutating func resetEpoch() {
    own = validators.index(of: NodeID(key: configuration.key.publicKey)).map { UInt16($0) }
    leaderOffset = BFT.leaderOffset(genesis.hash)
    lastHeight = genesis.height + configuration.epochLength
    view = 1
    views = SortedMap()
    openViews = []
    nullifiedRun = (0, 0)
    compacted = 0
    guardian = SigningGuard(after: guardian.handover)
    ownChange = nil
    blocks = SortedMap()
    judged = SortedMap()
    pendingFinalization = nil
    armedAt = nil
    retryAt = nil
    timeouts = 0
    consents = []
    memories = SortedMap()
    asked = []
    for index in peers.indices { peers[index].view = 0 }
  }

  /// Where the rotation of leaders begins: by the epoch's first parent, which nobody chooses alone.
  static func leaderOffset(_ hash: Digest) -> UInt64 {
    Blake2b.hash(hash.bytes, .seed).words.0 >> 8
  }
}
