internal import Primitives
internal import Records
package import Wire

/// The canonical form of questions: one tag byte, then the fields in their declared order.
extension ControlQuery: WireCodable {
  private enum Tag: UInt8 {
    case get = 1
    case list = 2
    case lease = 3
    case leases = 4
    case lock = 5
    case locks = 6
    case members = 7
    case settings = 8
  }

  package func encode(into writer: inout WireWriter) {
    switch self {
    case .get(let key):
      writer.write(Tag.get.rawValue)
      key.encode(into: &writer)
    case .list(let prefix, let after, let limit):
      writer.write(Tag.list.rawValue)
      writer.writePage(prefix, after, limit)
    case .lease(let lease):
      writer.write(Tag.lease.rawValue)
      writer.write(lease)
    case .leases(let after, let limit):
      writer.write(Tag.leases.rawValue)
      writer.write(after)
      writer.writeLimit(limit)
    case .lock(let name):
      writer.write(Tag.lock.rawValue)
      name.encode(into: &writer)
    case .locks(let prefix, let after, let limit):
      writer.write(Tag.locks.rawValue)
      writer.writePage(prefix, after, limit)
    case .members: writer.write(Tag.members.rawValue)
    case .settings: writer.write(Tag.settings.rawValue)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    switch try cursor.readCase(span, of: Tag.self) {
    case .get: self = .get(key: try ControlName(from: span, at: &cursor))
    case .list:
      self = .list(
        prefix: try cursor.readPrefix(span), after: try cursor.readOptionalName(span),
        limit: try cursor.readLimit(span))
    case .lease: self = .lease(try cursor.readLease(span))
    case .leases:
      let after = try cursor.readOptionalLease(span)
      self = .leases(after: after, limit: try cursor.readLimit(span))
    case .lock: self = .lock(name: try ControlName(from: span, at: &cursor))
    case .locks:
      self = .locks(
        prefix: try cursor.readPrefix(span), after: try cursor.readOptionalName(span),
        limit: try cursor.readLimit(span))
    case .members: self = .members
    case .settings: self = .settings
    }
  }
}

/// The canonical form of answers: the revision, the tag of the question, then the answer.
extension ControlAnswer: WireCodable {
  private enum Tag: UInt8 {
    case entry = 1
    case entries = 2
    case lease = 3
    case leases = 4
    case lock = 5
    case locks = 6
    case members = 7
    case settings = 8
  }

  package func encode(into writer: inout WireWriter) {
    writer.writeVariable(revision)
    switch content {
    case .entry(let entry):
      writer.write(Tag.entry.rawValue)
      writer.writeOptional(entry)
    case .entries(let entries, let more):
      writer.write(Tag.entries.rawValue)
      writer.writeList(entries, more)
    case .lease(let lease):
      writer.write(Tag.lease.rawValue)
      writer.writeOptional(lease)
    case .leases(let leases, let more):
      writer.write(Tag.leases.rawValue)
      writer.writeList(leases, more)
    case .lock(let lock):
      writer.write(Tag.lock.rawValue)
      writer.writeOptional(lock)
    case .locks(let locks, let more):
      writer.write(Tag.locks.rawValue)
      writer.writeList(locks, more)
    case .members(let members):
      writer.write(Tag.members.rawValue)
      writer.writeVariable(UInt64(members.count))
      for member in members { member.encode(into: &writer) }
    case .settings(let settings):
      writer.write(Tag.settings.rawValue)
      settings.encode(into: &writer)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    revision = try cursor.readVariable(span)
    switch try cursor.readCase(span, of: Tag.self) {
    case .entry: content = .entry(try cursor.readOptional(span))
    case .entries:
      let entries: [ControlEntry] = try cursor.readList(span, bytesEach: 5)
      content = .entries(entries, more: try cursor.readFlag(span))
    case .lease: content = .lease(try cursor.readOptional(span))
    case .leases:
      let leases: [ControlLease] = try cursor.readList(span, bytesEach: 4)
      content = .leases(leases, more: try cursor.readFlag(span))
    case .lock: content = .lock(try cursor.readOptional(span))
    case .locks:
      let locks: [ControlLock] = try cursor.readList(span, bytesEach: 5)
      content = .locks(locks, more: try cursor.readFlag(span))
    case .members:
      content = .members(
        try cursor.readList(
          span, limit: ControlLimits.membersMax, bytesEach: Digest.byteCount + 1))
    case .settings: content = .settings(try ControlSettings(from: span, at: &cursor))
    }
  }
}

extension WireWriter {
  /// Appends a limit as it is observed: none is below 1 or above what an answer may have.
  fileprivate mutating func writeLimit(_ limit: Int) {
    writeVariable(UInt64(min(max(limit, 1), ControlLimits.answerEntriesMax)))
  }

  fileprivate mutating func writePage(_ prefix: [UInt8], _ after: ControlName?, _ limit: Int) {
    writeBytes(prefix)
    writeOptional(after)
    writeLimit(limit)
  }

  fileprivate mutating func writeOptional(_ value: (some WireCodable)?) {
    write(UInt8(value == nil ? 0 : 1))
    value?.encode(into: &self)
  }

  fileprivate mutating func writeList(_ list: [some WireCodable], _ more: Bool) {
    writeVariable(UInt64(list.count))
    for value in list { value.encode(into: &self) }
    write(UInt8(more ? 1 : 0))
  }
}

extension WireCursor {
  fileprivate mutating func readLimit(_ span: borrowing RawSpan) throws(WireError) -> Int {
    let limit = try readVariable(span, limit: UInt64(ControlLimits.answerEntriesMax))
    if limit == 0 { throw .invalid("an answer of no entries") }
    return Int(limit)
  }

  fileprivate mutating func readPrefix(_ span: borrowing RawSpan) throws(WireError) -> [UInt8] {
    try readBytes(span, limit: ControlLimits.nameBytes.upperBound)
  }

  fileprivate mutating func readOptionalName(
    _ span: borrowing RawSpan
  ) throws(WireError) -> ControlName? {
    try readOptional(span)
  }

  fileprivate mutating func readOptional<Value: WireCodable>(
    _ span: borrowing RawSpan
  ) throws(WireError) -> Value? {
    try readFlag(span) ? try Value(from: span, at: &self) : nil
  }

  fileprivate mutating func readList<Value: WireCodable>(
    _ span: borrowing RawSpan, limit: Int = ControlLimits.answerEntriesMax, bytesEach: Int
  ) throws(WireError) -> [Value] {
    let count = try readCount(span, limit: limit, bytesEach: bytesEach)
    var list: [Value] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try Value(from: span, at: &self)) }
    return list
  }
}
