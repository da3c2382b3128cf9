internal import Crypto
internal import JSONText
internal import Primitives
internal import ProofFiles
internal import Records

/// The final ledger as JSON.
extension JSONWriter {
  mutating func write(_ head: LedgerHead) {
    beginObject()
    key("chain")
    string(head.chain.digest.hexadecimal)
    key("running")
    bool(head.stopped == nil)
    key("stopped")
    if let reason = head.stopped { string(reason) } else { null() }
    key("validator")
    bool(head.isValidator)
    key("epoch")
    unsigned(head.epoch)
    key("view")
    unsigned(head.view)
    key("validators")
    write(head.validators)
    key("quorum")
    integer(head.validators.quorum)
    key("finalized")
    beginObject()
    key("height")
    unsigned(head.finalized.height)
    key("epoch")
    unsigned(head.finalized.epoch)
    key("view")
    unsigned(head.finalized.view)
    key("hash")
    string(head.finalized.hash.hexadecimal)
    key("at")
    timestamp(head.finalizedMilliseconds)
    endObject()
    key("executed")
    beginObject()
    key("height")
    unsigned(head.executedHeight)
    key("root")
    string(head.executedRoot.hexadecimal)
    endObject()
    key("provenHeight")
    unsigned(head.provenHeight)
    endObject()
  }

  mutating func write(_ final: LedgerBlock) {
    let header = final.block.header
    beginObject()
    key("height")
    unsigned(header.height)
    key("hash")
    string(final.block.hash.hexadecimal)
    key("epoch")
    unsigned(header.epoch)
    key("view")
    unsigned(header.view)
    key("parentView")
    unsigned(header.parentView)
    key("parentHash")
    string(header.parentHash.hexadecimal)
    key("proposer")
    integer(Int(header.proposer))
    key("at")
    timestamp(header.timestamp)
    key("executedHeight")
    unsigned(header.executedHeight)
    key("executedRoot")
    string(header.executedRoot.hexadecimal)
    key("validatorsHash")
    string(header.validatorSetHash.hexadecimal)
    key("advances")
    beginArray()
    for advance in final.block.body.advances { write(advance) }
    endArray()
    key("transactions")
    beginArray()
    for transaction in final.block.body.transactions { write(transaction) }
    endArray()
    writeMembers(of: final.block, final.certificate)
    endObject()
  }

  private mutating func write(_ advance: CutAdvance) {
    beginObject()
    key("lane")
    string(advance.lane.digest.hexadecimal)
    key("number")
    unsigned(advance.number)
    key("digest")
    string(advance.digest.hexadecimal)
    endObject()
  }

  private mutating func write(_ transaction: ValidatorTransaction) {
    beginObject()
    key("kind")
    switch transaction {
    case .evidence(let evidence, let epoch):
      string("evidence")
      key("epoch")
      unsigned(epoch)
      key("signer")
      integer(Int(evidence.first.signer))
    case .reconfigure(let change):
      string("reconfigure")
      key("added")
      write(change.added)
      key("removed")
      write(change.removed)
    }
    endObject()
  }

  private mutating func write(_ nodes: [NodeID]) {
    beginArray()
    for node in nodes { string(node.key.hexadecimal) }
    endArray()
  }

  mutating func write(_ epoch: EpochDescription) {
    beginObject()
    key("epoch")
    unsigned(epoch.epoch)
    key("parentHeight")
    unsigned(epoch.parent.height)
    key("parentHash")
    string(epoch.parent.hash.hexadecimal)
    key("validators")
    write(epoch.validators)
    key("handover")
    if let certificate = epoch.handover {
      write(
        EpochHandover(
          boundary: epoch.parent.hash, validators: epoch.validators, certificate: certificate))
    } else {
      null()
    }
    endObject()
  }

  /// Writes the receipts of a write as a member.
  mutating func writeReceipts(_ receipts: [OperationReceipt]) {
    key("receipts")
    writeList(receipts)
  }

  /// Writes receipts as a list.
  mutating func writeList(_ receipts: [OperationReceipt]) {
    beginArray()
    for receipt in receipts { write(receipt) }
    endArray()
  }
}
