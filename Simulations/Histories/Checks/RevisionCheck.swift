/// Judges the revisions across keys, which checks by key cannot see.
///
/// Versions are revisions of the whole control state: one change, one revision. A change that was
/// called after somebody had learned of revision `r` has a revision above `r`, whatever its key.
package enum RevisionCheck {
  /// Checks the whole history.
  package static func check(_ history: History) -> HistoryFaults {
    var faults = HistoryFaults()
    var told: [(at: UInt64, revision: UInt64, record: Int)] = []
    var writes: [(call: UInt64, revision: UInt64, record: Int)] = []
    for (index, record) in history.records.enumerated() {
      guard let answered = record.answered else { continue }
      if let revision = record.writtenVersion { writes.append((record.call, revision, index)) }
      if let revision = record.toldVersion { told.append((answered, revision, index)) }
    }
    told.sort { ($0.at, $0.record) < ($1.at, $1.record) }
    writes.sort { ($0.call, $0.record) < ($1.call, $1.record) }
    var next = 0
    var highest: (revision: UInt64, record: Int)?
    for write in writes {
      while next < told.count, told[next].at < write.call {
        if told[next].revision > highest?.revision ?? 0 {
          highest = (told[next].revision, told[next].record)
        }
        next += 1
      }
      let record = history.records[write.record]
      if let highest, highest.revision >= write.revision {
        let before = history.records[highest.record]
        faults.add(
          .revisionOrder, record.key,
          "\(record.sentence), called after \"\(before.key)\" was at \(before.sentence)")
      }
    }
    writes.sort { ($0.revision, $0.record) < ($1.revision, $1.record) }
    for (left, right) in zip(writes, writes.dropFirst()) where left.revision == right.revision {
      let (one, other) = (history.records[left.record], history.records[right.record])
      faults.add(
        .revisionOrder, other.key,
        "revision \(left.revision) twice: \(other.sentence), and \"\(one.key)\": \(one.sentence)")
    }
    return faults
  }
}

extension HistoryRecord {
  /// The revision at which this operation changed its key, when it did and was told.
  var writtenVersion: UInt64? {
    switch result {
    case .written(let version): version
    case .deleted(let version): version
    case .unknown, .refused, .absent, .value, .conflict, .acquired, .held, .released, .lost,
      .observed:
      nil
    }
  }

  /// A revision that existed when the client was told.
  var toldVersion: UInt64? {
    switch result {
    case .written(let version), .value(_, let version), .conflict(let version): version
    case .deleted(let version): version
    case .observed(_, let events): events.last?.revision
    case .unknown, .refused, .absent, .acquired, .held, .released, .lost: nil
    }
  }
}
