internal import Configuration
internal import CoreKit
internal import ExecutionCore
internal import FinalityStorage
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SnapshotCore
internal import Telemetry
internal import Wire

/// Fetches a snapshot before a fresh node starts, from those whom the genesis names and from who
/// let the node in.
///
/// It runs a transport and a loop of its own, with the node's key. When nobody has a snapshot the
/// node starts with nothing, and everything comes by replay.
final class SnapshotClient: QUICTransportDelegate {
  /// How long somebody who answers is waited for.
  private static let patienceNanoseconds: UInt64 = 5_000_000_000

  private let configuration: NodeConfiguration
  private let paths: SnapshotPaths
  private let chain: ChainID
  private let logger: Logger
  private let loop: EventLoop
  private var timer: TimerToken?
  private var fetch: SnapshotFetch
  private var manifest: SnapshotManifest?
  private var parts: SnapshotFile?
  private var transport: QUICTransport?
  private var connections: [(key: PeerKey, id: PeerConnectionID?)] = []
  private var requests: [RequestID: (id: SnapshotRequestID, bytes: [UInt8])] = [:]
  private var failure: (any Error)?
  private var isOver = false
  /// Whether the node cannot go on without a snapshot: then somebody is waited for who has one.
  private let isNeeded: Bool
  private var wasStopped = false

  private init(
    _ configuration: NodeConfiguration, _ genesis: ValidatorSet, isNeeded: Bool, _ logger: Logger
  ) throws {
    self.configuration = configuration
    self.isNeeded = isNeeded
    self.logger = logger
    paths = SnapshotPaths(data: configuration.dataDirectory)
    chain = FinalityStart.chain(of: configuration)
    loop = try EventLoop()
    fetch = SnapshotFetch(chain: chain, genesis: genesis, tables: Ledger.schemas)
    try resume(genesis)
  }

  /// Makes the node's databases of a snapshot, if the node is fresh and somebody has one; waits
  /// for that when the node cannot go on without. `nil` when it was told to end meanwhile.
  static func bootstrap(
    _ configuration: NodeConfiguration, _ logger: Logger, isNeeded: Bool = false
  ) throws -> SnapshotJoin? {
    let paths = SnapshotPaths(data: configuration.dataDirectory)
    try SnapshotInstall.finish(paths)
    let isFounder = configuration.genesis.voter(configuration.node) != nil
    let mark = Files.resolve(NodeConfiguration.foundedFileName, in: configuration.directory)
    // Founders that start for the first time have nobody who could have more.
    let isWanted =
      isNeeded
      || (!isFounder || Files.exists(mark)) && configuration.settings.bootstrap == .snapshot
    guard paths.isFresh, isWanted else { return SnapshotJoin() }
    let genesis = try FinalityStart.founders(of: configuration)
    let client = try SnapshotClient(configuration, genesis, isNeeded: isNeeded, logger)
    try client.run()
    if client.wasStopped { return nil }
    var outcome = SnapshotJoin(counters: client.fetch.counters)
    guard client.fetch.isComplete, let manifest = client.manifest, let parts = client.parts else {
      logger.log(.info, "nobody has a snapshot: everything comes by replay")
      return outcome
    }
    let rows = try SnapshotInstall.build(
      manifest, parts, chain: client.chain, genesis: genesis, paths,
      values: [(NodeStart.clusterKey, configuration.cluster.digest.bytes)])
    try SnapshotInstall.finish(paths)
    logger.log(
      .info, "joined by a snapshot",
      [
        LogField("height", "\(manifest.height)"), LogField("rows", "\(rows)"),
        LogField("bytes", "\(client.fetch.counters.bytes)"),
        LogField("liars", "\(client.fetch.counters.liars)"),
      ])
    outcome.height = manifest.height
    return outcome
  }

  // MARK: The disk

