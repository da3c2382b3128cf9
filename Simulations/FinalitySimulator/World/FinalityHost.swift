internal import BFTCore
internal import CoreKit
internal import Crypto
internal import Primitives
internal import Records

/// A simulated node: engine, disk, application and what the world knows of it.
struct FinalityHost<Engine: FinalityEngine>: Sendable {
  let index: Int
  let key: SigningKey
  /// Whether its key must keep to the rules.
  let isHonest: Bool
  /// The engine while the process runs, else none. A list, because lists are copied only when they
  /// change: copies of a world share what they have in common, and reading copies nothing.
  var engines: [Engine] = []
  /// Counts starts, so that what a crashed process asked for comes to nothing.
  var life: UInt32 = 0
  var disk = JournalDisk()
  var application: StandInApplication
  var liar: AdversaryState?
  var isWiped = false
  var hasSigned = false
  var armed: Instant?
  var steps = 0
  /// How many records each step had that a crash may tear.
  var stepRecords: [Int] = []
  var knownEpoch: UInt64 = 1
  var missing: [CheckWanted] = []
  var saysWork = false
  var lastFinal: Instant
  var clockError: Int64 = 0
  var crashAfterSend: FinalitySetup.PlannedCrash?
  var hasDiverged = false

  var node: NodeID { NodeID(key: key.publicKey) }
  var isRunning: Bool { !engines.isEmpty }
  var view: UInt64? { engines.isEmpty ? nil : engines[0].view }
}

/// Something that is to happen.
enum Happening: Sendable {
  case arrival(Verified<FinalityMessage>, from: Int, to: Int)
  case journalled(Int, life: UInt32, through: UInt64)
  case deadline(Int, life: UInt32, Instant)
  case executed(Int, life: UInt32)
  case bundle(UInt64)
  case learned(Int, UInt64)
  case restart(Int)
  case action(FinalitySetup.Action)
}
