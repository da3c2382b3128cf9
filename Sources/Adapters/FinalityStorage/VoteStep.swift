internal import Records

/// Records of the vote journal that are written as one and reported as one.
package struct VoteStep: Hashable, Sendable {
  /// Bytes of the largest record.
  package static let recordBytesMax = BlockLimits.bodyBytesMax + 65_536
  /// Records of one step.
  package static let recordsMax = 65_536

  /// Greater than that of every step before; what `onDurable` reports.
  package let sequence: UInt64
  /// What the owner will be given again, in this order.
  package let records: [[UInt8]]
  /// Whether the records stand for everything before them, which is then forgotten.
  package let isCheckpoint: Bool
  /// Whether the owner knows again what it may sign: from this checkpoint on the journal is no
  /// longer that of a key whose votes are lost.
  package let endsAmnesia: Bool

  /// Makes a step; only a checkpoint can end amnesia.
  package init(
    sequence: UInt64, records: [[UInt8]], isCheckpoint: Bool = false, endsAmnesia: Bool = false
  ) {
    precondition(isCheckpoint || !endsAmnesia, "step \(sequence) ends amnesia without a checkpoint")
    precondition(
      records.count <= VoteStep.recordsMax, "step \(sequence) has \(records.count) records")
    precondition(
      records.allSatisfy { $0.count <= VoteStep.recordBytesMax },
      "step \(sequence) has a record of \(records.map(\.count).max() ?? 0) bytes")
    self.sequence = sequence
    self.records = records
    self.isCheckpoint = isCheckpoint
    self.endsAmnesia = endsAmnesia
  }

  /// What the step takes of the queue, in bytes.
  var byteCount: Int { records.reduce(64) { $0 + $1.count + 8 } }
}
