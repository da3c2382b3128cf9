internal import ControlCore
internal import HTTPServer
internal import JSONText
internal import NodeCore
internal import Primitives
internal import Records

/// Routes about settings and the control plane itself.
extension AgentAPI {
  static let controlRoutes: [Route] = [
    Route(
      .get, [.literal("v1"), .literal("settings")], "listSettings",
      "Lists the cluster's settings.", access: .operator_, control: .read,
      successes: [(200, .json(Shapes.settings))]
    ) { api, exchange throws(APIProblem) in api.listSettings(exchange) },
    Route(
      .put, [.literal("v1"), .literal("settings"), .setting], "putSetting",
      "Changes a setting of the cluster.", access: .operator_,
      body: ObjectRule(
        "SettingValue",
        [FieldRule("value", .integer(1...Int64.max), isRequired: true, "The new value.")]),
      control: .write, successes: [(200, .json(Shapes.settingSet))]
    ) { api, exchange throws(APIProblem) in try api.putSetting(exchange) },
    Route(
      .get, [.literal("v1"), .literal("control")], "getControl",
      "Says who leads, how far the control log is, and who lives.",
      successes: [(200, .json(Shapes.control))]
    ) { api, exchange throws(APIProblem) in
      let status = api.backend.controlStatus
      api.finish(exchange, api.json { $0.write(status) })
    },
    Route(
      .post, [.literal("v1"), .literal("control"), .literal("transfer")], "transferLeadership",
      "Hands leadership over; asked of the leader itself.", access: .operator_,
      body: ObjectRule(
        "TransferRequest",
        [FieldRule("node", .token(64...64), "Who is to lead; left out: whoever is best.")]),
      successes: [(202, .json(Shapes.transfer))], problems: [.notFound, .notLeader, .noLeader]
    ) { api, exchange throws(APIProblem) in try api.transferLeadership(exchange) },
  ]

  private func listSettings(_ exchange: Exchange) {
    query(.settings, exchange.control.level, for: exchange) {
      [unowned self] answer, freshness throws(APIProblem) in
      guard case .settings(let settings) = answer.content else {
        preconditionFailure("settings were asked for")
      }
      finish(exchange, answer, freshness) { writer in
        writer.key("settings")
        writer.beginObject()
        for setting in ControlSetting.allCases {
          writer.key(setting.name)
          writer.unsigned(settings[setting])
        }
        writer.endObject()
      }
    }
  }

  private func putSetting(_ exchange: Exchange) throws(APIProblem) {
    guard let setting = ControlSetting(name: exchange.segments[2]) else {
      let known = ControlSetting.allCases.map(\.name).joined(separator: ", ")
      throw APIProblem(.notFound, "there is no such setting; there are \(known)")
    }
    let value = UInt64(exchange.body.integer("value") ?? 0)
    guard setting.range.contains(value) else {
      throw APIProblem(
        field: "value", rule: "range",
        "must be from \(setting.range.lowerBound) to \(setting.range.upperBound)")
    }
    order(.setSetting(setting, value: value), for: exchange) { writer, _ in
      writer.key("setting")
      writer.string(setting.name)
      writer.key("value")
      writer.unsigned(value)
    }
  }

  private func transferLeadership(_ exchange: Exchange) throws(APIProblem) {
    var heir: NodeID?
    if let text = exchange.body.text("node") {
      guard let key = Digest(hexadecimal: text) else {
        throw APIProblem(field: "node", rule: "format", "must be 64 hexadecimal digits")
      }
      heir = NodeID(key: key)
    }
    let status = backend.controlStatus
    guard let leader = status.leader else {
      throw AgentAPI.problem(for: .unavailable(leader: nil))
    }
    guard status.role == "leader" else {
      var problem = APIProblem(.notLeader, "\(leader.key.short) leads: ask that node")
      problem.add("leader") { $0.nodeOrNull(leader) }
      throw problem
    }
    if let heir, !status.members.contains(where: { $0.node == heir && $0.isVoter }) {
      throw APIProblem(.notFound, "\(heir.key.short) does not vote, so it cannot lead")
    }
    backend.transferLeadership(to: heir)
    finish(
      exchange,
      json(202) { writer in
        writer.beginObject()
        writer.key("leader")
        writer.string(leader.key.hexadecimal)
        writer.key("to")
        writer.nodeOrNull(heir)
        writer.endObject()
      })
  }
}
