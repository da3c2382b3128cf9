internal import Configuration
internal import CoreKit
internal import Crypto
internal import ExecutionCore
internal import FinalityStorage
internal import LedgerCore
internal import Primitives
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import SnapshotCore
internal import Telemetry
internal import Wire

/// Measures how long a fresh node takes to have what a node with many operations has: by a
/// snapshot, and by replaying everything.
///
/// Both go through the node's own parts and onto the disk, and both begin with bytes that a peer
/// holds; the peer is in the same process, so there is no network in either.
package struct BootstrapBenchmark {
  /// Operations that the peer has.
  package let operations: Int
  /// An empty directory.
  package let directory: String

  /// What was measured.
  package struct Result: Hashable, Sendable {
    /// Rows of the final state.
    package internal(set) var rows: UInt64 = 0
    /// Parts of the snapshot, and bytes of them.
    package internal(set) var parts = 0
    /// Bytes of the parts.
    package internal(set) var partBytes: UInt64 = 0
    /// Bytes of the bundles.
    package internal(set) var bundleBytes: UInt64 = 0
    /// Writing the snapshot, at the peer, in nanoseconds.
    package internal(set) var exportNanoseconds: UInt64 = 0
    /// Fetching and checking the parts.
    package internal(set) var fetchNanoseconds: UInt64 = 0
    /// Making the databases.
    package internal(set) var installNanoseconds: UInt64 = 0
    /// Starting from them.
    package internal(set) var openNanoseconds: UInt64 = 0
    /// Replaying, all in all.
    package internal(set) var replayNanoseconds: UInt64 = 0
    /// Whether both ways led to the peer's root and live tables.
    package internal(set) var isEqual = false

    /// A fresh node that joins by the snapshot is equal after this time.
    package var snapshotNanoseconds: UInt64 {
      fetchNanoseconds + installNanoseconds + openNanoseconds
    }
  }

  /// Reads a clock that never goes back, in nanoseconds.
  private let readClock: () -> UInt64

  /// Describes a run; `clock` gives nanoseconds and never goes back.
  package init(operations: Int, directory: String, clock: @escaping () -> UInt64) {
    precondition(operations > 0, "\(operations) operations")
    self.operations = operations
    self.directory = directory
    readClock = clock
  }

  /// What a node has come to.
  private struct Outcome: Equatable {
    let root: Digest
    let rowSet: [UInt8]
  }

  /// Runs; `tell` hears what is done next.
  package func run(_ tell: (String) -> Void) throws -> Result {
    var result = Result()
    for name in ["peer", "snapshot", "joined", "replayed"] {
      try Files.makeDirectory("\(directory)/\(name)")
    }
    tell("making a peer with \(operations) operations")
    var source = try BootstrapSource(operations: operations, directory: "\(directory)/peer")
    let peer = try export(&source, &result, tell)
    tell("joining by the snapshot")
    let joined = try join(source, &result)
    tell("replaying everything")
    let replayed = try replay(source, &result)
    result.isEqual = joined == replayed && joined.root == peer
    return result
  }

  private var clock: UInt64 { readClock() }

  private func export(
    _ source: inout BootstrapSource, _ result: inout Result, _ tell: (String) -> Void
  ) throws -> Digest {
    let moment = try source.make()
    tell("writing its snapshot")
    let start = clock
    guard let proof = try SnapshotProof(height: moment.executed.height, in: tip(source)) else {
      throw SnapshotError("nobody vouches for height \(moment.executed.height)")
    }
    let manifest = try SnapshotExport.write(moment, proof, to: "\(directory)/snapshot")
    result.exportNanoseconds = clock - start
    result.rows = manifest.rowCount
    result.parts = manifest.parts.count
    return moment.executed.root
  }

  private func tip(_ source: BootstrapSource) throws -> LedgerReads {
    let moment = try LedgerMoment(
      directory: "\(source.directory)/ledger", chain: source.chain, tables: Ledger.schemas)
    guard let moment else { throw SnapshotError("the peer has no ledger") }
    return moment.reads
  }

  // MARK: By the snapshot

  private func join(_ source: BootstrapSource, _ result: inout Result) throws -> Outcome {
    let paths = SnapshotPaths(data: "\(directory)/joined")
    var start = clock
    let fetched = try fetch(source, to: paths, &result)
    result.fetchNanoseconds = clock - start
    start = clock
    _ = try SnapshotInstall.build(
      fetched.manifest, fetched.parts, chain: source.chain, genesis: source.validators, paths,
      values: [])
    try SnapshotInstall.finish(paths)
    result.installNanoseconds = clock - start
    start = clock
    let opening = try LedgerOpening(source.chain, paths.ledger.own, .silent)
    let (storage, recovery) = try SwarmStorage.open(
      directory: paths.swarm.own, tables: LiveTables.schemas, logger: .silent,
      onDurable: { _ in }, onFailure: { _ in })
    var tables = LiveTables()
    try NodeStart.restore(&tables, from: recovery)
    let state = try FinalityStart.execution(
      source.chain, source.validators, opening, lanes: storage.makeReader())
    result.openNanoseconds = clock - start
    let outcome = Outcome(root: state.ledger.root, rowSet: tables.rowSet.bytes)
    try state.database.close()
    try storage.close()
    return outcome
  }

  private func fetch(
    _ source: BootstrapSource, to paths: SnapshotPaths, _ result: inout Result
  ) throws -> (manifest: SnapshotManifest, parts: SnapshotFile) {
    let served = try SnapshotFile(path: "\(directory)/snapshot/parts", isNew: false)
    let bytes = try Files.read(
      "\(directory)/snapshot/manifest", limit: SnapshotLimits.manifestBytesMax)
    let height = try SnapshotManifest(decoding: bytes).height
    try Files.makeDirectory(paths.incoming)
    let parts = try SnapshotFile(path: "\(paths.incoming)/parts", isNew: true)
    var fetch = SnapshotFetch(
      chain: source.chain, genesis: source.validators, tables: Ledger.schemas)
    var effects = SnapshotFetch.Effects()
    var events: [SnapshotFetch.Event] = [
      .connected(PeerIndex(0)), .connected(PeerIndex(1)), .connected(PeerIndex(2)),
    ]
    while let event = events.popLast() {
      fetch.handle(
        event, at: Moment(instant: .origin, wallMilliseconds: 0), into: &effects)
      for entry in effects.store {
        try parts.append(entry.part, SnapshotRows.encode(entry.rows))
        events.append(.stored(part: entry.part, height: entry.height))
      }
      for ask in effects.asks {
        let answer: SnapshotAnswer =
          switch ask.request {
          case .offer: .offer(height: height)
          case .manifest: .manifest(bytes)
          case .part(_, let index): served.part(Int(index)).map { .part($0) } ?? .nothing
          }
        events.append(.answered(ask.identifier, answer.encoded))
      }
      effects.removeAll()
    }
    guard fetch.isComplete, let manifest = fetch.manifest else {
      throw SnapshotError("the snapshot did not come: \(fetch.progress)")
    }
    result.partBytes = fetch.counters.bytes
    return (manifest, parts)
  }

  // MARK: By replay

  private func replay(_ source: BootstrapSource, _ result: inout Result) throws -> Outcome {
    let reader = try Reader(
      reading: "\(source.directory)/\(NodeProgram.swarmName)")
    let start = clock
    let node = try BootstrapNode(source, directory: "\(directory)/replayed")
    var waiting: [FinalBlock] = []
    for block in source.blocks {
      var bundles: [Verified<SignedBundle>] = []
      for advance in block.block.body.advances {
        let frames = try reader.bundles(
          of: advance.lane, from: advance.number, to: advance.number, bytesMax: 1 << 20)
        for frame in frames {
          result.bundleBytes += UInt64(frame.count)
          guard let bundle = Verified(checking: try SignedBundle(decoding: frame)) else {
            throw SnapshotError("a bundle of the peer is not signed")
          }
          bundles.append(bundle)
        }
      }
      bundles.sort { $0.value.header.firstTime < $1.value.header.firstTime }
      try node.take(bundles)
      waiting.append(block)
      if waiting.count == ExecutionState.blocksPerCommit {
        try node.execute(waiting)
        waiting = []
      }
    }
    if !waiting.isEmpty { try node.execute(waiting) }
    try node.flush()
    result.replayNanoseconds = clock - start
    let outcome = Outcome(root: node.executed.root, rowSet: node.rowSet)
    try node.close()
    return outcome
  }
}
