internal import JSONText
internal import Primitives
package import QUICTransport
package import Records

/// What the operator of one node asks of it through its admin socket: one JSON object per line.
package enum AdminCommand: Equatable, Sendable {
  /// Disturb the packets of these peers, and of nobody else; chance follows from the seed.
  case faults([PeerFault], seed: UInt64)
  /// Read both databases through now.
  case scrub
  /// Say how the node is.
  case status
  /// Hand leadership over, to this node or to whoever is best.
  case transfer(NodeID?)

  /// Peers that one line may disturb.
  package static let faultsMax = 256
  /// The longest delay or jitter, in milliseconds.
  package static let delayMillisecondsMax: Int64 = 60_000

  /// Reads a line; everything that is not understood is refused.
  package init(_ line: String) throws(AdminCommandError) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue.parse(Array(line.utf8))
    } catch {
      throw AdminCommandError("the line is no JSON: \(error)")
    }
    let object = try AdminObject(value, "the line")
    let name = try object.text("command")
    switch name {
    case "faults":
      try object.expect(["command", "faults", "seed"])
      let list = try object.array("faults")
      guard list.count <= AdminCommand.faultsMax else {
        throw AdminCommandError("faults are \(list.count), at most \(AdminCommand.faultsMax)")
      }
      var faults: [PeerFault] = []
      for (index, entry) in list.enumerated() {
        let fault = try AdminCommand.fault(AdminObject(entry, "faults[\(index)]"))
        guard !faults.contains(where: { $0.key == fault.key }) else {
          throw AdminCommandError("faults[\(index)].peer stands there twice")
        }
        faults.append(fault)
      }
      let seed = try object.integer("seed", in: 0...Int64.max) ?? 0
      self = .faults(faults, seed: UInt64(seed))
    case "heal":
      try object.expect(["command"])
      self = .faults([], seed: 0)
    case "scrub":
      try object.expect(["command"])
      self = .scrub
    case "status":
      try object.expect(["command"])
      self = .status
    case "transfer":
      try object.expect(["command", "node"])
      guard object.has("node") else {
        self = .transfer(nil)
        return
      }
      self = .transfer(NodeID(key: try AdminCommand.digest(object, "node")))
    default:
      throw AdminCommandError(
        "command is '\(name)'; there are faults, heal, scrub, status and transfer")
    }
  }

  private static func fault(_ object: AdminObject) throws(AdminCommandError) -> PeerFault {
    try object.expect(["peer", "block", "delayMilliseconds", "jitterMilliseconds", "lossPercent"])
    let digest = try digest(object, "peer")
    guard let key = PeerKey(digest.bytes) else {
      throw AdminCommandError("\(object.name).peer is no node's key")
    }
    var fault = PeerFault(key: key)
    let (blocksIn, blocksOut) = try object.block()
    fault.blocksIn = blocksIn
    fault.blocksOut = blocksOut
    fault.delayNanoseconds = try object.nanoseconds("delayMilliseconds")
    fault.jitterNanoseconds = try object.nanoseconds("jitterMilliseconds")
    fault.lossMillionths = try object.share("lossPercent")
    return fault
  }

  private static func digest(
    _ object: AdminObject, _ key: String
  ) throws(AdminCommandError) -> Digest {
    guard let digest = Digest(hexadecimal: try object.text(key)) else {
      throw AdminCommandError("\(object.place(key)) must be 64 hexadecimal digits: a node's id")
    }
    return digest
  }
}

/// Why a line of an admin socket was refused.
package struct AdminCommandError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong and what would be right.
  package let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// An object of a line, with its place for refusals.
private struct AdminObject {
  let name: String
  private let members: [JSONMember]

  init(_ value: JSONValue, _ name: String) throws(AdminCommandError) {
    guard let members = value.object else { throw AdminCommandError("\(name) is no JSON object") }
    self.name = name
    self.members = members
  }

  func place(_ key: String) -> String { name == "the line" ? key : "\(name).\(key)" }

  func has(_ key: String) -> Bool { value(key) != nil }

  func expect(_ keys: [String]) throws(AdminCommandError) {
    for member in members where !keys.contains(member.key) {
      throw AdminCommandError(
        "\(place(member.key)) is unknown; there are \(keys.joined(separator: ", "))")
    }
  }

  func text(_ key: String) throws(AdminCommandError) -> String {
    guard let text = value(key)?.string else {
      throw AdminCommandError("\(place(key)) must be a string")
    }
    return text
  }

  func array(_ key: String) throws(AdminCommandError) -> [JSONValue] {
    guard let array = value(key)?.array else {
      throw AdminCommandError("\(place(key)) must be an array")
    }
    return array
  }

  func integer(
    _ key: String, in range: ClosedRange<Int64>
  ) throws(AdminCommandError) -> Int64? {
    guard let value = value(key) else { return nil }
    guard let number = value.integer, range.contains(number) else {
      throw AdminCommandError(
        "\(place(key)) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A time in milliseconds, in nanoseconds.
  func nanoseconds(_ key: String) throws(AdminCommandError) -> UInt64 {
    guard let value = value(key) else { return 0 }
    let longest = AdminCommand.delayMillisecondsMax
    guard let nanoseconds = value.fixedPoint(scale: 6),
      (0...longest * 1_000_000).contains(nanoseconds)
    else {
      throw AdminCommandError("\(place(key)) must be from 0 to \(longest), with up to six decimals")
    }
    return UInt64(nanoseconds)
  }

  /// A share in percent, in millionths.
  func share(_ key: String) throws(AdminCommandError) -> UInt32 {
    guard let value = value(key) else { return 0 }
    guard let millionths = value.fixedPoint(scale: 4), (0...1_000_000).contains(millionths) else {
      throw AdminCommandError("\(place(key)) must be from 0 to 100, with up to four decimals")
    }
    return UInt32(millionths)
  }

  func block() throws(AdminCommandError) -> (isIn: Bool, isOut: Bool) {
    guard let value = value("block") else { return (false, false) }
    if let isBlocked = value.bool { return (isBlocked, isBlocked) }
    switch value.string {
    case "blockIn": return (true, false)
    case "blockOut": return (false, true)
    default: throw AdminCommandError("\(place("block")) must be true, false, blockIn or blockOut")
    }
  }

  private func value(_ key: String) -> JSONValue? { members.first { $0.key == key }?.value }
}
