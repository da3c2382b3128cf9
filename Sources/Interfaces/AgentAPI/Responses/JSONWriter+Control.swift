internal import JSONText
internal import Primitives
internal import Records

/// The control plane and the members as JSON.
extension JSONWriter {
  /// Writes what there is to say of a control plane but its members, without the braces.
  mutating func writeMembers(of status: ControlStatus) {
    key("role")
    string(status.role)
    key("term")
    unsigned(status.term)
    key("leader")
    nodeOrNull(status.leader)
    key("commit")
    unsigned(status.commit)
    key("applied")
    unsigned(status.applied)
    key("lastIndex")
    unsigned(status.lastIndex)
    key("revision")
    unsigned(status.revision)
    key("staleMilliseconds")
    unsignedOrNull(status.staleMilliseconds)
    key("changing")
    bool(status.isChanging)
    key("coordination")
    string(status.coordination)
    key("coordinator")
    nodeOrNull(status.coordinator)
    key("dissemination")
    string(status.dissemination)
  }

  /// Writes a control plane with its members, as an object.
  mutating func write(_ status: ControlStatus) {
    beginObject()
    writeMembers(of: status)
    key("members")
    beginArray()
    for member in status.members {
      beginObject()
      key("node")
      string(member.node.key.hexadecimal)
      key("life")
      life(member.life)
      key("votes")
      bool(member.isVoter)
      key("match")
      unsignedOrNull(member.match)
      endObject()
    }
    endArray()
    key("view")
    beginArray()
    for member in status.view {
      beginObject()
      key("node")
      string(member.node.key.hexadecimal)
      key("role")
      textOrNull(member.role)
      writeMembers(of: member)
      endObject()
    }
    endArray()
    endObject()
  }

  mutating func write(_ member: MemberStatus) {
    beginObject()
    key("node")
    string(member.node.key.hexadecimal)
    key("role")
    textOrNull(member.role)
    key("transportAddress")
    string(member.transportAddress)
    key("apiAddress")
    string(member.apiAddress)
    key("reachable")
    bool(member.isReachable)
    writeMembers(of: member.view)
    key("votes")
    bool(member.votes)
    key("leader")
    bool(member.isLeader)
    key("life")
    if let life = member.life { self.life(life) } else { null() }
    endObject()
  }

  /// Writes how a node is heard of, without the braces.
  private mutating func writeMembers(of view: ControlStatus.MemberView?) {
    key("state")
    string(view?.state ?? "unknown")
    key("incarnation")
    unsigned(view?.incarnation ?? 0)
    key("region")
    string(view?.region ?? "")
    key("zone")
    string(view?.zone ?? "")
    key("load")
    unsigned(UInt64(view?.load ?? 0))
    key("sinceMilliseconds")
    unsigned(view?.sinceMilliseconds ?? 0)
  }

  /// Writes a life as text: it is any number of 64 bits, which not every reader of JSON can hold.
  private mutating func life(_ life: UInt64) {
    string("\(life)")
  }

  private mutating func textOrNull(_ text: String?) {
    if let text { string(text) } else { null() }
  }
}
