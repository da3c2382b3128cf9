internal import Crypto
internal import Primitives
internal import Records
package import Wire

extension FinalityMessage: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .proposal(let proposal):
      writer.write(UInt8(1))
      proposal.encode(into: &writer)
    case .vote(let vote):
      writer.write(UInt8(2))
      vote.encode(into: &writer)
    case .certificate(let certificate):
      writer.write(UInt8(3))
      certificate.encode(into: &writer)
    case .status(let status):
      writer.write(UInt8(4))
      for number in [status.epoch, status.view, status.finalizedView, status.finalizedHeight] {
        writer.writeVariable(number)
      }
      writer.write(status.finalizedHash)
    case .certificateRequest(let epoch, let first, let last):
      writer.write(UInt8(5))
      for number in [epoch, first, last] { writer.writeVariable(number) }
    case .blockRequest(let hash):
      writer.write(UInt8(6))
      writer.write(hash)
    case .heightRequest(let first, let count):
      writer.write(UInt8(7))
      for number in [first, count] { writer.writeVariable(number) }
    case .block(let block):
      writer.write(UInt8(8))
      block.encode(into: &writer)
    case .segment(let blocks, let certificate):
      writer.write(UInt8(9))
      writer.writeVariable(UInt64(blocks.count))
      for block in blocks { block.encode(into: &writer) }
      certificate.encode(into: &writer)
    case .memoryQuery, .memoryReply, .consent, .handover, .ending:
      encodeRare(into: &writer)
    }
  }

  private func encodeRare(into writer: inout WireWriter) {
    switch self {
    case .memoryQuery(let nonce, let epoch):
      writer.write(UInt8(10))
      writer.write(nonce)
      writer.writeVariable(epoch)
    case .memoryReply(let nonce, let epoch, let highest):
      writer.write(UInt8(11))
      writer.write(nonce)
      writer.writeVariable(epoch)
      writer.write(UInt8(highest == nil ? 0 : 1))
      highest?.encode(into: &writer)
    case .consent(let vote, let added, let removed):
      writer.write(UInt8(12))
      vote.encode(into: &writer)
      for nodes in [added, removed] {
        writer.writeVariable(UInt64(nodes.count))
        for node in nodes { writer.write(node.key) }
      }
    case .handover(let vote):
      writer.write(UInt8(13))
      vote.encode(into: &writer)
    case .ending(let certificate):
      writer.write(UInt8(14))
      certificate.encode(into: &writer)
    case .proposal, .vote, .certificate, .status, .certificateRequest, .blockRequest,
      .heightRequest, .block, .segment:
      preconditionFailure("a frequent message is encoded as a rare one")
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let limit = BlockLimits.numberMax
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1: self = .proposal(try Proposal(from: span, at: &cursor))
    case 2: self = .vote(try Vote(from: span, at: &cursor))
    case 3: self = .certificate(try Certificate(from: span, at: &cursor))
    case 4:
      self = .status(
        FinalityStatus(
          epoch: try cursor.readVariable(span, limit: limit),
          view: try cursor.readVariable(span, limit: limit),
          finalizedView: try cursor.readVariable(span, limit: limit),
          finalizedHeight: try cursor.readVariable(span, limit: limit),
          finalizedHash: try cursor.readDigest(span)))
    case 5:
      self = .certificateRequest(
        epoch: try cursor.readVariable(span, limit: limit),
        first: try cursor.readVariable(span, limit: limit),
        last: try cursor.readVariable(span, limit: limit))
    case 6: self = .blockRequest(hash: try cursor.readDigest(span))
    case 7:
      self = .heightRequest(
        first: try cursor.readVariable(span, limit: limit),
        count: try cursor.readVariable(span, limit: limit))
    case 8: self = .block(try Block(from: span, at: &cursor))
    case 9:
      let count = try cursor.readCount(
        span, limit: FinalityMessage.segmentBlocksMax, bytesEach: 222)
      var blocks: [Block] = []
      for _ in 0..<count { blocks.append(try Block(from: span, at: &cursor)) }
      self = .segment(blocks, try Certificate(from: span, at: &cursor))
    default: self = try FinalityMessage.rare(tag, from: span, at: &cursor)  // open set: tags
    }
  }

  private static func rare(
    _ tag: UInt8, from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> FinalityMessage {
    let limit = BlockLimits.numberMax
    switch tag {
    case 10:
      return .memoryQuery(
        nonce: try cursor.readUInt64(span), epoch: try cursor.readVariable(span, limit: limit))
    case 11:
      let nonce = try cursor.readUInt64(span)
      let epoch = try cursor.readVariable(span, limit: limit)
      switch try cursor.readUInt8(span) {
      case 0: return .memoryReply(nonce: nonce, epoch: epoch, highest: nil)
      case 1:
        return .memoryReply(
          nonce: nonce, epoch: epoch, highest: try Certificate(from: span, at: &cursor))
      case let other: throw .unknownTag(other)
      }
    case 12:
      return .consent(
        try Vote(from: span, at: &cursor), added: try nodes(from: span, at: &cursor),
        removed: try nodes(from: span, at: &cursor))
    case 13: return .handover(try Vote(from: span, at: &cursor))
    case 14: return .ending(try Certificate(from: span, at: &cursor))
    default: throw .unknownTag(tag)  // open set: tags of later versions
    }
  }

  private static func nodes(
    from span: borrowing RawSpan, at cursor: inout WireCursor
  ) throws(WireError) -> [NodeID] {
    let count = try cursor.readCount(span, limit: Reconfiguration.nodesMax, bytesEach: 32)
    var nodes: [NodeID] = []
    for _ in 0..<count {
      let node = NodeID(key: try cursor.readDigest(span))
      if let last = nodes.last, node <= last { throw .notCanonical }
      nodes.append(node)
    }
    return nodes
  }
}
