internal import CoreKit
internal import Merkle
package import Primitives
internal import Records
internal import Wire

extension SnapshotFetch {
  // MARK: Peers

  private func place(of peer: PeerIndex) -> Int? { peers.firstIndex { $0.index == peer } }

  mutating func connect(_ peer: PeerIndex) {
    let place = place(of: peer) ?? peers.count
    if place == peers.count { peers.append(Peer(index: peer)) }
    peers[place].isConnected = true
    peers[place].offer = nil
    peers[place].offerAsked = nil
  }

  mutating func disconnect(_ peer: PeerIndex, at now: Instant) {
    guard let place = place(of: peer) else { return }
    peers[place].isConnected = false
    for id in requests.entries.filter({ $0.value.peer == peer }).map(\.key) { fail(id, at: now) }
    peers[place].offer = nil
  }

  private mutating func ban(
    _ peer: PeerIndex, _ lie: SnapshotLie, at now: Instant, into effects: inout Effects
  ) {
    guard let place = place(of: peer), !peers[place].isBanned else { return }
    peers[place].isBanned = true
    peers[place].offer = nil
    counters.liars += 1
    effects.banned.append((peer, lie))
    for id in requests.entries.filter({ $0.value.peer == peer }).map(\.key) {
      effects.cancelled.append(id)
      _ = close(id)
    }
  }

  // MARK: Answers

  /// Takes a request off the list; what it asked for is missing again.
  private mutating func close(_ id: SnapshotRequestID) -> Pending? {
    guard let pending = requests[id] else { return nil }
    requests[id] = nil
    if let place = place(of: pending.peer) { peers[place].pending -= 1 }
    if case .part(let height, let index) = pending.request, height == manifest?.height,
      states[Int(index)] == .asked
    {
      states[Int(index)] = .missing
      firstMissing = min(firstMissing, Int(index))
    }
    return pending
  }

  mutating func fail(_ id: SnapshotRequestID, at now: Instant) {
    guard let pending = close(id), let place = place(of: pending.peer) else { return }
    counters.failures += 1
    let pause = limits.pauseMin * (1 << UInt64(min(peers[place].failures, 16)))
    peers[place].failures += 1
    peers[place].notBefore = now + min(pause, limits.pauseMax)
  }

  mutating func take(
    _ bytes: [UInt8], for id: SnapshotRequestID, at now: Instant, into effects: inout Effects
  ) {
    guard let pending = close(id), let place = place(of: pending.peer) else { return }
    guard bytes.count <= SnapshotAnswer.encodedBytesMax,
      let answer = try? SnapshotAnswer(decoding: bytes)
    else { return ban(pending.peer, .garbage, at: now, into: &effects) }
    switch (pending.request, answer) {
    case (_, .nothing):
      peers[place].offer = nil
      counters.failures += 1
    case (.offer, .offer(let height)):
      peers[place].offer = height
      peers[place].failures = 0
      if case .seeking = phase { chooseAt = chooseAt ?? now + limits.offerWait }
    case (.manifest(let height), .manifest(let bytes)):
      take(manifest: bytes, height, from: pending.peer, at: now, into: &effects)
    case (.part(let height, let index), .part(let bytes)):
      guard let manifest, manifest.height == height else { return }
      guard let rows = manifest.rows(bytes, of: Int(index), form) else {
        counters.misfits += 1
        if pending.peer == source {
          return ban(pending.peer, .part(Int(index)), at: now, into: &effects)
        }
        peers[place].isSetAside = true
        return
      }
      guard states[Int(index)] == .missing else { return }
      peers[place].failures = 0
      states[Int(index)] = .storing
      storing += 1
      counters.parts += 1
      counters.bytes += UInt64(bytes.count)
      effects.store.append((Int(index), height, rows))
    case (.offer, .manifest), (.offer, .part), (.manifest, .offer), (.manifest, .part),
      (.part, .offer), (.part, .manifest):
      ban(pending.peer, .garbage, at: now, into: &effects)
    }
  }

