internal import CoreKit
internal import Crypto
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Telemetry
internal import Wire

/// The first byte of a request: what is asked.
enum RequestKind: UInt8 {
  /// A range of bundles: answered by bundles, one frame each.
  case pull = 1
  /// Admission of a new node: answered by one frame of `JoinAnswer`.
  case join = 2
  /// A snapshot or a part of it: answered by `SnapshotAnswer`, in as many frames as it takes.
  case snapshot = 3
}

extension NodeDriver {
  /// Sends a pull; true when it failed at once and the machine was told.
  ///
  /// While input piles up no pull is started: what peers push can be held back, what they were
  /// asked for cannot.
  func start(_ pull: GossipEffects.Pull) -> Bool {
    if !isInputPaused, let connection = peers[Int(pull.peer.value)].connection {
      let frame = [RequestKind.pull.rawValue] + pull.request.encoded
      if case .sent(let request) = transport.request(frame, to: connection) {
        pulls[request] = (pull.identifier, pull.peer)
        return false
      }
    }
    machine.handle(.pullEnded(pull.identifier, .failed), at: moment, into: &effects)
    return true
  }

  func transport(_ transport: QUICTransport, receivedResponse frame: [UInt8], id: RequestID) {
    guard let (pull, peer) = pulls[id] else { return }
    if PullRefusal.isRefusal(frame) {
      pulls[id] = nil
      // What cannot be read is of no more use than silence.
      let refusal = try? PullRefusal(decoding: frame)
      verifier.submit(.pullEnded(pull, refusal.map { .refused(base: $0.base) } ?? .failed))
      return
    }
    verifier.submit(.frames([frame], from: peer, .pulled))
  }

  func transport(_ transport: QUICTransport, responseEnded id: RequestID, how: ResponseEnd) {
    guard let (pull, _) = pulls.removeValue(forKey: id) else { return }
    switch how {
    case .complete: verifier.submit(.pullEnded(pull, .complete))
    case .cancelledByPeer, .timedOut, .tooLarge, .disconnected:
      verifier.submit(.pullEnded(pull, .failed))
    }
  }

  func transport(_ transport: QUICTransport, receivedRequest frame: [UInt8], id: RequestID) {
    guard let kind = frame.first.flatMap(RequestKind.init(rawValue:)) else {
      refuseRequest(id, "it is of an unknown kind")
      return
    }
    let body = Array(frame.dropFirst())
    switch kind {
    case .pull:
      guard peer(of: id.connection) != nil else {
        refuseRequest(id, "a guest may only ask to join")
        return
      }
      do throws(WireError) {
        guard body.count <= PullRequest.encodedBytesMax else { throw .overLimit }
        serve(try PullRequest(decoding: body), id)
      } catch {
        refuseRequest(id, "\(error)")
      }
    case .join:
      admit(body, id)
    case .snapshot:
      guard peer(of: id.connection) != nil else {
        refuseRequest(id, "a guest may only ask to join")
        return
      }
      serveSnapshot(body, id)
    }
  }

  func refuseRequest(_ id: RequestID, _ reason: String) {
    counters.requestsRefused += 1
    logger.log(.warning, "refused a request", [LogField("reason", reason)])
    transport.cancel(id)
  }

  /// Reads the bundles on a reader thread and sends them as the connection takes them.
  private func serve(_ request: PullRequest, _ id: RequestID) {
    guard request.swarm == machine.gossip.swarm else {
      refuseRequest(id, "it is for another swarm")
      return
    }
    // Of its own lane a node shows only what is durable; the log holds nothing else (G4).
    answers[id] = PendingAnswer(frames: [])
    let handle = loop.handle
    let driver = LoopBound(self)
    let byteMax = min(Int(request.bytesMax), machine.gossip.limits.pullBytesMax)
    let result = storage.read { reader in
      let base = try reader.base(of: request.lane)
      guard request.first > base else { return [PullRefusal(base: base).encoded] }
      return try reader.bundles(
        of: request.lane, from: request.first, to: request.last, bytesMax: byteMax)
    } completion: { outcome in
      _ = handle.post { _ in driver.value?.sendAnswer(outcome, id, isPull: true) }
    }
    if result != .accepted {
      answers[id] = nil
      transport.cancel(id)
    }
  }

  func sendAnswer(
    _ outcome: Result<[[UInt8]], any Error>, _ id: RequestID, isPull: Bool
  ) {
    guard answers[id] != nil else { return }
    switch outcome {
    case .success(let frames):
      if isPull { counters.pullsServed += 1 }
      answers[id] = PendingAnswer(frames: frames.reversed())
      continueAnswer(id)
    case .failure(let error):
      answers[id] = nil
      logger.log(.error, "could not read bundles for a peer", [LogField("error", "\(error)")])
      transport.cancel(id)
    }
  }

  func transport(_ transport: QUICTransport, responseWritable id: RequestID) {
    continueAnswer(id)
  }

  func transport(_ transport: QUICTransport, requestCancelled id: RequestID) {
    answers[id] = nil
  }

  /// Forgets the answers that were for a connection which is gone.
  func dropAnswers(on connection: PeerConnectionID) {
    for id in answers.keys where id.connection == connection { answers[id] = nil }
  }

  private func continueAnswer(_ id: RequestID) {
    guard var answer = answers[id] else { return }
    while let frame = answer.frames.last {
      switch transport.respond(to: id, frame: frame, last: false) {
      case .queued:
        answer.frames.removeLast()
      case .full:
        answers[id] = answer
        return
      case .notConnected:
        answers[id] = nil
        return
      }
    }
    answers[id] = nil
    _ = transport.finishResponse(to: id)
  }

  /// Reads a stored header that contradicts one just seen.
  func load(_ wanted: GossipEffects.HeaderWanted) {
    let handle = loop.handle
    let driver = LoopBound(self)
    let position = wanted.position
    let conflicting = wanted.conflicting
    // A read that is refused or fails is made up for: the peer goes on announcing the other bundle.
    _ = storage.read { reader in
      try reader.bundle(at: position)
    } completion: { outcome in
      guard case .success(let bundle?) = outcome else { return }
      let header = bundle.signedHeader
      _ = handle.post { _ in
        driver.value?.step(.headerLoaded(header, conflicting: conflicting))
      }
    }
  }

  /// Takes what the verifier found, in the order it came.
  func take(_ findings: [BundleVerifier.Finding]) {
    for finding in findings {
      switch finding {
      case .bundles(let bundles, let peer, let arrival):
        step(.bundles(bundles, from: peer, arrival))
      case .pullEnded(let pull, let outcome):
        step(.pullEnded(pull, outcome))
      case .refused(let count, let peer, let reason):
        counters.bundlesRefused += UInt64(count)
        if let connection = peers[Int(peer.value)].connection {
          refuse("refused a bundle", connection, reason)
        }
      }
    }
  }
}
