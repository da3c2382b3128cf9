package import CoreKit
internal import Crypto
package import Primitives
package import Records

/// Agreement on a chain of blocks among n validators of which f = (n - 1) / 3 may lie.
///
/// Simplex (Chan and Pass, "Simplex Consensus: A Simple and Fast Consensus Protocol", TCC 2023).
/// Every view has one leader; a view ends with a notarized block, or nullified, and nothing is
/// locked: what makes a proposal safe to vote for is the evidence that it carries.
///
/// Deviations from the paper, each needed in practice: a proposal carries its parent's
/// certificate and a nullification of every skipped view, so that no voter fetches before it
/// votes; a vote is journalled before it is sent, and own votes are counted again after a restart;
/// a validator that lost its journal abstains until it knows what it may have said; and no view
/// times out while there is nothing to agree on.
///
/// ```
///            proposal of the leader, held and justified
///   view v ─────────────────────────────► notarize ──► q: N(v) ──► view v + 1
///      │                                                 │
///      │ time is up                                      └► finalize, unless nullified ─► q: F(v)
///      └──────────────────► nullify ──► q: U(v) ──► view v + 1
/// ```
///
/// Invariants:
/// - B1: a vote, and a proposal, leaves only after its journal record is durable.
/// - B2: per view at most one notarize and one finalize are signed, and never nullify and finalize.
/// - B3: no view is both finalized and nullified; when it is seen, the engine halts.
/// - B4: blocks are handed out in order of height, each linked to the one before.
/// - B7: nothing is signed in an epoch before one in which this key has signed.
/// - B6: what peers send cannot make any collection outgrow its bound.
/// - B5: the view never goes back, and the final height never does.
package struct BFT: ProtocolCore {
  let configuration: BFTConfiguration
  /// The epoch.
  package internal(set) var epoch: UInt64
  /// The validators of the epoch.
  package internal(set) var validators: ValidatorSet
  /// What the epoch began with.
  package internal(set) var genesis: BlockReference
  /// This node's place among the validators.
  var own: UInt16?
  var leaderOffset: UInt64

  /// The view.
  package internal(set) var view: UInt64 = 1
  var views = SortedMap<UInt64, ViewState>()
  /// Views above the final one that are notarized or finalized, ascending.
  var openViews: [UInt64] = []
  /// Views between which every one is known to be nullified.
  var nullifiedRun: (above: UInt64, below: UInt64) = (0, 0)
  /// The view up to which votes are neither kept nor taken.
  var compacted: UInt64 = 0
  var guardian = SigningGuard()
  /// Unfinalized blocks, and the final one, by hash.
  var blocks = SortedMap<Digest, Block>()
  /// Unfinalized blocks whose body the application found valid, or asked about and not yet judged.
  var judged = SortedMap<Digest, BlockVerdict>()

  /// The last final block; the epoch's beginning before the first.
  package internal(set) var finalized: BlockReference
  /// What finalizes it.
  package internal(set) var finalizedCertificate: Certificate?
  /// Its time in milliseconds since 1970.
  package internal(set) var finalizedTimestamp: UInt64
  /// The height up to which the last final block vouches for execution.
  package internal(set) var finalizedExecutedHeight: UInt64
  /// What it vouches for, when the block itself is known.
  var finalizedExecutedRoot: Digest?
  /// The highest finalization whose block, or an ancestor, is missing.
  var pendingFinalization: Certificate?
  /// The latest final blocks, ascending, for peers.
  var recent: [FinalizedBlock] = []
  /// The height that ends the epoch.
  var lastHeight: UInt64

  /// Heights that were executed, ascending, with their roots.
  var executed: [(height: UInt64, root: Digest)]
  var nextValidators: (height: UInt64, set: ValidatorSet)?
  /// Why the node votes no more.
  package internal(set) var standstill: String?

  // Peers.
  var peers: [PeerState] = []

  // Journal.
  var records: [[UInt8]] = []
  var held: [HeldVote] = []
  var nextStep: UInt64 = 1
  var stepsInFlight: [(sequence: UInt64, votes: [HeldVote])] = []
  var recordsSinceCheckpoint = 0
  /// The latest epoch in which this key may have signed: none is signed in below it. Above `epoch`
  /// when the ledger was lost and is made again, and the votes were not.
  package internal(set) var signedEpoch: UInt64 = 1
  /// What the journal holds of epochs above: it counts once they begin.
  var carried: [JournalRecord] = []

  // Time.
  var hasWork = false
  var armedAt: Instant?
  var retryAt: Instant?
  var statusAt: Instant
  /// Timeouts in a row since something was finalized.
  var timeouts = 0
  /// When this view's leader, this node, last found that it lacks what a parent takes.
  var parentLackedAt: Instant?
  /// When certificates were last asked for.
  var certificatesAskedAt: Instant?
  /// Blocks that were asked for, and when: no others are taken alone, since nobody signs them.
  var asked: [(hash: Digest, at: Instant)] = []
  /// Own votes of the run before, to be counted with the first event.
  var uncounted: [Vote] = []
  /// When this node's last proposal left, to measure delays.
  var proposedAt: (view: UInt64, instant: Instant)?

  // What validators say beside blocks.
  var evidence: [VoteEvidence] = []
  /// Who was convicted in final blocks of late, and for which epoch: once is enough.
  var convicted: [(signer: UInt16, epoch: UInt64)] = []
  var consents: [Consent] = []
  var handoverVotes = ViewState.Tally()
  /// What is to be said on the end of the epoch that `handoverVotes` are about, what a quorum is
  /// there, and what it said.
  var handover: Ending?
  /// Words on the end of the current epoch from those who are past it.
  var earlyHandovers = ViewState.Tally()
  /// What this node has to say on the end of an epoch, and the validators of that.
  var unsaidHandover: (statement: Statement, validators: ValidatorSet)?
  /// What this node's operator consents to.
  var ownChange: (added: [NodeID], removed: [NodeID])?
  /// Places of validators that answered after the journal was lost, and the highest view they know.
  var memories = SortedMap<UInt16, UInt64>()
  /// Whether the node waits for others to tell it what it may sign again.
  package internal(set) var isAmnesiac = false
  /// The highest view that others knew of when they told this node of the epoch.
  var rememberedView: UInt64?
  let nonce: UInt64

  /// What is known of a peer.
  struct PeerState: Sendable {
    let index: PeerIndex
    let node: NodeID
    var isConnected = true
    /// The view it was last seen in.
    var view: UInt64 = 0
    var helpedAt: Instant?
    /// When it was last asked for final blocks that have not come.
    var askedAt: Instant?
    /// What may still be answered now, and since when: answers are large, and wishes are not.
    var answers = BFT.answersMax
    var answersAt = Instant.origin
    /// The smoothed time for a message to arrive and be acted on.
    var delay: TimeSpan?
  }

  /// A vote that waits for its record to be durable.
  struct HeldVote: Sendable {
    let vote: Verified<Vote>
    var proposal: Proposal?
    /// What a consent is given to.
    var change: (added: [NodeID], removed: [NodeID]) = ([], [])
  }

  /// The end of an epoch.
  struct Ending: Sendable {
    let statement: Statement
    let quorum: Int
    var certificate: Certificate?

    var epoch: UInt64 { statement.epoch }
  }

  /// A change of validators and who consents to it.
  struct Consent: Sendable {
    let added: [NodeID]
    let removed: [NodeID]
    var votes = ViewState.Tally()
  }

  package mutating func handle(
    _ event: consuming BFTEvent, at now: Moment, into effects: inout BFTEffects
  ) {
    switch event {
    case .connected(let peer, let node): connect(peer, node, at: now, into: &effects)
    case .disconnected(let peer):
      if let index = peers.firstIndex(where: { $0.index == peer }) {
        peers[index].isConnected = false
      }
    case .received(let message, let peer): receive(message, from: peer, at: now, into: &effects)
    case .journalled(let sequence): release(through: sequence, at: now, into: &effects)
    case .work(let work): hasWork = work
    case .body(let body, let parent, let view):
      propose(body, after: parent, in: view, at: now, into: &effects)
    case .verdict(let hash, let verdict): take(verdict, of: hash, at: now, into: &effects)
    case .executed(let height, let root, let validators):
      take(root, of: height, next: validators, at: now, into: &effects)
    case .blocksLoaded(_, let blocks, let certificate, let ending, let peer):
      if let certificate, !blocks.isEmpty {
        if let ending { effects.sends.append((peer, .ending(ending))) }
        effects.sends.append((peer, .segment(blocks, certificate)))
      }
    case .proposeChange(let added, let removed):
      consent(added: added.sorted(), removed: removed.sorted(), into: &effects)
    case .deadline: tick(at: now, into: &effects)
    case .turnEnded: break
    }
    settle(at: now, into: &effects)
    if case .turnEnded = event { endTurn(into: &effects) }
  }

  /// The next instant at which time must be told.
  package var nextDeadline: Instant? {
    var next = statusAt
    if let armedAt {
      if guardian[view].nullify == nil && guardian[view].finalize == nil && canVoteNow
        && mayGiveUp
      {
        next = min(next, armedAt + patience)
      }
      if let retryAt { next = min(next, retryAt) }
      if let due = descendantDueAt {
        // What was tried in vain waits for others, and not for time.
        let again = parentLackedAt.map { $0 + BFT.helpInterval } ?? due
        next = min(next, max(due, again))
      }
    }
    return next
  }

  // MARK: Reading

  /// Whether this node is a validator of the epoch.
  package var isValidator: Bool { own != nil }
  /// Whether this node may vote now.
  var canVote: Bool {
    own != nil && standstill == nil && !isAmnesiac && !isEpochOver && epoch >= signedEpoch
  }
  /// Whether it may vote in the current view.
  var canVoteNow: Bool { canVote && view > guardian.abstainThrough }
  /// Whether the last block of the epoch is final.
  var isEpochOver: Bool { finalized.height >= lastHeight }

  /// How many votes make a certificate.
  var quorum: Int {
    configuration.plantedBug == .smallQuorum ? validators.count / 2 + 1 : validators.quorum
  }

  /// The place of the leader of a view.
  package func leader(of view: UInt64) -> UInt16 {
    UInt16((view % UInt64(validators.count) + leaderOffset) % UInt64(validators.count))
  }

  /// A view's state, made when it is wanted.
  mutating func withView<Result>(
    _ view: UInt64, _ body: (inout ViewState) -> Result
  ) -> Result {
    var state = views[view] ?? ViewState()
    let result = body(&state)
    views[view] = state
    return result
  }

  /// The collection that holds more than it may.
  private var overflow: String? {
    let behind = Int(BFTConfiguration.viewsBehind)
    let validatorsMax = ValidatorSet.countMax
    let bounds: [(name: String, count: Int, bound: Int)] = [
      ("views", views.count, Int(BFT.skippedMax) + 2 * behind + BFT.blocksMax),
      ("open views", openViews.count, BFT.blocksMax),
      ("blocks", blocks.count, BFT.blocksMax + 1),
      ("verdicts", judged.count, BFT.blocksMax + 1),
      ("final blocks", recent.count, 2 * BFT.recentMax),
      ("roots", executed.count, 256),
      ("asked", asked.count, BFT.askedMax),
      ("evidence", evidence.count, BlockLimits.transactionsMax),
      ("convicted", convicted.count, 3 * validatorsMax),
      ("consents", consents.count, validatorsMax),
      ("handover votes", handoverVotes.votes.count, validatorsMax),
      ("memories", memories.count, validatorsMax),
      ("early words", earlyHandovers.votes.count, validatorsMax),
      ("held votes", held.count + stepsInFlight.count, BFT.blocksMax),
    ]
    for (name, count, bound) in bounds where count > bound {
      return "\(count) \(name), at most \(bound)"
    }
    for (place, state) in views.entries.suffix(Int(BFT.votedViewsMax)) {
      let most = max(
        state.notarizes.votes.count, state.nullifies.votes.count, state.finalizes.votes.count)
      if most > validators.count {
        return "\(most) votes of a kind in view \(place)"
      }
    }
    return nil
  }

  /// The first numbered invariant that does not hold.
  package var brokenInvariant: String? {
    if view <= finalized.view { return "B5: view \(view) with \(finalized.view) final" }
    for number in openViews + [finalized.view] where standstill == nil {
      if let state = views[number], state.finalization != nil, state.nullification != nil {
        return "B3: view \(number) is finalized and nullified"
      }
    }
    if let overflow { return "B6: \(overflow)" }
    for number in [view, finalized.view] {
      let votes = guardian[number]
      if votes.nullify != nil && votes.finalize != nil && configuration.plantedBug == nil {
        return "B2: view \(number) was nullified and finalized by this node"
      }
    }
    return nil
  }
}
