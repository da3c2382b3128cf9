internal import Crypto
internal import CoreKit
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

/// What liars and forgers do.
extension World {
  /// A node's key signs two bundles for one place; half of the others see one, half the other, or
  /// `only` one of them the second.
  func equivocate(_ liar: Int, _ only: Int?) {
    let head = nodes[liar].disk.lanes[lane(of: liar)]?.head
    liars[liar] = min(liars[liar] ?? .max, (head?.number ?? 0) + 1)
    for write in ledger.open.keys.sorted() where ledger.open[write]?.node == liar {
      ledger.open[write] = nil
      ledger.writes.cutOff += 1
    }
    let versions = (0..<2).map { version in
      lie(of: liar, after: head, saying: "version \(version) of the truth")
    }
    for bundle in versions { ledger.signed.insert(bundle.digest) }
    note { "node \(liar + 1) signs two bundles \((head?.number ?? 0) + 1)" }
    let offset = hostileRandom.next(below: 2)
    for other in nodes.indices where other != liar {
      let version = only.map { other == $0 ? 1 : 0 } ?? (other + offset) % 2
      inject(.push(versions[version].encoded), from: liar, to: other)
    }
  }

  private func lane(of index: Int) -> LaneID {
    nodes[index].lane
  }

  private func lie(of liar: Int, after head: LaneHead?, saying text: String) -> SignedBundle {
    let operations = [Array(text.utf8)]
    return signed(
      header(
        of: nodes[liar].key, epoch: nodes[liar].epoch, after: head, operations,
        wall: nodes[liar].wallMilliseconds(at: now)),
      operations, by: nodes[liar].key)
  }

  private func header(
    of key: SigningKey, epoch: Identifier<LaneEpoch>, after head: LaneHead?,
    _ operations: [[UInt8]], wall: UInt64, swarm other: SwarmID? = nil
  ) -> BundleHeader {
    let time = max(
      HybridTime(milliseconds: wall, counter: 0), head?.lastTime.next ?? .zero)
    return BundleHeader(
      node: NodeID(key: key.publicKey), epoch: epoch, swarm: other ?? swarm,
      number: (head?.number ?? 0) + 1, firstSequence: (head?.lastSequence ?? 0) + 1,
      operationCount: operations.count, firstTime: time, context: [],
      operationsRoot: SignedBundle.operationsRoot(of: operations),
      previous: head?.digest ?? .zero,
      bodyByteCount: SignedBundle.bodyByteCount(of: operations))
  }

  private func signed(
    _ header: BundleHeader, _ operations: [[UInt8]], by key: SigningKey
  ) -> SignedBundle {
    SignedBundle(
      signedHeader: SignedHeader(signing: header, with: key), operations: operations)
  }

  /// Brings something to a node as if a peer had sent it now.
  private func inject(_ content: Message.Content, from: Int, to: Int) {
    let connection = network.link(from, to).connection
    guard connection != 0, nodes[to].isAlive else { return }
    queue.add(
      .arrival(
        Message(from: from, to: to, connection: connection, content: content, isLost: false)),
      at: network.arrival(from, to, at: now))
  }

  /// Everything that a hostile member may try on `target`, one thing per peer in turn.
  func forge(_ target: Int) {
    let others = nodes.indices.filter { $0 != target && network.link($0, target).isUp }
    guard !others.isEmpty else { return }
    let contents = forgedBundles(against: target) + forgedMessages(against: target)
    for content in contents {
      inject(content, from: others[hostileRandom.next(below: others.count)], to: target)
    }
    note { "node \(target + 1) is sent \(contents.count) forgeries" }
  }

  private func forgedBundles(against target: Int) -> [Message.Content] {
    let victim = (target + 1) % nodes.count
    let victimHead = nodes[victim].disk.lanes[lane(of: victim)]?.head
    let wall = nodes[target].wallMilliseconds(at: now)
    let operations = [Array("never said".utf8)]
    let stranger = SigningKey(seed: Digest(words: hostileRandom.next(), 1, 2, 3))
    let header = header(
      of: nodes[victim].key, epoch: nodes[victim].epoch, after: victimHead, operations, wall: wall)
    let digest = Blake2b.hash(header.encoded, .bundleHeader)
    func bundle(_ signature: Signature, _ body: [[UInt8]]) -> [UInt8] {
      SignedBundle(
        signedHeader: SignedHeader(header: header, signature: signature), operations: body
      ).encoded
    }
    let byStranger = bundle(stranger.sign(digest, as: .bundle), operations)
    let replayed = victimHead.flatMap {
      nodes[victim].disk.bundle(
        LanePosition(lane: $0.lane, number: 1 + hostileRandom.next(below: $0.number)))
    }
    var frames = [
      byStranger,
      // The victim's own signature, given for another purpose and over other bytes.
      bundle(nodes[victim].key.sign(digest, as: .ticket), operations),
      bundle(nodes[victim].key.signRaw(digest.bytes), operations),
      [], [0], Array(byStranger.dropLast()), byStranger + [0],
      (0..<200).map { _ in UInt8(hostileRandom.next(below: 256)) },
      [UInt8](repeating: 0, count: BundleLimits.bytesMax + 1),
      // Sound, but of a stranger, and of another swarm.
      signed(
        self.header(
          of: stranger, epoch: Identifier(high: 1, low: 2), after: nil, operations, wall: wall),
        operations, by: stranger
      ).encoded,
      signed(
        self.header(
          of: nodes[victim].key, epoch: nodes[victim].epoch, after: nil, operations, wall: wall,
          swarm: SwarmID(named: "another", in: cluster)),
        operations, by: nodes[victim].key
      ).encoded,
    ]
    if let replayed {
      frames.append(replayed.encoded)
      // A sound header around another body.
      frames.append(
        SignedBundle(signedHeader: replayed.signedHeader, operations: operations).encoded)
    }
    hostileRandom.shuffle(&frames)
    return frames.map { .push($0) }
  }

  private func forgedMessages(against target: Int) -> [Message.Content] {
    let own = lane(of: target)
    let progress = [
      // The target's own lane is said to be longer than the target made it.
      LaneProgress(
        lane: own, applied: nodes[target].disk.durable(own) + 7, synced: 0, mark: 1)
    ]
    let strangers = (0..<8).map { _ in
      LaneProgress(
        lane: LaneID(digest: Digest(words: hostileRandom.next(), 0, 0, 1)), applied: 1_000_000,
        synced: 1_000_000, mark: 2)
    }
    return [
      .control(GossipMessage.progress(progress).encoded),
      .control(GossipMessage.progress(strangers.sorted { $0.lane < $1.lane }).encoded),
      .control([]), .control([9, 9, 9]),
      .control(Array(GossipMessage.progress(progress).encoded.dropLast())),
      .pull(1, [1, 2, 3]),
    ]
  }
}
