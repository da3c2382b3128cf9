internal import AdminSocket
internal import AgentAPI
internal import Configuration
internal import JSONText
internal import NodeCore
internal import Primitives
internal import QUICTransport
internal import RaftCore
internal import Reactor
internal import Records
internal import SQLiteStorage
internal import Telemetry

/// What the operator may ask of this node on its own host, through a socket in its directory.
extension NodeDriver {
  /// Opens the node's admin socket; `nil`, with a line in the log, when it cannot be had: the node
  /// serves its peers and agents without it.
  func openAdmin() -> AdminServer? {
    let path = Files.resolve(NodeConfiguration.adminSocketName, in: configuration.directory)
    do {
      return try AdminServer(path: path, loop: loop, logger: logger) { [unowned self] line, reply in
        reply.send(answer(adminLine: line))
      }
    } catch {
      logger.log(
        .error, "the node runs without its admin socket", [LogField("reason", "\(error)")])
      return nil
    }
  }

  /// Does what a line asks for; the answer is one line.
  private func answer(adminLine line: String) -> String {
    do throws(AdminCommandError) {
      return try answer(AdminCommand(line))
    } catch {
      return NodeDriver.object { writer in
        writer.key("error")
        writer.string(error.description)
      }
    }
  }

  private func answer(_ command: AdminCommand) throws(AdminCommandError) -> String {
    switch command {
    case .faults(let faults, let seed):
      transport.setFaults(faults, seed: seed)
      faultsInForce = faults.count
      logger.log(
        .warning, "faults of the network were set by the operator",
        [LogField("faults", "\(faults.count)")])
      return NodeDriver.object { writer in
        writer.key("faults")
        writer.integer(faults.count)
      }
    case .scrub:
      beginScrub()
      return NodeDriver.object { writer in
        writer.key("scrubbing")
        writer.bool(true)
      }
    case .status: return adminStatus
    case .transfer(let node):
      let control = machine.control
      guard control.raft.isLeader else {
        let leader = control.leaderNode?.key.hexadecimal ?? "nobody that this node knows of"
        throw AdminCommandError("this node does not lead; the leader is \(leader)")
      }
      if let node {
        guard logVoters.contains(node) else {
          throw AdminCommandError("node does not vote, so it cannot lead")
        }
      }
      step(.control(.transferLeadership(node)))
      return NodeDriver.object { writer in
        writer.key("transferring")
        writer.bool(true)
      }
    }
  }

  private var logVoters: [NodeID] {
    let raft = machine.control.raft
    return raft.configuration.members.filter { raft.configuration.isVoter($0.id) }.map(\.node)
  }

  private var adminStatus: String {
    let status = controlStatus
    return NodeDriver.object { writer in
      writer.key("node")
      writer.string(configuration.node.key.hexadecimal)
      writer.key("role")
      writer.string(status.role)
      writer.key("term")
      writer.unsigned(status.term)
      writer.key("leader")
      if let leader = status.leader {
        writer.string(leader.key.hexadecimal)
      } else {
        writer.null()
      }
      writer.key("commit")
      writer.unsigned(status.commit)
      writer.key("applied")
      writer.unsigned(status.applied)
      writer.key("coordination")
      writer.string(status.coordination)
      writer.key("faults")
      writer.integer(faultsInForce)
      let scrub = storage.scrubStatistics
      writer.key("scrubRounds")
      writer.unsigned(scrub.rounds)
      writer.key("scrubFindings")
      writer.unsigned(scrub.findings)
    }
  }

  private static func object(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    body(&writer)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
