internal import BFTCore
internal import CoreKit
internal import Crypto
internal import NodeCore
internal import Primitives
internal import Records
internal import Wire

extension FinalityPlaneEvent {
  /// A number for the auditor: the kind of event and what names it.
  var auditTag: UInt64 {
    switch self {
    case .received(let message, let peer):
      Blake2b.hash(message.value.encoded, .blockEntry).words.0 ^ UInt64(peer.value) << 16
    case .journalled(let sequence): 0x300 + sequence << 16
    case .outlines(_, let first, let outlines): 0x301 + (first << 16 | UInt64(outlines.count))
    case .executed(let reports):
      reports.reduce(0x302) { $0 &* 31 ^ $1.root.words.0 }
    case .blocksLoaded(let range, let peer):
      0x303 + (range.first << 16 | UInt64(peer.value))
    case .contradicted(let position, let after):
      0x305 ^ position.lane.digest.words.0 &+ position.number << 16 &+ after
    case .proposeChange(let added, let removed):
      (added + removed).reduce(0x304) { $0 &* 31 ^ $1.key.words.0 }
    }
  }

  /// One line for the trace.
  var traceText: String {
    switch self {
    case .received(let message, let peer):
      "hears of blocks from peer \(peer.value): \(message.value.traceText)"
    case .journalled(let sequence): "has its votes durable through step \(sequence)"
    case .outlines(let lane, let first, let outlines):
      "loaded \(outlines.count) outlines of \(lane.digest.short) from \(first)"
    case .executed(let reports):
      "executed \(reports.map { "\($0.height)" }.joined(separator: " "))"
    case .blocksLoaded(let range, let peer):
      "loaded \(range.blocks.count) blocks from \(range.first) for peer \(peer.value)"
    case .contradicted(let position, let after):
      "holds another bundle \(position.number) of \(position.lane.digest.short) than the final "
        + "one, after \(after)"
    case .proposeChange(let added, let removed):
      "consents to \(added.count) more and \(removed.count) fewer validators"
    }
  }
}

extension FinalityMessage {
  fileprivate var traceText: String {
    switch self {
    case .proposal(let proposal):
      "proposal \(proposal.block.header.height) in view \(proposal.block.header.view)"
    case .vote(let vote), .handover(let vote), .consent(let vote, _, _):
      "vote \(vote.statement.kind) in view \(vote.statement.view) of \(vote.signer)"
    case .certificate(let certificate):
      "certificate \(certificate.statement.kind) in view \(certificate.statement.view)"
    case .status(let status): "status view \(status.view), final \(status.finalizedHeight)"
    case .certificateRequest(_, let first, let last): "wish for certificates \(first) to \(last)"
    case .blockRequest(let hash): "wish for block \(hash.short)"
    case .heightRequest(let first, let count): "wish for \(count) blocks from \(first)"
    case .block(let block): "block \(block.header.height)"
    case .segment(let blocks, _): "segment of \(blocks.count) blocks"
    case .memoryQuery: "question what it signed"
    case .memoryReply: "answer what it signed"
    case .ending(let certificate): "end of epoch \(certificate.statement.epoch)"
    }
  }
}
