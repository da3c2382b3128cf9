internal import BFTCore
internal import ExecutionCore
internal import NodeCore
internal import Primitives
internal import Records

/// The disk of one node's votes, and its executed ledger.
///
/// Like the vote journal, of the group that a crash interrupts a prefix of whole steps survives;
/// like `ledger.db`, a batch of blocks is there with all it led to, or not at all.
struct SimulatedChain {
  // Durable.
  private(set) var records: [[UInt8]] = []
  /// Whether the key has signed; kept apart from the votes.
  private(set) var hasSigned = false
  /// Whether the votes since then are lost.
  private(set) var isAmnesiac = false
  private(set) var ledger: Ledger
  private(set) var blocks: [FinalizedBlock] = []
  private(set) var stored = StoredChain()

  /// What quorums said on the ends of epochs, by epoch.
  private var endings = SortedMap<UInt64, Certificate>()

  // Lost in a crash.
  private var queuedSteps: [JournalStep] = []
  private var stepsInFlight: [JournalStep] = []
  private var unexecuted: [FinalizedBlock] = []
  private(set) var isExecuting = false
  private var knowsAgain = false

  private let chain: ChainID
  private let founders: ValidatorSet

  init(chain: ChainID, founders: ValidatorSet) {
    self.chain = chain
    self.founders = founders
    var changes = LedgerChanges()
    ledger = Ledger(chain: chain, epoch: 1, validators: founders, timestamp: 0, into: &changes)
    stored.epochs = [
      StoredChain.Epoch(
        number: 1, parent: BlockReference(epoch: 1, view: 0, height: 0, hash: chain.digest),
        validators: founders)
    ]
  }

  // MARK: Votes

  /// Takes a step; true when the disk was idle and a group is to be started.
  mutating func submit(_ step: JournalStep) -> Bool {
    hasSigned = true
    queuedSteps.append(step)
    return stepsInFlight.isEmpty
  }

  /// Starts a commit of everything queued; false when there is nothing.
  mutating func startVotes() -> Bool {
    guard !queuedSteps.isEmpty else { return false }
    swap(&queuedSteps, &stepsInFlight)
    return true
  }

  /// Ends the commit; the number of its last step.
  mutating func finishVotes() -> UInt64 {
    guard let last = stepsInFlight.last else { preconditionFailure("no votes are under way") }
    for step in stepsInFlight { store(step) }
    stepsInFlight = []
    return last.sequence
  }

  private mutating func store(_ step: JournalStep) {
    if step.isCheckpoint {
      records.removeAll()
      if knowsAgain { isAmnesiac = false }
    }
    records += step.records
  }

  // MARK: Blocks

  /// Takes blocks to be executed; true when nothing was under way.
  mutating func submit(_ final: [FinalizedBlock]) -> Bool {
    unexecuted += final
    defer { isExecuting = true }
    return !isExecuting
  }

  /// Executes what waits, up to `count` blocks, with the bundles that `read` finds.
  mutating func execute(
    _ count: Int, _ read: (LanePosition) -> SignedBundle?
  ) throws(ExecutionError) -> [(final: FinalizedBlock, report: ExecutionReport)] {
    var executed: [(final: FinalizedBlock, report: ExecutionReport)] = []
    for final in unexecuted.prefix(count) {
      do throws(ExecutionError) {
        executed.append((final, try execute(final, read)))
      } catch {
        // What came before it counts; it is met again.
        guard !executed.isEmpty else { throw error }
        break
      }
    }
    unexecuted.removeFirst(executed.count)
    isExecuting = !unexecuted.isEmpty
    return executed
  }

  private mutating func execute(
    _ final: FinalizedBlock, _ read: (LanePosition) -> SignedBundle?
  ) throws(ExecutionError) -> ExecutionReport {
    let header = final.block.header
    var bundles: [SignedBundle] = []
    for position in ledger.bundles(below: final.block.body) {
      guard let bundle = read(position) else { throw .missing(position) }
      bundles.append(bundle)
    }
    var changes = LedgerChanges()
    let outcome = try ledger.execute(
      BlockToExecute(
        epoch: header.epoch, height: header.height, timestamp: header.timestamp,
        endsEpoch: final.endsEpoch, body: final.block.body, bundles: bundles), into: &changes)
    blocks.append(final)
    stored.recent = Array(blocks.suffix(Int(StoredChain.recentMax)))
    stored.roots.append((header.height, outcome.root))
    if stored.roots.count > Int(StoredChain.rootsMax) { stored.roots.removeFirst() }
    stored.cut = ledger.laneHeads.map { LanePosition(lane: $0.lane, number: $0.number) }
    stored.nextDue = outcome.nextDue
    if let next = outcome.nextValidators {
      stored.epochs.append(
        StoredChain.Epoch(
          number: header.epoch + 1, parent: final.block.nextEpochParent, validators: next))
    }
    return ExecutionReport(
      height: outcome.height, root: outcome.root, nextDue: outcome.nextDue,
      nextValidators: outcome.nextValidators)
  }

  /// Keeps a quorum's word on the end of an epoch.
  mutating func store(_ ending: Certificate) { endings[ending.statement.epoch] = ending }

  /// The first epoch whose end no quorum has told to this node, of those that ended here.
  var epochWithoutHandover: UInt64? {
    stored.epochs.map(\.number).first { $0 > 1 && endings[$0 - 1] == nil }.map { $0 - 1 }
  }

  /// Final blocks for a peer, all of one epoch, up to one that has a certificate.
  func range(first: UInt64, count: Int) -> BlockRange {
    var found: [FinalizedBlock] = []
    for final in blocks.dropFirst(Int(first) - 1).prefix(FinalityMessage.segmentBlocksMax) {
      if let epoch = found.first?.block.header.epoch, final.block.header.epoch != epoch { break }
      found.append(final)
      if found.count >= count, final.certificate != nil { break }
    }
    while let last = found.last, last.certificate == nil { found.removeLast() }
    return BlockRange(
      first: first, blocks: found.map(\.block) + (found.last?.descendants ?? []),
      certificate: found.last?.certificate,
      ending: found.first.flatMap { final in
        let header = final.block.header
        return header.parentView == 0 ? endings[header.epoch - 1] : nil
      })
  }

  // MARK: Crashes

  /// Loses what is not durable: of the votes under way a prefix of whole steps survives.
  mutating func crash(_ random: inout Xoshiro256) {
    for step in stepsInFlight.prefix(random.next(below: stepsInFlight.count + 1)) { store(step) }
    queuedSteps = []
    stepsInFlight = []
    unexecuted = []
    isExecuting = false
    knowsAgain = false
  }

  /// Loses everything but the mark beside the key.
  mutating func lose() {
    let signed = hasSigned
    self = SimulatedChain(chain: chain, founders: founders)
    hasSigned = signed
    isAmnesiac = signed
  }

  /// The node knows again what it may sign: the next checkpoint says so.
  mutating func endAmnesia() { knowsAgain = true }

  /// Where agreement goes on.
  var recovery: FinalityRecovery { stored.recovery(votes: records, isAmnesiac: isAmnesiac) }
}
