internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// Routes about members.
extension AgentAPI {
  private static let roleRule = ObjectRule(
    "MemberRole",
    [FieldRule("role", .word(Shapes.roles), isRequired: true, "What the node is to be.")])

  static let memberRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("members")], "listMembers",
      "Lists the members of the cluster.", successes: [(200, .json(Shapes.members))]
    ) { api, exchange throws(APIProblem) in api.getMembers(exchange) },
    Route(
      .put, [.literal("v1"), .literal("members"), .node, .literal("role")], "setMemberRole",
      "Says what a node is to be.", access: .operator_, body: roleRule, control: .write,
      successes: [(200, .json(Shapes.memberSet))],
      problems: [.memberRemoved, .lastVoter, .limitReached]
    ) { api, exchange throws(APIProblem) in
      let node = try exchange.nodeID(2)
      let role = api.role(in: exchange)
      api.setMember(node, role, by: .setMember(node, role: role), exchange)
    },
    Route(
      .delete, [.literal("v1"), .literal("members"), .node], "removeMember",
      "Removes a node, until it is restored.", access: .operator_, control: .write,
      successes: [(200, .json(Shapes.memberSet))], problems: [.lastVoter, .limitReached]
    ) { api, exchange throws(APIProblem) in
      let node = try exchange.nodeID(2)
      api.setMember(node, nil, by: .removeMember(node), exchange)
    },
    Route(
      .post, [.literal("v1"), .literal("members"), .node, .literal("restore")], "restoreMember",
      "Takes a node's removal back.", access: .operator_, body: roleRule, control: .write,
      successes: [(200, .json(Shapes.memberSet))], problems: [.lastVoter, .limitReached]
    ) { api, exchange throws(APIProblem) in
      let node = try exchange.nodeID(2)
      let role = api.role(in: exchange)
      api.setMember(node, role, by: .restoreMember(node, role: role), exchange)
    },
  ]

  private func getMembers(_ exchange: Exchange) {
    let members = backend.members
    finish(
      exchange,
      json { writer in
        writer.beginObject()
        writer.key("members")
        writer.beginArray()
        for member in members { writer.write(member) }
        writer.endArray()
        writer.endObject()
      })
  }

  private func role(in exchange: Exchange) -> ControlRole {
    switch exchange.body.text("role") {
    case "voter": .voter
    case "edge": .edge
    default: .learner
    }
  }

  private func setMember(
    _ node: NodeID, _ role: ControlRole?, by operation: ControlOperation, _ exchange: Exchange
  ) {
    order(operation, for: exchange) { writer, _ in
      writer.key("node")
      writer.string(node.key.hexadecimal)
      writer.key("role")
      if let role { writer.string("\(role)") } else { writer.null() }
    }
  }
}
