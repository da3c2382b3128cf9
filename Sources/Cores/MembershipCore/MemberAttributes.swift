internal import Primitives
package import Wire

/// What a member does in the cluster.
package enum MemberRole: UInt8, Hashable, Sendable, CaseIterable {
  /// Votes in the control log, or is to.
  case voter = 0
  /// Holds everything and does not vote.
  case learner = 1
  /// Serves agents far away and is never chosen as a relay.
  case edge = 2
}

/// What a node says of itself; it holds for one incarnation.
package struct MemberAttributes: Hashable, Sendable {
  /// The longest transport address, in bytes of UTF-8.
  package static let addressBytesMax = 128
  /// The longest address of the agents' interface, in bytes of UTF-8.
  package static let apiAddressBytesMax = 256
  /// The longest name of a region or zone, in bytes of UTF-8.
  package static let placeBytesMax = 32

  /// Where the node's peers reach it.
  package let address: String
  /// Where its agents reach it.
  package let apiAddress: String
  /// The region it stands in; empty when there is only one.
  package let region: String
  /// The part of the region that fails as one.
  package let zone: String
  /// What it does.
  package let role: MemberRole
  /// The newest version of the protocol between nodes that it speaks.
  package let protocolVersion: UInt16

  /// Joins the parts; `nil` when a text is longer than its limit.
  package init?(
    address: String, apiAddress: String, region: String, zone: String, role: MemberRole,
    protocolVersion: UInt16
  ) {
    guard address.utf8.count <= MemberAttributes.addressBytesMax,
      apiAddress.utf8.count <= MemberAttributes.apiAddressBytesMax,
      region.utf8.count <= MemberAttributes.placeBytesMax,
      zone.utf8.count <= MemberAttributes.placeBytesMax
    else { return nil }
    self.address = address
    self.apiAddress = apiAddress
    self.region = region
    self.zone = zone
    self.role = role
    self.protocolVersion = protocolVersion
  }
}

extension MemberAttributes: WireCodable {
  package func encode(into writer: inout WireWriter) {
    writer.writeText(address)
    writer.writeText(apiAddress)
    writer.writeText(region)
    writer.writeText(zone)
    writer.write(role.rawValue)
    writer.write(protocolVersion)
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    address = try cursor.readText(span, limit: MemberAttributes.addressBytesMax)
    apiAddress = try cursor.readText(span, limit: MemberAttributes.apiAddressBytesMax)
    region = try cursor.readText(span, limit: MemberAttributes.placeBytesMax)
    zone = try cursor.readText(span, limit: MemberAttributes.placeBytesMax)
    let tag = try cursor.readUInt8(span)
    guard let role = MemberRole(rawValue: tag) else { throw .unknownTag(tag) }
    self.role = role
    protocolVersion = try cursor.readUInt16(span)
  }

  /// What is known of a node of which nothing is known.
  static var empty: MemberAttributes? {
    MemberAttributes(
      address: "", apiAddress: "", region: "", zone: "", role: .learner, protocolVersion: 0)
  }

  /// How many bytes the canonical form takes.
  var byteCount: Int {
    WireWriter.byteCount(ofBytes: address.utf8.count)
      + WireWriter.byteCount(ofBytes: apiAddress.utf8.count)
      + WireWriter.byteCount(ofBytes: region.utf8.count)
      + WireWriter.byteCount(ofBytes: zone.utf8.count) + 3
  }
}
