package import BFTCore
package import CoreKit
internal import Crypto
package import Primitives
package import Records

/// The finality of a swarm at one node: which cut to propose, which to vote for, and what to
/// execute.
///
/// The engine (`BFTCore`) agrees on blocks and knows nothing of lanes; gossip holds lanes and knows
/// nothing of blocks. This is where they meet.
///
/// ```
/// lanes on this disk ─► cut ─► proposal ─► notarized ─► finalized ─► executed ─► `final`
///                         ▲                    │ held here? closed?      │
///                         └──── outlines of bundles above the final cut ◄┘
/// ```
///
/// Invariants:
/// - F1: a vote for a block is given only when everything below its cut is on this node's disk.
/// - F2: blocks are handed to execution in the order of heights, each once, and only when this
///   node holds what they need.
/// - F3: `final` is reported only for operations below the cut of an executed block.
package struct FinalityPlane: Sendable {
  /// Blocks that are handed out for execution and not yet reported, at most; more only when none of
  /// the first so many has a certificate.
  static let executingMax = 256

  let configuration: FinalityPlaneConfiguration
  /// The engine.
  package internal(set) var engine: BFT
  var effects = BFTEffects()

  /// Per lane what is above the final cut.
  var windows = SortedMap<LaneID, LaneWindow>()
  /// The cut of the last executed block.
  var executedCut = SortedMap<LaneID, UInt64>()
  /// Finalized blocks that were not executed yet, oldest first, and how many of them were handed
  /// out.
  var unexecuted: [FinalizedBlock] = []
  var handedOut = 0

  /// A place at which execution met another bundle than the final one, and how far its lane is
  /// executed; nothing more is executed in this life.
  private(set) var contradiction: (position: LanePosition, after: UInt64)?

  /// What this node lacks of the first final block that it could not hand out, for lack of that.
  var lacking: [CutAdvance] = []

  /// The height of the last executed block.
  package internal(set) var executedHeight: UInt64
  /// The root over everything after that block; zero before the first.
  package private(set) var executedRoot: Digest
  /// The last height whose block moved the cut, or had transactions, or was due.
  var lastChange: UInt64
  /// When the ledger next changes by time alone.
  var nextDue: UInt64?
  /// Blocks whose cut this node lacks: judged again when lanes move.
  var awaited: [CheckWanted] = []
  var lanesMoved = false
  /// Whether a window may have room for outlines that are on the disk and not in memory.
  var isRefillDue = true
  /// Whether some lane stands on this node's disk beyond the final cut, as last looked up.
  var hasAdvance = false
  var saidWork = false
  /// A body that the engine wants and that has nothing to carry, and until when it is put off;
  /// `nil` when it waits for work.
  var deferred: BodyWanted?
  var deferredUntil: Instant?
  /// Until when nobody makes a block only to vouch for what was executed.
  var vouchAt: Instant?
  /// When the engine asked for something that is answered in the next turn.
  var unansweredAt: Instant?
  /// When `nextDue` comes by the monotonic clock.
  var dueAt: Instant?
  /// Bundles of which `final` was reached by this run, and blocks.
  package internal(set) var counters = FinalityCounters()

  /// Makes the finality of a chain from what was stored.
  package init(
    _ configuration: FinalityPlaneConfiguration, recovery: consuming FinalityRecovery,
    at now: Moment
  ) throws {
    self.configuration = configuration
    for position in recovery.cut {
      var window = LaneWindow()
      window.finalize(through: position.number)
      windows[position.lane] = window
      executedCut[position.lane] = position.number
    }
    nextDue = recovery.nextDue
    lastChange = recovery.lastChange
    executedHeight = recovery.engine.executed.height
    executedRoot = recovery.engine.executed.root
    engine = try BFT(configuration.engine, recovery: recovery.engine, at: now)
  }

  // MARK: Reading

  /// How far a lane is below the cut of the last executed block.
  package func executed(_ lane: LaneID) -> UInt64 { executedCut[lane] ?? 0 }

  /// The bundles of all lanes below the cut of the last executed block.
  package var executedBundles: UInt64 {
    executedCut.entries.reduce(0) { $0 &+ $1.value }
  }

  /// Finalized blocks that wait for execution.
  package var unexecutedCount: Int { unexecuted.count }

  /// When time must be told.
  package var nextDeadline: Instant? {
    [engine.nextDeadline, dueAt, deferredUntil, vouchAt, unansweredAt].compactMap(\.self).min()
  }

  /// The first numbered invariant that does not hold.
  package var brokenInvariant: String? {
    if let broken = engine.brokenInvariant { return broken }
    if handedOut > unexecuted.count { return "F2: \(handedOut) of \(unexecuted.count) handed out" }
    return nil
  }

  // MARK: Lanes

  /// Takes note of a bundle that is now part of this node's history.
  package mutating func take(_ bundle: SignedBundle) {
    let header = bundle.header
    // In place: a window taken out and put back would be copied.
    if windows[header.lane] == nil { windows[header.lane] = LaneWindow() }
    windows[header.lane]?.append(BundleOutline(bundle.signedHeader), at: header.number)
  }

  /// Lanes reached the disk, froze or were heard of.
  package mutating func noteLanesMoved() { lanesMoved = true }

  // MARK: Events

  mutating func connect(_ peer: PeerIndex, _ node: NodeID, at now: Moment) {
    engine.handle(.connected(peer, node), at: now, into: &effects)
  }

  mutating func disconnect(_ peer: PeerIndex, at now: Moment) {
    engine.handle(.disconnected(peer), at: now, into: &effects)
  }

  /// Takes an event; its effects come with `endTurn`.
  package mutating func handle(_ event: consuming FinalityPlaneEvent, at now: Moment) {
    switch event {
    case .received(let message, let peer):
      engine.handle(.received(message, from: peer), at: now, into: &effects)
    case .journalled(let sequence):
      engine.handle(.journalled(through: sequence), at: now, into: &effects)
    case .outlines(let lane, let first, let outlines):
      windows[lane]?.isLoading = false
      for (offset, outline) in outlines.enumerated() {
        windows[lane]?.append(outline, at: first + UInt64(offset))
      }
      lanesMoved = true
      isRefillDue = true
    case .executed(let reports):
      for report in reports { markExecuted(report, at: now) }
    case .contradicted(let position, let after):
      contradiction = (position, after)
    case .blocksLoaded(let blocks, let peer):
      engine.handle(
        .blocksLoaded(
          first: blocks.first, blocks.blocks, blocks.certificate, ending: blocks.ending, to: peer),
        at: now, into: &effects)
    case .proposeChange(let added, let removed):
      engine.handle(.proposeChange(added: added, removed: removed), at: now, into: &effects)
    }
  }

  /// Takes note that a deadline may have come.
  package mutating func handleDeadline(at now: Moment) {
    if let due = dueAt, due <= now.instant { dueAt = nil }
    if let due = vouchAt, due <= now.instant { vouchAt = nil }
    if let due = engine.nextDeadline, due <= now.instant {
      engine.handle(.deadline, at: now, into: &effects)
    }
  }

  private mutating func markExecuted(_ report: ExecutionReport, at now: Moment) {
    guard let first = unexecuted.first, first.block.header.height == report.height,
      handedOut > 0
    else { preconditionFailure("F2: height \(report.height) was executed unasked") }
    unexecuted.removeFirst()
    handedOut -= 1
    executedHeight = report.height
    executedRoot = report.root
    nextDue = report.nextDue
    for advance in first.block.body.advances { executedCut[advance.lane] = advance.number }
    counters.blocksExecuted += 1
    engine.handle(
      .executed(height: report.height, root: report.root, validators: report.nextValidators),
      at: now, into: &effects)
  }
}

/// What finality counted since the node started.
package struct FinalityCounters: Hashable, Sendable {
  /// Blocks that became final.
  package var blocksFinalized: UInt64 = 0
  /// Bundles that came below the cut.
  package var bundlesFinalized: UInt64 = 0
  /// Blocks that were executed.
  package var blocksExecuted: UInt64 = 0
  /// Blocks whose cut this node did not hold when they came.
  package var cutsAwaited: UInt64 = 0

  /// Counters at zero.
  package init() {}
}
