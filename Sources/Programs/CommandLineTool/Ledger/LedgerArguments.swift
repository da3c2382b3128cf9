internal import Configuration
internal import JSONText
internal import Primitives
internal import Records

/// What the verbs of the final ledger have in common.
enum LedgerArguments {
  static let genesis = Option.value(
    "genesis", "FILE", "the cluster's genesis.json: all that is trusted")
  static let directory = Option.value(
    "dir", "DIR", "read the database of the node in DIR instead of asking one")

  /// What a verifier trusts.
  static func trust(_ arguments: ArgumentList) throws -> LedgerTrust {
    guard let trust = try genesis(arguments).ledgerTrust else {
      throw UsageError("the genesis lists no set of validators")
    }
    return trust
  }

  /// The genesis that `--genesis` names; that of the node in `--dir` without it.
  private static func genesis(_ arguments: ArgumentList) throws -> Genesis {
    if let path = arguments.value("genesis") { return try Genesis(contentsOf: path) }
    guard let directory = arguments.value("dir") else {
      throw UsageError("nothing is trusted: give --genesis FILE")
    }
    let path = Files.resolve(NodeSettings.fileName, in: directory)
    guard Files.exists(path) else {
      throw UsageError("no node is in \(directory): give --genesis FILE")
    }
    let settings = try NodeSettings(json: try Files.read(path), source: path)
    return try Genesis(contentsOf: Files.resolve(settings.genesisFile, in: directory))
  }

  /// The ledger that the arguments name: a database, or a node.
  static func source(_ arguments: ArgumentList) throws -> any LedgerSource {
    guard let directory = arguments.value("dir") else {
      return try NodeLedger(
        APIClient(endpoints: try APIOptions.endpoints(arguments), token: nil))
    }
    return try StoredLedger(
      try StoredLedger.place(in: directory),
      chain: try trust(arguments).chain)
  }
}
