internal import Primitives
internal import Records
internal import Wire

/// What the control state's values are made of on the wire: an absent lease is 0, an absent thing
/// the byte 0.
extension WireCursor {
  /// Reads a byte that is 0 or 1.
  mutating func readFlag(_ span: borrowing RawSpan) throws(WireError) -> Bool {
    switch try readUInt8(span) {
    case 0: false
    case 1: true
    case let tag: throw .unknownTag(tag)
    }
  }

  /// Reads a lease.
  mutating func readLease(_ span: borrowing RawSpan) throws(WireError) -> LeaseID {
    guard let lease = LeaseID(try readVariable(span)) else { throw .invalid("a lease 0") }
    return lease
  }

  /// Reads a lease or none.
  mutating func readOptionalLease(_ span: borrowing RawSpan) throws(WireError) -> LeaseID? {
    LeaseID(try readVariable(span))
  }

  /// Reads a node's key.
  mutating func readNode(_ span: borrowing RawSpan) throws(WireError) -> NodeID {
    NodeID(key: try readDigest(span))
  }

  /// Reads a number that fits four bytes.
  mutating func readSmall(_ span: borrowing RawSpan) throws(WireError) -> UInt32 {
    UInt32(try readVariable(span, limit: UInt64(UInt32.max)))
  }

  /// Reads a number that is not 0, such as a revision at which something happened.
  mutating func readPositive(_ span: borrowing RawSpan) throws(WireError) -> UInt64 {
    let value = try readVariable(span)
    if value == 0 { throw .invalid("0 where something is counted from 1") }
    return value
  }

  /// Reads a value of a key.
  mutating func readValue(_ span: borrowing RawSpan) throws(WireError) -> [UInt8] {
    try readBytes(span, limit: ControlLimits.valueBytesMax)
  }

  /// Reads one of the cases that a byte stands for.
  mutating func readCase<Value: RawRepresentable>(
    _ span: borrowing RawSpan, of type: Value.Type = Value.self
  ) throws(WireError) -> Value where Value.RawValue == UInt8 {
    let tag = try readUInt8(span)
    guard let value = Value(rawValue: tag) else { throw .unknownTag(tag) }
    return value
  }
}

extension WireWriter {
  /// Appends a lease, 0 for none.
  mutating func write(_ lease: LeaseID?) {
    writeVariable(lease?.value ?? 0)
  }
}
