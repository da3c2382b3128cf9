internal import Crypto
package import Primitives
internal import Records
internal import Wire

/// The state as bytes: format 1, then its parts in the order in which they are written here.
///
/// Maps are written in the order of their keys and nothing follows from how they came about, so
/// equal states give equal bytes. The history is no part of it.
extension ControlState {
  private static let format: UInt8 = 1

  /// The state's only form as bytes. Takes time in proportion to its size: call it on a copy, on
  /// another thread.
  package var snapshotBytes: [UInt8] {
    // What an entry takes beside its name and value, at most, for the usual numbers.
    let roomEach = 24
    let entries = keyTable.count + leaseTable.count + lockTable.count + sessionTable.resultCount
    var writer = WireWriter(capacity: storeBytes + roomEach * entries + 4_096)
    writer.write(ControlState.format)
    writer.writeVariable(appliedIndex)
    writer.writeVariable(revision)
    settings.encode(into: &writer)
    writeMembers(into: &writer)
    writeLeases(into: &writer)
    writeKeys(into: &writer)
    writeLocks(into: &writer)
    writeSessions(into: &writer)
    writeIdempotency(into: &writer)
    return writer.bytes
  }

  /// The hash of the state's bytes: equal for equal states. Takes time in proportion to its size.
  package var digest: Digest { Blake2b.hash(snapshotBytes, .controlState) }

  private func writeMembers(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(memberTable.count))
    for member in members { member.encode(into: &writer) }
  }

  private func writeLeases(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(leaseTable.count))
    for (lease, record) in leaseTable {
      writer.write(lease)
      writer.writeVariable(UInt64(record.ttlMilliseconds))
      writer.writeVariable(record.renewals)
    }
  }

  private func writeKeys(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(keyTable.count))
    for (key, record) in keyTable { ControlEntry(key, record).encode(into: &writer) }
  }

  private func writeLocks(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(lockTable.count))
    for (name, record) in lockTable { ControlLock(name, record).encode(into: &writer) }
  }

  private func writeSessions(into writer: inout WireWriter) {
    writer.writeVariable(sessionTable.forgottenThrough)
    writer.writeVariable(UInt64(sessionTable.sessions.count))
    for (number, session) in sessionTable.sessions {
      writer.write(number)
      writer.writeVariable(session.lastUsed)
      writer.writeVariable(session.acknowledgedBelow)
      writer.writeVariable(UInt64(session.results.count))
      for (sequence, result) in session.results {
        writer.writeVariable(sequence)
        result.encode(into: &writer)
      }
    }
  }

  private func writeIdempotency(into writer: inout WireWriter) {
    writer.writeVariable(UInt64(idempotencyTable.order.count))
    for (_, name) in idempotencyTable.order {
      guard let entry = idempotencyTable[name] else {
        preconditionFailure("the name \(name) is in the order and not remembered")
      }
      writer.write(name)
      writer.write(entry.operation)
      entry.result.encode(into: &writer)
    }
  }
}
