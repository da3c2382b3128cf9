/// A bug planted on purpose in what drives the cores here, to show that the checkers find it.
///
/// The product's code is not touched: each one breaks a promise that a driver owes the core.
package enum Mutant: String, CaseIterable, Sendable {
  /// A batch is reported durable before the disk has it.
  case skipFsync = "skip-fsync"
  /// The door lets bundles in whose signature is not their node's.
  case acceptUnsigned = "accept-unsigned"
  /// What a lane lacks is never fetched: pulls end at once with nothing.
  case dropGaps = "drop-gaps"
  /// Own bundles are sent when they are made, not when they are durable.
  case pushBeforeDurable = "push-before-durable"
  /// Local writes are reported when their batch is handed to the disk.
  case acknowledgeBeforeDurable = "acknowledge-before-durable"
}