  /// Goes on with what an earlier run has fetched; whatever of it is not right is fetched again.
  private func resume(_ genesis: ValidatorSet) throws {
    try Files.makeDirectory(paths.incoming)
    guard Files.exists(manifestPath),
      let stored = try? SnapshotManifest(
        decoding: Files.read(manifestPath, limit: SnapshotLimits.manifestBytesMax)),
      stored.check(chain: chain, genesis: genesis) == nil
    else { return }
    let file = try SnapshotFile(path: partsPath, isNew: false)
    let form = SnapshotRows(Ledger.schemas)
    let whole = file.indexes.filter { index in
      guard stored.parts.indices.contains(index), let bytes = file.part(index) else { return false }
      return stored.rows(bytes, of: index, form) != nil
    }
    manifest = stored
    parts = file
    fetch = SnapshotFetch(
      chain: chain, genesis: genesis, tables: Ledger.schemas, resuming: (stored, whole))
    isOver = fetch.isComplete
    logger.log(
      .info, "goes on with a snapshot",
      [
        LogField("height", "\(stored.height)"),
        LogField("parts", "\(whole.count) of \(stored.parts.count)"),
      ])
  }

  private var manifestPath: String { "\(paths.incoming)/\(SnapshotPaths.manifestName)" }
  private var partsPath: String { "\(paths.incoming)/\(SnapshotPaths.partsName)" }

  private func begin(_ next: SnapshotManifest, keeping kept: [Int]) throws {
    let old = kept.compactMap { index in parts?.part(index).map { (index, $0) } }
    let file = try SnapshotFile(path: partsPath, isNew: true)
    for (index, bytes) in old { try file.append(index, bytes) }
    try Files.replace(manifestPath, with: next.encoded)
    manifest = next
    parts = file
  }

  // MARK: The loop

  private func run() throws {
    guard !isOver else { return }
    var quic = try NodeStart.transportConfiguration(
      configuration, seed: loop.now(), responseBytesMax: SnapshotAnswer.encodedBytesMax + 4_096)
    // The node's own addresses are for the node: nobody is to find this side there.
    quic.bindAddresses = configuration.settings.transportListen.compactMap {
      SocketAddress($0.isIPv6 ? "[::]:0" : "0.0.0.0:0")
    }
    let transport = try QUICTransport(
      configuration: quic, loop: loop, delegate: self, log: TransportLog.sink(logger))
    self.transport = transport
    timer = loop.makeTimer { [unowned self] in give(.deadline) }
    loop.schedule(at: loop.refreshClock() + SnapshotClient.patienceNanoseconds) { [unowned self] in
      guard fetch.isSeekingInVain else { return }
      guard isNeeded else { return end() }
      logger.log(.warning, "waits for somebody who has a snapshot")
    }
    let signals = try TerminationSignals.watch(on: loop) { [unowned self] signal in
      logger.log(.info, "told to stop", [LogField("signal", "\(signal)")])
      wasStopped = true
      end()
    }
    defer { loop.deregister(signals) }
    dial(transport)
    try loop.run()
    transport.shutdown { [loop] in loop.stop() }
    try loop.run()
    if let failure { throw failure }
  }

  private func dial(_ transport: QUICTransport) {
    var targets = configuration.genesis.voters.filter { $0.node != configuration.node }
      .map { ($0.node.key.bytes, $0.transport.description) }
    if let ticket = configuration.ticket {
      targets.append((ticket.introducer.key.bytes, ticket.address.description))
    }
    for (bytes, address) in targets {
      guard let key = PeerKey(bytes), let target = SocketAddress(address),
        !connections.contains(where: { $0.key == key })
      else { continue }
      connections.append((key, nil))
      transport.connect(to: target, expecting: key)
    }
  }

  private func end() {
    isOver = true
    loop.stop()
  }

  private func give(_ event: SnapshotFetch.Event) {
    guard !isOver, failure == nil else { return }
    var effects = SnapshotFetch.Effects()
    let now = Moment(instant: Instant(nanoseconds: loop.refreshClock()), wallMilliseconds: 0)
    fetch.handle(event, at: now, into: &effects)
    do {
      try carryOut(effects)
    } catch {
      failure = error
      loop.stop()
      return
    }
    if let deadline = fetch.nextDeadline, let timer {
      loop.arm(timer, at: deadline.nanoseconds)
    }
    if fetch.isComplete || fetch.hasNoOffer && !isNeeded { end() }
  }

