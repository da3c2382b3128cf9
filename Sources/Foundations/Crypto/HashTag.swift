/// The sixteen bytes that keep one use of the hash apart from every other.
///
/// The tag goes into the personalization field of BLAKE2b's parameter block (Aumasson, Neves,
/// Wilcox-O'Hearn and Winnerlein, "BLAKE2: simpler, smaller, fast as MD5", 2013, section 2.8),
/// so that equal bytes hashed for two purposes never give equal digests, and no purpose pays for a
/// prefix. Every tag of the product is listed here and nowhere else; none exceeds 16 bytes.
package enum HashTag: String, CaseIterable, Sendable {
  /// A lane's name, of its node key, epoch and swarm.
  case lane = "so.lane.v1"
  /// One operation as a leaf of its bundle's tree.
  case operationLeaf = "so.op.leaf.v1"
  /// An inner node of a bundle's tree of operations.
  case operationNode = "so.op.node.v1"
  /// A bundle header: the leaf of its lane's mountain range.
  case bundleHeader = "so.bundle.v1"
  /// An inner node of a lane's mountain range.
  case rangeNode = "so.mmr.node.v1"
  /// A lane's mountain range with its size.
  case rangeRoot = "so.mmr.root.v1"
  /// The head of a lane as a leaf of the tree over lanes.
  case laneHeadLeaf = "so.head.leaf.v1"
  /// An inner node of the tree over lanes.
  case laneHeadNode = "so.head.node.v1"
  /// One row of the live tables.
  case row = "so.row.v1"
  /// The expansion of a row's digest into a set-hash element.
  case rowElement = "so.row.elem.v1"
  /// The set of all rows.
  case rowSet = "so.row.set.v1"
  /// A cluster's name, of its genesis document.
  case cluster = "so.cluster.v1"
  /// A swarm's name.
  case swarm = "so.swarm.v1"
  /// An agent's bearer token as it is stored.
  case bearerToken = "so.token.v1"
  /// A ticket that lets a node join.
  case ticket = "so.ticket.v1"
  /// A request to join.
  case join = "so.join.v1"
  /// An identifier made of an idempotency key.
  case idempotency = "so.idem.v1"
  /// A canonical answer.
  case answerKey = "so.answer.v1"
  /// A seed derived from another.
  case seed = "so.seed.v1"
  /// One life of a node as a member of the control log.
  case controlMember = "so.ctl.member.v1"
  /// One chunk of a snapshot of the control state.
  case controlChunk = "so.ctl.chunk.v1"
  /// One record of the control log on disk.
  case controlRecord = "so.ctl.record.v1"
  /// An operation of the control state, compared when its idempotency name comes again.
  case controlOperation = "so.ctl.op.v1"
  /// A whole control state.
  case controlState = "so.ctl.state.v1"
  /// The weight of a node as a relay of a lane.
  case relay = "so.relay.v1"
  /// The name of a shared record, of an element of one, or of a request to change one.
  case record = "so.record.v1"
  /// What a test or simulation audits.
  case audit = "so.audit.v1"
  /// The members that a node believes to be alive.
  case coordinatorView = "so.coord.view.v1"
  /// A chain's name, of its cluster and swarm.
  case chain = "so.chain.v1"
  /// A block's header: the block's name.
  case blockHeader = "so.block.v1"
  /// One entry of a block's body.
  case blockEntry = "so.block.leaf.v1"
  /// An inner node of the tree over a block's body.
  case blockNode = "so.block.node.v1"
  /// The validators of an epoch.
  case validatorSet = "so.validators.v1"
  /// What a block's execution led to: height, rows and lanes.
  case execution = "so.exec.v1"
  /// The place of a row in the tree over rows.
  case trieKey = "so.trie.key.v1"
  /// A row as a leaf of the tree over rows.
  case trieLeaf = "so.trie.leaf.v1"
  /// An inner node of the tree over rows.
  case trieNode = "so.trie.node.v1"
  /// An operation as a leaf of its agent's stream.
  case streamLeaf = "so.stream.v1"
  /// One record of the vote journal on disk.
  case voteRecord = "so.vote.rec.v1"
  /// One record of the executed ledger's database.
  case ledgerRecord = "so.ledger.rec.v1"
  /// The end of an epoch and the validators that follow.
  case handover = "so.handover.v1"
  /// A change of validators that validators approve.
  case reconfiguration = "so.reconfig.v1"
  /// A signature that was checked, remembered for the next time it comes.
  case checkedSignature = "so.checked.v1"
  /// What a node says became of an operation.
  case receipt = "so.receipt.v1"
  /// Values that a storage keeps beside its rows, so that a changed one is found.
  case storedValues = "so.store.v1"

  /// The sixteen bytes, the name padded with zeros, as two words in memory order.
  var words: (UInt64, UInt64) { HashTag.table[place] }

  /// The words of every tag in the order of declaration, made once: hashing is too frequent to read
  /// names.
  private static let table: [(UInt64, UInt64)] = allCases.map { tag in
    precondition(tag.rawValue.utf8.count <= 16, "hash tag \(tag.rawValue) exceeds 16 bytes")
    precondition(allCases[tag.place] == tag, "hash tag \(tag.rawValue) has a wrong place")
    var words = (UInt64(0), UInt64(0))
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: tag.rawValue.utf8) }
    return words
  }

  /// The position in the order of declaration.
  private var place: Int {
    switch self {
    case .lane: 0
    case .operationLeaf: 1
    case .operationNode: 2
    case .bundleHeader: 3
    case .rangeNode: 4
    case .rangeRoot: 5
    case .laneHeadLeaf: 6
    case .laneHeadNode: 7
    case .row: 8
    case .rowElement: 9
    case .rowSet: 10
    case .cluster: 11
    case .swarm: 12
    case .bearerToken: 13
    case .ticket: 14
    case .join: 15
    case .idempotency: 16
    case .answerKey: 17
    case .seed: 18
    case .controlMember: 19
    case .controlChunk: 20
    case .controlRecord: 21
    case .controlOperation: 22
    case .controlState: 23
    case .relay: 24
    case .record: 25
    case .audit: 26
    case .coordinatorView: 27
    case .chain: 28
    case .blockHeader: 29
    case .blockEntry: 30
    case .blockNode: 31
    case .validatorSet: 32
    case .execution: 33
    case .trieKey: 34
    case .trieLeaf: 35
    case .trieNode: 36
    case .streamLeaf: 37
    case .voteRecord: 38
    case .ledgerRecord: 39
    case .handover: 40
    case .reconfiguration: 41
    case .checkedSignature: 42
    case .receipt: 43
    case .storedValues: 44
    }
  }
}
