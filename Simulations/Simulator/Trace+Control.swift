internal import CoreKit
internal import NodeCore
internal import Primitives
internal import Records

extension ControlPlaneEvent {
  /// A number for the auditor: the kind of event and what names it.
  var auditTag: UInt64 {
    switch self {
    case .submit(let request, _, _, _): 0x300 + request.value << 16
    case .read(let request, _, _, _): 0x301 + request.value << 16
    // Its bytes are mixed in when it arrives.
    case .received(_, let peer, _): 0x302 + UInt64(peer.value) << 16
    case .refused(let peer): 0x303 + UInt64(peer.value) << 16
    case .persisted(let sequence): 0x304 + sequence << 16
    case .snapshotEncoded(let index, _): 0x305 + index << 16
    case .transferLeadership: 0x306
    case .leaving: 0x307
    }
  }

  /// One line for the trace.
  var traceText: String {
    switch self {
    case .submit(let request, let operation, _, _): "takes command \(request.value): \(operation)"
    case .read(let request, let query, let level, _):
      "takes query \(request.value) at \(level): \(query)"
    case .received(let message, let peer, _): "hears from peer \(peer.value): \(message)"
    case .refused(let peer): "hears that the host of peer \(peer.value) refuses"
    case .persisted(let sequence): "has control step \(sequence) on its disk"
    case .snapshotEncoded(let index, let bytes):
      "encoded its control state at \(index): \(bytes.count) bytes"
    case .transferLeadership(let node): "is to hand over to \(node?.key.short ?? "the best")"
    case .leaving: "is about to leave"
    }
  }
}
