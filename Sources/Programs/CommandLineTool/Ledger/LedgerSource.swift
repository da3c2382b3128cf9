internal import Configuration
internal import ExecutionCore
internal import FinalityStorage
internal import JSONText
internal import Primitives
internal import ProofFiles
internal import Records

/// Where final blocks are read from.
///
/// What a source says is not trusted: `LedgerAudit` judges it.
protocol LedgerSource {
  /// The chain that it says it has.
  var chain: ChainID { get }
  /// The height of the last final block; 0 for none.
  func height() throws -> UInt64
  /// Final blocks from a height on, ascending; none where the chain ends.
  func blocks(from first: UInt64, count: Int) throws -> [(block: Block, certificate: Certificate?)]
  /// How an epoch was handed over to; `nil` while no quorum has signed.
  func handover(to epoch: UInt64) throws -> EpochHandover?
}

/// A node's answers over HTTP.
struct NodeLedger: LedgerSource {
  private let client: APIClient
  /// The chain that the answers are taken to be of.
  let chain: ChainID

  init(_ client: APIClient) throws {
    self.client = client
    let text = try client.get("/v1/ledger/head")["chain"]?.string ?? ""
    guard let digest = Hexadecimal.bytes(text).flatMap({ Digest($0) }) else {
      throw LedgerProofFault.format("the node names no chain")
    }
    chain = ChainID(digest: digest)
  }

  func height() throws -> UInt64 {
    let height = try client.get("/v1/ledger/head")["finalized"]?["height"]?.integer
    guard let height, let value = UInt64(exactly: height) else {
      throw LedgerProofFault.format("the node names no last block")
    }
    return value
  }

  func blocks(
    from first: UInt64, count: Int
  ) throws -> [(block: Block, certificate: Certificate?)] {
    let page = try client.get("/v1/ledger/blocks?from=\(first)&limit=\(count)")
    return try (page["blocks"]?.array ?? []).map { try LedgerFile.block(fromAPI: $0, of: chain) }
  }

  func handover(to epoch: UInt64) throws -> EpochHandover? {
    let page = try client.get("/v1/ledger/epochs?from=\(epoch)&limit=1")
    guard let value = page["epochs"]?.array?.first else { return nil }
    let read = try LedgerFile.epoch(fromAPI: value, of: chain)
    return read.epoch == epoch ? read.handover : nil
  }
}

/// A node's `ledger.db`, which is only read; the node may be running.
struct StoredLedger: LedgerSource {
  private static let file = "ledger.db"

  /// The directory of the database.
  let directory: String
  let chain: ChainID
  private let reader: LedgerReader

  init(_ directory: String, chain: ChainID) throws {
    self.directory = directory
    self.chain = chain
    reader = try LedgerReader(directory: directory, chain: chain, tables: Ledger.schemas)
  }

  /// The directory of the ledger that `directory` means: its own, or that of a node.
  static func place(in directory: String) throws -> String {
    if Files.exists(Files.resolve(file, in: directory)) { return directory }
    let path = Files.resolve(NodeSettings.fileName, in: directory)
    guard Files.exists(path) else {
      throw ConfigurationError(
        source: directory, reason: "neither a node nor its \(file) is here")
    }
    let settings = try NodeSettings(json: try Files.read(path), source: path)
    let data = Files.resolve(settings.dataDirectory, in: directory)
    let place = Files.resolve("finality/ledger", in: data)
    guard Files.exists(Files.resolve(file, in: place)) else {
      throw ConfigurationError(source: place, reason: "the node has no \(file) yet")
    }
    return place
  }

  func height() throws -> UInt64 {
    try reader.snapshot { (reads) throws(LedgerError) in try reads.tip()?.height ?? 0 }
  }

  func blocks(
    from first: UInt64, count: Int
  ) throws -> [(block: Block, certificate: Certificate?)] {
    try reader.snapshot { (reads) throws(LedgerError) in
      try reads.blocks(from: first, count: UInt64(clamping: count))
    }.map { ($0.block, $0.certificate) }
  }

  func handover(to epoch: UInt64) throws -> EpochHandover? {
    let found = try reader.snapshot { (reads) throws(LedgerError) in try reads.epoch(epoch) }
    guard let found, let certificate = found.handover else { return nil }
    return EpochHandover(
      boundary: found.parent.hash, validators: found.validators, certificate: certificate)
  }
}

extension LedgerSource {
  /// Blocks of one page.
  private static var pageMax: Int { 64 }

  /// Hands over the lines of an export, the first excepted, from the first block on. Ends early,
  /// with its number, at an epoch to which no quorum has handed over.
  func forEachLine(_ body: (LedgerLine) throws -> Void) throws -> UInt64? {
    var epoch = LedgerTrust.firstEpoch
    var next: UInt64 = 1
    while true {
      let page = try blocks(from: next, count: Self.pageMax)
      guard let last = page.last?.block.header.height else { return nil }
      guard page.first?.block.header.height == next, last >= next else {
        throw LedgerProofFault.header(height: next, "it is missing")
      }
      for (block, certificate) in page {
        if block.header.epoch == epoch + 1 {
          guard let handover = try handover(to: epoch + 1) else { return epoch + 1 }
          try body(.handover(handover))
          epoch += 1
        }
        try body(.block(block, certificate))
      }
      next = last + 1
    }
  }
}
