package import CoordinatorCore
package import MembershipCore
package import RaftCore
package import Wire

/// What the control planes of two nodes say to each other.
package enum ControlMessage: Hashable, Sendable {
  /// What a connection starts with.
  case hello(ControlHello)
  /// The control log.
  case raft(RaftMessage)
  /// A command for the leader.
  case forward(ForwardedCommand)
  /// A forwarded command was not proposed.
  case forwardRefused(ForwardRefusal)
  /// Who lives.
  case membership(MembershipMessage)
  /// What the coordinator assigns.
  case coordinator(CoordinatorMessage)

  /// The largest encoded message that is accepted, in bytes.
  package static let bytesMax = 1 << 20
  /// The largest encoded message that may travel as a datagram, in bytes.
  package static let datagramBytesMax = 1_100
}

extension ControlMessage: WireCodable {
  package func encode(into writer: inout WireWriter) {
    switch self {
    case .hello(let hello):
      writer.write(UInt8(1))
      hello.encode(into: &writer)
    case .raft(let message):
      writer.write(UInt8(2))
      message.encode(into: &writer)
    case .forward(let command):
      writer.write(UInt8(3))
      command.encode(into: &writer)
    case .forwardRefused(let refusal):
      writer.write(UInt8(4))
      refusal.encode(into: &writer)
    case .membership(let message):
      writer.write(UInt8(5))
      message.encode(into: &writer)
    case .coordinator(let message):
      writer.write(UInt8(6))
      message.encode(into: &writer)
    }
  }

  package init(from span: borrowing RawSpan, at cursor: inout WireCursor) throws(WireError) {
    let tag = try cursor.readUInt8(span)
    switch tag {
    case 1: self = .hello(try ControlHello(from: span, at: &cursor))
    case 2: self = .raft(try RaftMessage(from: span, at: &cursor))
    case 3: self = .forward(try ForwardedCommand(from: span, at: &cursor))
    case 4: self = .forwardRefused(try ForwardRefusal(from: span, at: &cursor))
    case 5: self = .membership(try MembershipMessage(from: span, at: &cursor))
    case 6: self = .coordinator(try CoordinatorMessage(from: span, at: &cursor))
    // open set: tags of later versions
    default: throw .unknownTag(tag)
    }
  }
}
