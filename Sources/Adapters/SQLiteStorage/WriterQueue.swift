internal import Records

/// What the owner and the writer share.
struct WriterQueue: Sendable {
  /// How far the writer's life has come.
  enum Phase: Sendable {
    /// Steps are taken.
    case open
    /// No more steps are taken; those that wait are written.
    case draining
    /// Nothing is written any more.
    case stopped
  }

  var steps: [QueuedStep] = []
  var byteCount = 0
  var phase = Phase.open
  /// The sequence of the last step that was taken.
  var lastSequence: UInt64 = 0
  /// Everything up to this sequence is durable.
  var durableSequence: UInt64 = 0
  var failure: StorageFailure?
  var statistics = StorageStatistics()
}

/// What storage has done since it was opened.
package struct StorageStatistics: Hashable, Sendable {
  /// Steps that wait for the writer.
  package internal(set) var pendingBatches = 0
  /// Bytes that wait for the writer.
  package internal(set) var pendingBytes = 0
  /// Commits.
  package internal(set) var groups: UInt64 = 0
  /// Steps committed.
  package internal(set) var batches: UInt64 = 0
  /// Bundles committed.
  package internal(set) var bundles: UInt64 = 0
  /// Operations in those bundles.
  package internal(set) var operations: UInt64 = 0
  /// Time spent in commits, in nanoseconds.
  package internal(set) var commitNanoseconds: UInt64 = 0
  /// The longest commit, in nanoseconds.
  package internal(set) var commitNanosecondsMax: UInt64 = 0
  /// Checkpoints finished.
  package internal(set) var checkpoints: UInt64 = 0
  /// Pages in the write-ahead log of the lanes.
  package internal(set) var logPages = 0
  /// Pages in the write-ahead log of the rows.
  package internal(set) var statePages = 0
}

/// Whether a step or a read was taken.
package enum SubmitResult: Hashable, Sendable {
  /// It will be carried out.
  case accepted
  /// The queue is full; nothing was taken.
  case busy
  /// Storage has failed or was closed; nothing was taken.
  case stopped
}
