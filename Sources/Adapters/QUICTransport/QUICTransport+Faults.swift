import Reactor

/// Disturbing the packets of chosen peers. A connection carries the fault of its peer, if there is
/// one; without, neither way costs more than looking.
extension QUICTransport {
  /// Puts these faults in force instead of those before.
  ///
  /// A fault holds for every connection whose peer's key is known: for the peer that was dialled
  /// from the first packet, for one that dials as soon as it has shown its key, and from then on
  /// for its address, so that nothing is answered there outside of connections. Connections of a
  /// blocked peer stay, and are heard of no more: new ones are not announced, old ones end with
  /// the idle time-out unless the block ends first. Delayed packets that are on their way stay so.
  /// Chance follows from the seed and the packets.
  package func setFaults(_ faults: [PeerFault], seed: UInt64 = 0) {
    injector.set(faults, seed: seed)
    for connection in connections.values {
      connection.fault = fault(of: connection)
    }
  }

  /// The fault of a connection's peer, as far as its key is known.
  func fault(of connection: Connection) -> PeerFault? {
    guard let key = connection.key ?? connection.expectedKey,
      let fault = injector.fault(for: key)
    else { return nil }
    injector.note(connection.address, of: fault)
    return fault
  }

  func fault(for key: PeerKey) -> PeerFault? { injector.fault(for: key) }

  /// Whether a packet that arrived from a peer with a fault is to be taken for lost.
  func loses(packetUnder fault: PeerFault) -> Bool {
    if fault.blocksIn {
      counters.faultsBlocked += 1
      return true
    }
    guard injector.isLost(fault) else { return false }
    counters.faultsLost += 1
    return true
  }

  /// Sends a burst of one connection's packets; false when the kernel has no room.
  func send(
    _ bytes: UnsafeRawBufferPointer, segmentBytes: Int, for connection: Connection,
    to remote: UnsafeRawBufferPointer
  ) -> Bool {
    guard let fault = connection.fault else {
      return send(bytes, segmentBytes: segmentBytes, on: connection.socket, to: remote)
    }
    var offset = 0
    while offset < bytes.count {
      let end = min(offset + segmentBytes, bytes.count)
      let packet = UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
      send(packet, under: fault, on: connection.socket, to: remote)
      offset = end
    }
    return connection.socket.waiting == nil
  }

  private func send(
    _ packet: UnsafeRawBufferPointer, under fault: PeerFault, on socket: UDPSocket,
    to remote: UnsafeRawBufferPointer
  ) {
    switch injector.fate(under: fault) {
    case .passes:
      _ = send(packet, segmentBytes: packet.count, on: socket, to: remote)
    case .isBlocked:
      counters.faultsBlocked += 1
    case .isLost:
      counters.faultsLost += 1
    case .isDelayed(let delay):
      let (due, isEndless) = loop.now().addingReportingOverflow(delay)
      let isKept =
        !isEndless
        && injector.delay(
          .init(due: due, socket: socket, remote: [UInt8](remote), bytes: [UInt8](packet)))
      if isKept {
        counters.faultsDelayed += 1
        armDelay()
      } else {
        counters.faultsDelayDropped += 1
      }
    }
  }

  private func armDelay() {
    guard let due = injector.nextDue else { return }
    let timer: TimerToken
    if let made = injector.timer {
      timer = made
    } else {
      timer = loop.makeTimer { [weak self] in self?.sendDelayed() }
      injector.timer = timer
    }
    loop.arm(timer, at: due)
  }

  private func sendDelayed() {
    while let packet = injector.takeDue(at: loop.now()) {
      packet.bytes.withUnsafeBytes { bytes in
        packet.remote.withUnsafeBytes { remote in
          _ = send(bytes, segmentBytes: bytes.count, on: packet.socket, to: remote)
        }
      }
    }
    armDelay()
  }
}
