internal import Records
package import Wire

/// The canonical form of operations: one tag byte, then the fields in their declared order.
extension ControlOperation: WireCodable {
  private enum Tag: UInt8 {
    case put = 1
    case delete = 2
    case grantLease = 3
    case renewLease = 4
    case revokeLease = 5
    case expireLease = 6
    case acquireLock = 7
    case cancelWait = 8
    case releaseLock = 9
    case setMember = 10
    case removeMember = 11
    case restoreMember = 12
    case setSetting = 13
  }

  private var tag: Tag {
    switch self {
    case .put: .put
    case .delete: .delete
    case .grantLease: .grantLease
    case .renewLease: .renewLease
    case .revokeLease: .revokeLease
    case .expireLease: .expireLease
    case .acquireLock: .acquireLock
    case .cancelWait: .cancelWait
    case .releaseLock: .releaseLock
    case .setMember: .setMember
    case .removeMember: .removeMember
    case .restoreMember: .restoreMember
    case .setSetting: .setSetting
    }
  }

  package func encode(into writer: inout WireWriter) {
    writer.write(tag.rawValue)
    switch self {
    case .put(let key, let value, let condition, let lease):
      precondition(
        value.count <= ControlLimits.valueBytesMax, "a value of \(value.count) bytes")
      key.encode(into: &writer)
      writer.writeBytes(value)
      condition.encode(into: &writer)
      writer.write(lease)
    case .delete(let key, let version):
      key.encode(into: &writer)
      writer.writeNumber(version)
    case .grantLease(let ttlMilliseconds):
      writer.writeVariable(UInt64(ttlMilliseconds))
    case .renewLease(let lease), .revokeLease(let lease):
      writer.write(lease)
    case .expireLease(let lease, let renewals):
      writer.write(lease)
      writer.writeVariable(renewals)
    case .acquireLock(let name, let lease, let wait):
      name.encode(into: &writer)
      writer.write(lease)
      writer.write(UInt8(wait ? 1 : 0))
    case .cancelWait(let name, let lease):
      name.encode(into: &writer)
      writer.write(lease)
    case .releaseLock(let name, let lease, let token):
      name.encode(into: &writer)
      writer.write(lease)
      writer.writeNumber(token)
    case .setMember(let node, let role), .restoreMember(let node, let role):
      writer.write(node.key)
      writer.write(role.rawValue)
    case .removeMember(let node):
      writer.write(node.key)
    case .setSetting(let setting, let value):
      writer.write(setting.rawValue)
      writer.writeVariable(value)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    switch try cursor.readCase(span, of: Tag.self) {
    case .put:
      self = .put(
        key: try ControlName(from: span, at: &cursor), value: try cursor.readValue(span),
        condition: try ControlCondition(from: span, at: &cursor),
        lease: try cursor.readOptionalLease(span))
    case .delete:
      let key = try ControlName(from: span, at: &cursor)
      self = .delete(key: key, version: try cursor.readOptionalNumber(span))
    case .grantLease: self = .grantLease(ttlMilliseconds: try cursor.readSmall(span))
    case .renewLease: self = .renewLease(try cursor.readLease(span))
    case .revokeLease: self = .revokeLease(try cursor.readLease(span))
    case .expireLease:
      let lease = try cursor.readLease(span)
      self = .expireLease(lease, renewals: try cursor.readVariable(span))
    case .acquireLock:
      self = .acquireLock(
        name: try ControlName(from: span, at: &cursor), lease: try cursor.readLease(span),
        wait: try cursor.readFlag(span))
    case .cancelWait:
      let name = try ControlName(from: span, at: &cursor)
      self = .cancelWait(name: name, lease: try cursor.readLease(span))
    case .releaseLock:
      self = .releaseLock(
        name: try ControlName(from: span, at: &cursor), lease: try cursor.readLease(span),
        token: try cursor.readOptionalNumber(span))
    case .setMember:
      let node = try cursor.readNode(span)
      self = .setMember(node, role: try cursor.readCase(span))
    case .removeMember: self = .removeMember(try cursor.readNode(span))
    case .restoreMember:
      let node = try cursor.readNode(span)
      self = .restoreMember(node, role: try cursor.readCase(span))
    case .setSetting:
      let setting = try cursor.readCase(span, of: ControlSetting.self)
      self = .setSetting(setting, value: try cursor.readVariable(span))
    }
  }
}

/// A version of 0 is that of an absent key, and written as such.
extension ControlCondition: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .none: writer.write(UInt8(0))
    case .mustBeAbsent: writer.write(UInt8(1))
    case .version(0): writer.write(UInt8(1))
    case .version(let version):
      writer.write(UInt8(2))
      writer.writeVariable(version)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    switch try cursor.readUInt8(span) {
    case 0: self = .none
    case 1: self = .mustBeAbsent
    case 2: self = .version(try cursor.readPositive(span))
    case let tag: throw .unknownTag(tag)
    }
  }
}

extension WireCursor {
  /// Reads a number or none.
  fileprivate mutating func readOptionalNumber(
    _ span: borrowing RawSpan
  ) throws(WireError) -> UInt64? {
    try readFlag(span) ? try readVariable(span) : nil
  }
}

extension WireWriter {
  /// Appends a number, after 1, or 0 for none.
  fileprivate mutating func writeNumber(_ number: UInt64?) {
    write(UInt8(number == nil ? 0 : 1))
    if let number { writeVariable(number) }
  }
}
