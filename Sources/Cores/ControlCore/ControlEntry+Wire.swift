internal import Records
package import Wire

extension ControlEntry: WireCodable {
  package func encode(into writer: inout WireWriter) {
    key.encode(into: &writer)
    writer.writeBytes(value)
    writer.writeVariable(version)
    writer.writeVariable(created)
    writer.write(lease)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    key = try ControlName(from: span, at: &cursor)
    value = try cursor.readValue(span)
    version = try cursor.readPositive(span)
    created = try cursor.readPositive(span)
    lease = try cursor.readOptionalLease(span)
    if created > version { throw .invalid("a key that was written before it was created") }
  }
}

extension ControlLease: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(id)
    writer.writeVariable(UInt64(ttlMilliseconds))
    writer.writeVariable(renewals)
    writer.writeVariable(UInt64(attachments))
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    id = try cursor.readLease(span)
    ttlMilliseconds = try cursor.readSmall(span)
    renewals = try cursor.readVariable(span)
    attachments = try cursor.readSmall(span)
  }
}

extension ControlLock: WireCodable {
  package func encode(into writer: inout WireWriter) {
    name.encode(into: &writer)
    writer.write(holder)
    writer.writeVariable(token)
    writer.writeVariable(UInt64(waiters.count))
    for waiter in waiters { writer.write(waiter) }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    name = try ControlName(from: span, at: &cursor)
    holder = try cursor.readLease(span)
    token = try cursor.readPositive(span)
    let count = try cursor.readCount(span, limit: ControlLimits.waitersPerLockMax)
    var waiters: [LeaseID] = []
    waiters.reserveCapacity(count)
    for _ in 0..<count { waiters.append(try cursor.readLease(span)) }
    self.waiters = waiters
  }
}

extension ControlMember: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(node.key)
    writer.write(role?.rawValue ?? 0)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    node = try cursor.readNode(span)
    let tag = try cursor.readUInt8(span)
    role = ControlRole(rawValue: tag)
    if role == nil, tag != 0 { throw .unknownTag(tag) }
  }
}

/// All settings: each its tag and its value, in the order of the tags.
extension ControlSettings: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.write(UInt8(ControlSetting.allCases.count))
    for setting in ControlSetting.allCases {
      writer.write(setting.rawValue)
      writer.writeVariable(self[setting])
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    self.init()
    guard try cursor.readUInt8(span) == ControlSetting.allCases.count else {
      throw .invalid("settings of another number")
    }
    for setting in ControlSetting.allCases {
      let tag = try cursor.readUInt8(span)
      guard tag == setting.rawValue else { throw .unknownTag(tag) }
      let value = try cursor.readVariable(span)
      guard setting.range.contains(value) else { throw .invalid("a setting out of its range") }
      self[setting] = value
    }
  }
}
