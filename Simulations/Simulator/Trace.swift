internal import CoreKit
internal import Crypto
internal import GossipCore
internal import NodeCore
internal import Primitives
internal import Records

extension NodeEvent {
  /// A number for the auditor: the kind of event and what names it.
  var auditTag: UInt64 {
    switch self {
    case .connected(let peer, _): 0x100 + UInt64(peer.value) << 16
    case .disconnected(let peer): 0x101 + UInt64(peer.value) << 16
    case .received(let message, let peer): message.auditTag + UInt64(peer.value) << 16
    case .bundles(let bundles, let peer, _):
      bundles.reduce(0x103 + UInt64(peer.value) << 16) { $0 &* 31 ^ $1.value.digest.words.0 }
    case .pullEnded(let pull, let outcome):
      (outcome == .complete ? 0x104 : 0x105) + pull.value << 16
    case .pushBlocked(let peer): 0x106 + UInt64(peer.value) << 16
    case .pushReady(let peer): 0x107 + UInt64(peer.value) << 16
    case .routes(let routes): 0x10d + UInt64(routes.duties.count) << 16
    case .comparePeer(let node): 0x10e ^ (node?.key.words.0 ?? 0) << 16
    case .submit(let write, _, _, _): 0x108 + write.value << 16
    case .follow(let write, _, _, _): 0x109 + write.value << 16
    case .durable(let sequence): 0x10a + sequence << 16
    case .headerLoaded(let header, _): header.digest.words.0
    case .control(let event): event.auditTag
    case .finality(let event): event.auditTag
    case .deadline: 0x10b
    case .turnEnded: 0x10c
    }
  }

  /// One line for the trace.
  var traceText: String {
    switch self {
    case .connected(let peer, _): "is connected to peer \(peer.value)"
    case .disconnected(let peer): "is disconnected from peer \(peer.value)"
    case .received(let message, let peer): "hears from peer \(peer.value): \(message.traceText)"
    case .bundles(let bundles, let peer, _):
      "gets from peer \(peer.value): "
        + bundles.map {
          "\($0.value.header.lane.digest.short)/\($0.value.header.number)"
        }.joined(separator: " ")
    case .pullEnded(let pull, let outcome): "pull \(pull.value) ended: \(outcome)"
    case .pushBlocked(let peer): "push to peer \(peer.value) is blocked"
    case .pushReady(let peer): "push to peer \(peer.value) is ready"
    case .routes(let routes): "relays for \(routes.duties.count) nodes"
    case .comparePeer(let node): "compares with \(node?.key.short ?? "anyone")"
    case .submit(let write, let operations, let level, _):
      "takes write \(write.value) of \(operations.count) for \(level.rawValue)"
    case .follow(let write, let position, let level, _):
      "waits as \(write.value) for \(position.number) at \(level.rawValue)"
    case .durable(let sequence): "is durable through step \(sequence)"
    case .headerLoaded(let header, _): "loaded header \(header.header.number)"
    case .control(let event): event.traceText
    case .finality(let event): event.traceText
    case .deadline: "reaches a deadline"
    case .turnEnded: "ends a turn"
    }
  }
}

extension GossipMessage {
  fileprivate var auditTag: UInt64 {
    switch self {
    case .hello(let hello): LaneProgress.tag(hello.progress) ^ 0x200
    case .progress(let progress): LaneProgress.tag(progress) ^ 0x201
    case .proof(let proof): proof.first.digest.words.0 ^ 0x202
    }
  }

  fileprivate var traceText: String {
    switch self {
    case .hello(let hello): "hello \(LaneProgress.text(hello.progress))"
    case .progress(let progress): "progress \(LaneProgress.text(progress))"
    case .proof(let proof): "proof against \(proof.lane.digest.short)"
    }
  }
}

extension LaneProgress {
  fileprivate static func tag(_ progress: [LaneProgress]) -> UInt64 {
    progress.reduce(0) { hash, entry in
      (hash &* 31 ^ entry.lane.digest.words.0) &* 31 ^ (entry.applied << 20 | entry.synced)
    }
  }

  fileprivate static func text(_ progress: [LaneProgress]) -> String {
    progress.map { "\($0.lane.digest.short)=\($0.applied)(\($0.synced))" }.joined(separator: " ")
  }
}

extension WriteOutcome {
  var auditTag: UInt64 {
    switch self {
    case .reached(let level, _): level == .local ? 1 : level == .quorum ? 2 : 5
    case .undecided: 3
    case .overloaded: 4
    }
  }

  var traceText: String {
    switch self {
    case .reached(let level, let operations):
      "\(level.rawValue) reached for \(operations.count) operations"
    case .undecided(let level, _): "undecided, reached \(level?.rawValue ?? "nothing")"
    case .overloaded: "overloaded"
    }
  }
}
