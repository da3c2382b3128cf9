internal import CoreKit
internal import NodeCore
internal import Primitives
internal import RaftCore
internal import Records
internal import Wire

/// How the control plane's messages travel: datagrams are lost, doubled and overtaken; the
/// consensus stream keeps its order and tries again as long as the connection lives.
extension World {
  /// How long a lost packet of a stream takes to be sent again, besides a round trip.
  private static let retransmission = TimeSpan.milliseconds(25)
  /// How often a host says that nobody listens, per pair.
  private static let hintPeriod = TimeSpan.milliseconds(100)

  func send(_ send: ControlPlaneEffects.Send, from index: Int) {
    let to = nodes[index].peersByIndex[Int(send.peer.value)]
    let connection = network.link(index, to).connection
    guard connection != 0 else { return }
    if case .raft(let message) = send.message { checkSaid(message, by: index) }
    let bytes = send.message.encoded
    audit.mix(0xc7, UInt64(index), UInt64(to))
    audit.mix(bytes)
    if send.isDatagram, bytes.count <= ControlMessage.datagramBytesMax {
      sendDatagram(bytes, index, to, connection)
      return
    }
    let arrival = network.arrival(index, to, at: now)
    if network.enqueue(bytes, index, to, readyAt: arrival) {
      queue.add(.consensus(from: index, to: to, connection: connection), at: arrival)
    }
  }

  private func sendDatagram(_ bytes: [UInt8], _ from: Int, _ to: Int, _ connection: UInt64) {
    let copies = network.isDuplicated() ? 2 : 1
    for _ in 0..<copies {
      let isLost = !network.isOpen(from, to) || network.isDatagramLost()
      if isLost { continue }
      queue.add(
        .datagram(from: from, to: to, connection: connection, bytes),
        at: network.arrival(from, to, at: now))
    }
  }

  func arriveDatagram(_ from: Int, _ to: Int, _ connection: UInt64, _ bytes: [UInt8]) {
    guard network.isOpen(from, to) else { return }
    guard nodes[to].isAlive else { return hint(from, about: to) }
    guard network.link(to, from).connection == connection, network.link(to, from).isAnnounced
    else { return }
    takeControl(bytes, from, at: to, isDatagram: true)
  }

  /// The head of a consensus stream arrives, or is sent again.
  func arriveConsensus(_ from: Int, _ to: Int, _ connection: UInt64) {
    guard network.link(from, to).connection == connection else { return }
    guard network.isOpen(from, to), nodes[to].isAlive,
      network.link(to, from).connection == connection, network.link(to, from).isAnnounced,
      !network.isLost()
    else {
      if network.isOpen(from, to), !nodes[to].isAlive { hint(from, about: to) }
      let again = network.arrival(from, to, at: now + World.retransmission)
      queue.add(.consensus(from: from, to: to, connection: connection), at: again)
      return
    }
    guard let bytes = network.dequeue(from, to, at: now) else { return }
    if let next = network.nextReady(from, to) {
      queue.add(.consensus(from: from, to: to, connection: connection), at: max(now, next))
    }
    takeControl(bytes, from, at: to, isDatagram: false)
  }

  private func takeControl(_ bytes: [UInt8], _ from: Int, at index: Int, isDatagram: Bool) {
    guard let peer = nodes[index].peerIndexes[from] else { return }
    audit.mix(0xc8, UInt64(from), UInt64(index))
    audit.mix(bytes)
    if !isDatagram, bytes.first == World.finalityTag {
      return takeFinality(Array(bytes.dropFirst()), from, peer, at: index)
    }
    do throws(WireError) {
      guard bytes.count <= ControlMessage.bytesMax else { throw .overLimit }
      let message = try ControlMessage(decoding: bytes)
      if options.mutant != nil, case .raft(let raft) = message {
        for body in distort(raft, from: from, at: index) {
          let other = RaftMessage(from: raft.from, to: raft.to, term: raft.term, body: body)
          give(.control(.received(.raft(other), from: peer, isDatagram: isDatagram)), to: index)
        }
      } else {
        give(.control(.received(message, from: peer, isDatagram: isDatagram)), to: index)
      }
    } catch {
      probes[.forgeryRefused] += 1
      if !isDatagram { breakLink(index, from) }
    }
  }

  /// The host of a crashed node tells a sender that its port is closed.
  private func hint(_ sender: Int, about gone: Int) {
    guard network.isOpen(gone, sender), nodes[sender].isAlive, !nodes[gone].isHostDown,
      let peer = nodes[sender].peerIndexes[gone],
      now.since(nodes[sender].hintedAt[gone]) >= World.hintPeriod
    else { return }
    nodes[sender].hintedAt[gone] = now
    probes[.crashHinted] += 1
    queue.add(
      .own(node: sender, life: nodes[sender].life, .control(.refused(peer))),
      at: network.arrival(gone, sender, at: now))
  }
}