  private mutating func take(
    manifest bytes: [UInt8], _ height: UInt64, from peer: PeerIndex, at now: Instant,
    into effects: inout Effects
  ) {
    guard let manifest = try? SnapshotManifest(decoding: bytes) else {
      return ban(peer, .garbage, at: now, into: &effects)
    }
    guard manifest.height == height else {
      return ban(peer, .otherHeight, at: now, into: &effects)
    }
    if let fault = manifest.check(chain: chain, genesis: genesis) {
      return ban(peer, .manifest(fault), at: now, into: &effects)
    }
    guard case .seeking = phase else { return }
    // Of a snapshot that was given up, the parts that are equal need not come again.
    var kept: [Int] = []
    if let before = abandoned, before.manifest.parts.count == manifest.parts.count {
      kept = before.stored.filter { before.manifest.parts[$0] == manifest.parts[$0] }
    }
    abandoned = nil
    begin(manifest, keeping: kept)
    source = peer
    effects.begun = (manifest, kept)
  }

  // MARK: Time

  mutating func expire(at now: Instant, into effects: inout Effects) {
    for entry in requests.entries where entry.value.deadline <= now {
      effects.cancelled.append(entry.key)
      fail(entry.key, at: now)
    }
  }

  /// When `handle(.deadline)` is due.
  package var nextDeadline: Instant? {
    if isComplete { return nil }
    var next: Instant?
    func consider(_ instant: Instant) { next = min(next ?? instant, instant) }
    for entry in requests.entries { consider(entry.value.deadline) }
    if let chooseAt, !isAskingForManifest { consider(chooseAt) }
    if let progressAt, !isAskingForOffers,
      peers.contains(where: { isUsable($0) && ($0.offer ?? 0) > 0 })
    {
      consider(progressAt + limits.stallTimeout)
    }
    for peer in peers where isUsable(peer) && peer.pending == 0 {
      if needsOffer(peer) {
        consider(max(peer.notBefore, (peer.offerAsked ?? .origin) + limits.offerPeriod))
      } else if peer.notBefore != .origin {
        consider(peer.notBefore)
      }
    }
    return next
  }

  private func isUsable(_ peer: Peer) -> Bool { peer.isConnected && !peer.isBanned }

  private var isAskingForOffers: Bool {
    requests.entries.contains { $0.value.request == .offer }
  }

  private var isAskingForManifest: Bool {
    requests.entries.contains { entry in
      if case .manifest = entry.value.request { return true }
      return false
    }
  }

  // MARK: Asking

  mutating func advance(at now: Instant, into effects: inout Effects) {
    for place in peers.indices where peers[place].notBefore <= now {
      peers[place].notBefore = .origin
    }
    askForOffers(at: now, into: &effects)
    switch phase {
    case .seeking: choose(at: now, into: &effects)
    case .fetching(let manifest):
      let since = progressAt ?? now
      progressAt = since
      let isNewer = peers.contains { isUsable($0) && ($0.offer ?? 0) > manifest.height }
      if isServed(manifest.height), since + limits.stallTimeout > now {
        askForParts(of: manifest, at: now, into: &effects)
      } else if isNewer || since + limits.stallTimeout <= now {
        abandon(manifest, at: now)
      }
    }
  }

  /// Whether somebody has the snapshot.
  private func isServed(_ height: UInt64) -> Bool {
    peers.contains { isServing($0, height) } || storing > 0
  }

  private func isServing(_ peer: Peer, _ height: UInt64) -> Bool {
    isUsable(peer) && peer.offer == height && !peer.isSetAside
  }

  /// Gives up a snapshot for another one, which somebody must have. Without peers there is nothing
  /// better to begin.
  private mutating func abandon(_ manifest: SnapshotManifest, at now: Instant) {
    let isOffered = peers.contains { isUsable($0) && ($0.offer ?? 0) > 0 }
    guard isOffered, !isAskingForOffers else { return }
    counters.restarts += 1
    abandoned = (manifest, states.indices.filter { states[$0] == .stored })
    if let source, let place = place(of: source) { peers[place].stalls += 1 }
    for id in requests.entries.map(\.key) where requests[id]?.request != .offer {
      _ = close(id)
    }
    phase = .seeking
    states = []
    storedCount = 0
    source = nil
    progressAt = nil
    for index in peers.indices { peers[index].isSetAside = false }
    chooseAt = now
  }

