internal import Crypto
internal import FinalityStorage
internal import Primitives
internal import Records

/// Signs what became of operations, on a reader's thread; what several have in common is read once.
struct ReceiptMaker {
  private let chain: ChainID
  private let key: SigningKey
  private var outcomes: [LanePosition: BundleOutcome] = [:]
  private var blocks: [UInt64: Digest] = [:]

  init(chain: ChainID, key: SigningKey) {
    self.chain = chain
    self.key = key
  }

  /// A receipt for each operation; `nil` for one that is not executed.
  mutating func make(
    _ operations: [OperationID], _ reads: LedgerReads
  ) throws(LedgerError) -> [OperationReceipt?] {
    var receipts: [OperationReceipt?] = []
    for operation in operations {
      guard let outcome = try outcome(of: operation.bundle, reads),
        outcome.codes.indices.contains(operation.index),
        let block = try block(at: outcome.height, reads)
      else {
        receipts.append(nil)
        continue
      }
      receipts.append(
        OperationReceipt(
          chain: chain, operation: operation, height: outcome.height, block: block,
          code: outcome.codes[operation.index], level: .final, signedWith: key))
    }
    return receipts
  }

  private mutating func outcome(
    of bundle: LanePosition, _ reads: LedgerReads
  ) throws(LedgerError) -> BundleOutcome? {
    if let known = outcomes[bundle] { return known }
    let found = try reads.outcome(ofLane: bundle.lane, number: bundle.number)
    outcomes[bundle] = found
    return found
  }

  private mutating func block(
    at height: UInt64, _ reads: LedgerReads
  ) throws(LedgerError) -> Digest? {
    if let known = blocks[height] { return known }
    let found = try reads.header(at: height)?.hash
    blocks[height] = found
    return found
  }
}