  private func carryOut(_ effects: SnapshotFetch.Effects) throws {
    if let begun = effects.begun { try begin(begun.manifest, keeping: begun.kept) }
    for entry in effects.store { try parts?.append(entry.part, SnapshotRows.encode(entry.rows)) }
    for id in effects.cancelled {
      for (request, pending) in requests where pending.id == id {
        requests[request] = nil
        transport?.cancel(request)
      }
    }
    for ask in effects.asks { send(ask) }
    for ban in effects.banned {
      let peer = connections[Int(ban.peer.value)]
      logger.log(
        .warning, "a peer lied about a snapshot",
        [LogField("peer", peer.key.description), LogField("how", "\(ban.lie)")])
      if let id = peer.id { transport?.disconnect(id) }
    }
    // What is written survives a killed process; what a power failure takes is found out by its
    // hash.
    for entry in effects.store { give(.stored(part: entry.part, height: entry.height)) }
  }

  private func send(_ ask: SnapshotFetch.Effects.Ask) {
    let frame = [RequestKind.snapshot.rawValue] + ask.request.encoded
    if let id = connections[Int(ask.peer.value)].id,
      case .sent(let request) = transport?.request(frame, to: id)
    {
      requests[request] = (ask.identifier, [])
    } else {
      // Not at once: the step that asked is not over.
      let client = LoopBound(self)
      let id = ask.identifier
      _ = loop.handle.post { _ in client.value?.give(.failed(id)) }
    }
  }

  // MARK: The transport

  private func index(of key: PeerKey) -> Int? { connections.firstIndex { $0.key == key } }

  func transport(
    _ transport: QUICTransport, shouldAccept key: PeerKey, role: ConnectionRole
  ) -> Bool {
    role == .dialler && index(of: key) != nil
  }

  func transport(
    _ transport: QUICTransport, connected id: PeerConnectionID, key: PeerKey,
    address: SocketAddress, role: ConnectionRole
  ) {
    guard let index = index(of: key) else { return }
    connections[index].id = id
    give(.connected(PeerIndex(UInt16(index))))
  }

  func transport(
    _ transport: QUICTransport, disconnected id: PeerConnectionID, key: PeerKey,
    reason: DisconnectReason
  ) {
    guard let index = index(of: key), connections[index].id == id else { return }
    connections[index].id = nil
    give(.disconnected(PeerIndex(UInt16(index))))
  }

  func transport(_ transport: QUICTransport, receivedResponse frame: [UInt8], id: RequestID) {
    requests[id]?.bytes += frame
  }

  func transport(_ transport: QUICTransport, responseEnded id: RequestID, how: ResponseEnd) {
    guard let request = requests.removeValue(forKey: id) else { return }
    switch how {
    case .complete: give(.answered(request.id, request.bytes))
    case .cancelledByPeer, .timedOut, .tooLarge, .disconnected: give(.failed(request.id))
    }
  }

  func transport(
    _ transport: QUICTransport, failedToConnect key: PeerKey, address: SocketAddress,
    reason: DisconnectReason
  ) {}

  func transport(
    _ transport: QUICTransport, received frame: [UInt8], on channel: Channel,
    from id: PeerConnectionID
  ) {}

  func transport(_ transport: QUICTransport, writable id: PeerConnectionID, channel: Channel) {}

  func transport(
    _ transport: QUICTransport, receivedDatagram datagram: [UInt8], from id: PeerConnectionID
  ) {}

  func transport(_ transport: QUICTransport, receivedRequest frame: [UInt8], id: RequestID) {
    transport.cancel(id)
  }

  func transport(_ transport: QUICTransport, responseWritable id: RequestID) {}

  func transport(_ transport: QUICTransport, requestCancelled id: RequestID) {}
}