  private mutating func askForOffers(at now: Instant, into effects: inout Effects) {
    for place in peers.indices where isUsable(peers[place]) && peers[place].pending == 0 {
      let peer = peers[place]
      guard peer.notBefore <= now, needsOffer(peer) else { continue }
      if let asked = peer.offerAsked, asked + limits.offerPeriod > now { continue }
      peers[place].offerAsked = now
      _ = ask(.offer, place, at: now, into: &effects)
    }
  }

  /// Whether what a peer has is of no use so far.
  private func needsOffer(_ peer: Peer) -> Bool {
    peer.offer == nil || peer.offer != manifest?.height || peer.isSetAside
  }

  /// Asks one of those with the highest snapshot for its manifest, before all those whose manifests
  /// have led to something.
  private mutating func choose(at now: Instant, into effects: inout Effects) {
    guard !isAskingForManifest else { return }
    guard let chooseAt, chooseAt <= now || !isAskingForOffers else { return }
    let offering = peers.indices.filter { isUsable(peers[$0]) && (peers[$0].offer ?? 0) > 0 }
    let candidates = offering.filter { peers[$0].notBefore <= now }
    guard
      let best = candidates.max(by: {
        (peers[$1].stalls, peers[$0].offer ?? 0, peers[$1].failures)
          < (peers[$0].stalls, peers[$1].offer ?? 0, peers[$0].failures)
      }), let height = peers[best].offer
    else {
      self.chooseAt = offering.map { peers[$0].notBefore }.min()
      return
    }
    _ = ask(.manifest(height: height), best, at: now, into: &effects)
  }

  private mutating func askForParts(
    of manifest: SnapshotManifest, at now: Instant, into effects: inout Effects
  ) {
    while storing < limits.unstoredMax {
      while firstMissing < states.count, states[firstMissing] != .missing { firstMissing += 1 }
      guard firstMissing < states.count else { return }
      let servers = peers.indices.filter {
        isServing(peers[$0], manifest.height) && peers[$0].pending < limits.perPeerMax
          && peers[$0].notBefore <= now
      }
      guard let server = servers.min(by: { peers[$0].pending < peers[$1].pending }),
        ask(
          .part(height: manifest.height, index: UInt32(firstMissing)), server, at: now,
          into: &effects)
      else { return }
      states[firstMissing] = .asked
    }
  }

  private mutating func ask(
    _ request: SnapshotRequest, _ place: Int, at now: Instant, into effects: inout Effects
  ) -> Bool {
    guard requests.count < limits.requestsMax, peers[place].pending < limits.perPeerMax else {
      return false
    }
    precondition(isUsable(peers[place]), "N3: peer \(peers[place].index.value) is asked")
    let id = SnapshotRequestID(value: nextRequest)
    nextRequest += 1
    counters.requests += 1
    peers[place].pending += 1
    requests[id] = Pending(
      peer: peers[place].index, request: request, deadline: now + limits.requestTimeout)
    effects.asks.append(.init(identifier: id, peer: peers[place].index, request: request))
    return true
  }

  // MARK: Invariants

  /// The first numbered invariant that does not hold; for simulations, after every step.
  package var brokenInvariant: String? {
    for peer in peers {
      let pending = requests.entries.count { $0.value.peer == peer.index }
      if pending != peer.pending { return "N2: \(pending) requests counted as \(peer.pending)" }
      if pending > limits.perPeerMax { return "N2: \(pending) requests at one peer" }
      if peer.isBanned && pending > 0 { return "N3: \(pending) requests at a banned peer" }
    }
    if requests.count > limits.requestsMax { return "N2: \(requests.count) requests" }
    var asked = SortedMap<Int, Int>()
    for entry in requests.entries {
      if case .part(let height, let index) = entry.value.request, height == manifest?.height {
        asked[Int(index)] = (asked[Int(index)] ?? 0) + 1
      }
    }
    for (index, state) in states.enumerated() {
      let count = asked[index] ?? 0
      if count != (state == .asked ? 1 : 0) { return "N4: part \(index) is asked for \(count)" }
      if index < firstMissing && state == .missing { return "N4: part \(index) is passed over" }
    }
    if states.count(where: { $0 == .stored }) != storedCount { return "N4: \(storedCount) stored" }
    if states.count(where: { $0 == .storing }) != storing { return "N4: \(storing) being stored" }
    return nil
  }
}
