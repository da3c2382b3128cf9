internal import CoreKit
internal import Crypto
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

/// How messages travel. Everything passes through its wire form and the door's checks.
///
/// What a connection of the product guarantees is not relied on beyond the greeting: every other
/// frame may be lost, doubled or overtaken, so what holds here holds the more over QUIC streams.
extension World {
  /// How long a node's driver waits for the answer to a pull.
  private static let pullTimeout = TimeSpan.seconds(3)

  func send(_ send: GossipEffects.Send, from index: Int) {
    let to = nodes[index].peersByIndex[Int(send.peer.value)]
    let bytes = send.message.encoded
    audit.mix(0xc0, UInt64(index), UInt64(to))
    audit.mix(bytes)
    checkShown(send.message, by: index)
    let content: Message.Content
    switch send.message {
    case .hello: content = .greeting(bytes)
    case .progress, .proof: content = .control(bytes)
    }
    post(content, index, to)
  }

  /// Sends a bundle to several peers; true when a channel was full and the core was told.
  func push(_ push: NodeEffects.Push, from index: Int) -> Bool {
    var hasEvents = false
    audit.mix(push.bytes)
    checkShown(push.bytes, by: index)
    for peer in push.peers {
      let to = nodes[index].peersByIndex[Int(peer.value)]
      guard network.link(index, to).isUp, !network.link(index, to).isBlocked else { continue }
      if network.takeRoom(index, to) {
        post(.push(push.bytes), index, to)
      } else {
        probes[.pushBlocked] += 1
        step(index, .pushBlocked(peer))
        hasEvents = true
      }
    }
    return hasEvents
  }

  /// Sends a pull; true when it ended at once and the core was told.
  func start(_ pull: GossipEffects.Pull, from index: Int) -> Bool {
    let to = nodes[index].peersByIndex[Int(pull.peer.value)]
    if options.mutant == .dropGaps {
      step(index, .pullEnded(pull.identifier, .complete))
      return true
    }
    guard network.link(index, to).isUp else {
      step(index, .pullEnded(pull.identifier, .failed))
      return true
    }
    let bytes = pull.request.encoded
    audit.mix(bytes)
    nodes[index].pulls[pull.identifier.value] = to
    post(.pull(pull.identifier.value, bytes), index, to)
    queue.add(
      .pullExpired(node: index, life: nodes[index].life, pull: pull.identifier.value),
      at: now + World.pullTimeout)
    return false
  }

  func expirePull(_ index: Int, _ life: UInt64, _ pull: UInt64) {
    guard nodes[index].isAlive, nodes[index].life == life, nodes[index].pulls[pull] != nil else {
      return
    }
    endPull(pull, .failed, at: index)
  }

  func endPull(_ pull: UInt64, _ outcome: PullOutcome, at index: Int) {
    nodes[index].pulls[pull] = nil
    if outcome == .failed { probes[.pullFailed] += 1 }
    give(.pullEnded(PullID(pull), outcome), to: index)
  }

  /// Puts a message on its way; what is lost travels too, so that its room is given back.
  private func post(_ content: Message.Content, _ from: Int, _ to: Int) {
    let connection = network.link(from, to).connection
    guard connection != 0 else { return }
    var message = Message(
      from: from, to: to, connection: connection, content: content, isLost: false)
    message.isLost = !network.isOpen(from, to) || network.isLost()
    queue.add(.arrival(message), at: network.arrival(from, to, at: now))
    if network.isDuplicated(), case .control = content {
      queue.add(.arrival(message), at: network.arrival(from, to, at: now))
    }
  }

  func arrive(_ message: Message) {
    let from = message.from
    let to = message.to
    if case .push = message.content, network.giveRoom(from, to, message.connection),
      nodes[from].isAlive, let peer = nodes[from].peerIndexes[to]
    {
      give(.pushReady(peer), to: from)
    }
    guard network.link(to, from).connection == message.connection, nodes[to].isAlive else {
      return
    }
    guard !message.isLost, network.isOpen(from, to), network.link(to, from).isAnnounced,
      let peer = nodes[to].peerIndexes[from]
    else {
      resendGreeting(message)
      return
    }
    audit.mix(0xa0, UInt64(from), UInt64(to))
    take(message.content, from: peer, at: to)
    if case .push = message.content, network.isDuplicated() {
      take(message.content, from: peer, at: to)
    }
  }

  /// A greeting is sent until it arrives: without it a connection is none.
  private func resendGreeting(_ message: Message) {
    guard case .greeting = message.content,
      network.link(message.from, message.to).connection == message.connection
    else { return }
    var again = message
    again.isLost = network.isLost()
    queue.add(
      .arrival(again),
      at: network.arrival(message.from, message.to, at: now + .milliseconds(50)))
  }

  private func take(_ content: Message.Content, from peer: PeerIndex, at index: Int) {
    let other = nodes[index].peersByIndex[Int(peer.value)]
    switch content {
    case .control(let bytes), .greeting(let bytes):
      if let message = door.message(bytes) {
        give(.received(message, from: peer), to: index)
      } else {
        refuse(index, other)
      }
    case .push(let bytes):
      countHop(bytes, from: other, to: index)
      admit([bytes], from: peer, .pushed, at: index)
    case .pull(let pull, let bytes):
      answer(pull, bytes, from: other, at: index)
    case .answer(let pull, let frames):
      guard nodes[index].pulls[pull] == other else { return }
      if !frames.isEmpty { probes[.pullRepaired] += 1 }
      nodes[index].pulledBundles += frames.count
      if nodes[index].pulledBundles > 100 { probes[.caughtUp] += 1 }
      admit(frames, from: peer, .pulled, at: index)
      endPull(pull, .complete, at: index)
    }
  }

  /// Lets sound bundles in; bytes that are none end the connection.
  private func admit(
    _ frames: [[UInt8]], from peer: PeerIndex, _ arrival: BundleArrival, at index: Int
  ) {
    var sound: [Verified<SignedBundle>] = []
    var isAllSound = true
    for frame in frames {
      if let bundle = door.bundle(frame, unsignedFrom: keysWhenUnchecked) {
        sound.append(bundle)
      } else {
        isAllSound = false
      }
    }
    if !sound.isEmpty { give(.bundles(sound, from: peer, arrival), to: index) }
    if !isAllSound { refuse(index, nodes[index].peersByIndex[Int(peer.value)]) }
  }

  private var keysWhenUnchecked: [SigningKey] {
    options.mutant == .acceptUnsigned ? nodes.map(\.key) : []
  }

  private func refuse(_ index: Int, _ other: Int) {
    probes[.forgeryRefused] += 1
    note { "node \(index + 1) refuses what node \(other + 1) sent" }
    breakLink(index, other)
  }

  private func answer(_ pull: UInt64, _ bytes: [UInt8], from other: Int, at index: Int) {
    let request: PullRequest
    do throws(WireError) {
      guard bytes.count <= PullRequest.encodedBytesMax else { throw .overLimit }
      request = try PullRequest(decoding: bytes)
    } catch {
      refuse(index, other)
      return
    }
    guard request.swarm == swarm else { return }
    let frames = nodes[index].disk.frames(
      request.lane, request.first...request.last, bytesMax: Int(min(request.bytesMax, 1 << 20)))
    post(.answer(pull, frames), index, other)
  }
}
