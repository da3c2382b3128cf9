import CPlatform
import CQUIC
package import Reactor

extension QUICTransport {
  /// Keeps a connection to a peer until `forget`: dials now, and again whenever it is lost.
  ///
  /// A peer that is connected already, whoever dialled, is not dialled. Naming a peer again changes
  /// its address for later attempts.
  package func connect(to address: SocketAddress, expecting key: PeerKey) {
    precondition(key != self.key, "a node cannot dial itself")
    precondition(
      sockets.contains { $0.address.family == address.family },
      "no socket is bound for \(address)")
    guard !isShuttingDown else { return }
    if targets[key] != nil {
      targets[key]?.address = address
    } else {
      targets[key] = DialTarget(address: address)
    }
    if targets[key]?.timer != nil { cancelRedial(key) }
    dial(key)
  }

  /// Closes the connection to a peer, if there is one, and dials it no more.
  package func forget(_ key: PeerKey) {
    cancelRedial(key)
    let target = targets.removeValue(forKey: key)
    if let dialling = target?.dialling, let connection = connections[dialling] {
      close(connection, .closed, .closedHere)
    }
    if let connection = byKey[key] { close(connection, .closed, .closedHere) }
  }

  func cancelRedial(_ key: PeerKey) {
    guard let timer = targets[key]?.timer else { return }
    loop.cancel(timer)
    targets[key]?.timer = nil
  }

  private func dial(_ key: PeerKey) {
    guard let target = targets[key], target.dialling == nil, byKey[key] == nil, !isShuttingDown,
      let socket = sockets.first(where: { $0.address.family == target.address.family })
    else { return }
    guard connections.count < configuration.connectionsMax else {
      emit(.failedToConnect(key, target.address, .unreachable("the connection limit is reached")))
      scheduleRedial(key)
      return
    }
    let connection = makeConnection(
      role: .dialler, socket: socket, address: target.address, key: key)
    var settings = librarySettings()
    var callbacks = Connection.callbackTable()
    let remote = target.address.kernelAddress
    var code: Int32 = 0
    let raw = withUnsafeBytes(of: socket.kernelAddress.bytes) { localBytes in
      withUnsafeBytes(of: remote.bytes) { remoteBytes in
        cquic_client_new(
          identity, &settings, &callbacks, connection.owner,
          cquic_address(bytes: localBytes.baseAddress, length: socket.kernelAddress.length),
          cquic_address(bytes: remoteBytes.baseAddress, length: remote.length),
          loop.now(), &code)
      }
    }
    guard let raw else {
      counters.handshakesFailed += 1
      emit(.failedToConnect(key, target.address, .unreachable("error \(code)")))
      scheduleRedial(key)
      return
    }
    targets[key]?.dialling = connection.id
    adopt(connection, raw)
    markDirty(connection)
  }

  /// A connection with this peer has ended: dials again unless another is there or under way.
  ///
  /// A peer that `isBack` is dialled without delay, but not time and again.
  func connectionEnded(_ key: PeerKey, _ id: PeerConnectionID, isBack: Bool, atOnce: Bool) {
    guard let target = targets[key] else { return }
    if target.dialling == id { targets[key]?.dialling = nil }
    guard targets[key]?.dialling == nil, byKey[key] == nil, target.timer == nil else { return }
    let now = loop.now()
    if atOnce {
      dial(key)
    } else if isBack, now >= target.mayDialAtOnceFrom {
      targets[key]?.mayDialAtOnceFrom = now &+ configuration.reconnectDelayMax
      dial(key)
    } else {
      scheduleRedial(key)
    }
  }

  /// The host of a dialled peer says that nobody listens there: the attempt is repeated after the
  /// usual delay, unless the peer answers it by then.
  ///
  /// The delay grows beyond any round trip, so a forged message cannot keep a peer from answering.
  func dialWasRefused(_ connection: Connection) {
    guard connection.role == .dialler, !connection.hasHeard, let key = connection.expectedKey,
      targets[key]?.dialling == connection.id, targets[key]?.timer == nil
    else { return }
    scheduleRedial(key)
  }

  /// The delay before the next attempt is over.
  private func redial(_ key: PeerKey) {
    guard let target = targets[key] else { return }
    targets[key]?.timer = nil
    guard let id = target.dialling, let connection = connections[id] else {
      dial(key)
      return
    }
    guard !connection.hasHeard else { return }
    connection.redialsAtOnce = true
    end(connection, .unreachable("nobody listens there"), closePacket: nil)
  }

  /// Doubles the delay with each attempt, between its bounds, and takes a random part of its upper
  /// half.
  private func scheduleRedial(_ key: PeerKey) {
    guard let target = targets[key], !isShuttingDown else { return }
    let doublings = UInt64(min(target.attempts, 16))
    let full = min(configuration.reconnectDelayMax, configuration.reconnectDelayMin << doublings)
    let delay = full / 2 + jitter.next(below: full / 2 + 1)
    targets[key]?.attempts += 1
    targets[key]?.timer = loop.schedule(at: loop.now() &+ delay) { [weak self] in
      self?.redial(key)
    }
  }
}
