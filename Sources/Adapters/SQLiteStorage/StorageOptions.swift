/// The limits and sizes of one swarm's storage.
package struct StorageOptions: Hashable, Sendable {
  /// Steps that may wait for the writer.
  package var queuedBatchesMax = 4_096
  /// Bytes of operations and rows that may wait for the writer.
  package var queuedBytesMax = 64 * 1_048_576
  /// Page cache of the writer's connection to the lanes, in bytes.
  package var logCacheBytes = 8 * 1_048_576
  /// Page cache of the writer's connection to the rows, in bytes.
  package var stateCacheBytes = 64 * 1_048_576
  /// Page cache of each reader's connection to one file, in bytes.
  package var readerCacheBytes = 8 * 1_048_576
  /// Pages in a write-ahead log from which on it is moved into its database.
  package var checkpointPages = 16_384
  /// Threads that read.
  package var readerCount = 2
  /// Reads that may wait for a thread.
  package var queuedReadsMax = 256
  /// How often everything is read again, in seconds; 0 means only when asked.
  package var scrubSeconds = 0

  /// The default limits.
  package init() {}
}
