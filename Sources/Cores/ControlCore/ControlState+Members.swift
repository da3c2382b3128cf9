internal import Primitives
package import Records

extension ControlState {
  /// Says what a node is to be; one that was removed must be restored.
  mutating func setMember(
    _ node: NodeID, _ role: ControlRole, restoring: Bool, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    let position = memberTable.search(node)
    guard position.isFound else {
      if role != .voter && isLastFounder(node) { return .refused(.lastVoter) }
      return addMember(ControlMember(node: node, role: role), &notices)
    }
    let former = memberTable[position].role
    if former == nil && !restoring { return .refused(.memberRemoved) }
    if former == role { return .unchanged }
    if former == .voter && voterCount == 1 { return .refused(.lastVoter) }
    return change(ControlMember(node: node, role: role), from: former, &notices)
  }

  /// Removes a node. One that is not known is remembered as removed.
  mutating func removeMember(
    _ node: NodeID, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    let position = memberTable.search(node)
    guard position.isFound else {
      if isLastFounder(node) { return .refused(.lastVoter) }
      return addMember(ControlMember(node: node, role: nil), &notices)
    }
    guard let former = memberTable[position].role else { return .unchanged }
    if former == .voter && voterCount == 1 { return .refused(.lastVoter) }
    return change(ControlMember(node: node, role: nil), from: former, &notices)
  }

  private mutating func addMember(
    _ member: ControlMember, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard memberTable.count < ControlLimits.membersMax else {
      return .refused(.tooManyMembers)
    }
    return change(member, from: founders.contains(member.node) ? .voter : nil, &notices)
  }

  /// Whether nobody but a founder, of whom nothing was said yet, is to vote.
  private func isLastFounder(_ node: NodeID) -> Bool {
    voterCount == 1 && founders.contains(node)
  }

  private mutating func change(
    _ member: ControlMember, from former: ControlRole?, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    advance()
    if former == .voter { voterCount -= 1 }
    if member.role == .voter { voterCount += 1 }
    memberTable[member.node] = MemberRecord(role: member.role)
    notices.append(.memberChanged(member))
    return .memberChanged
  }

  /// Changes a setting.
  mutating func set(
    _ setting: ControlSetting, _ value: UInt64, _ notices: inout [ControlNotice]
  ) -> ControlOutcome {
    guard setting.range.contains(value) else { return .refused(.settingOutOfRange) }
    if settings[setting] == value { return .unchanged }
    advance()
    settings[setting] = value
    notices.append(.settingChanged(setting, value: value))
    return .settingChanged
  }

  /// All members in the order of their keys, removed ones included.
  package var members: [ControlMember] {
    memberTable.map { ControlMember(node: $0.key, role: $0.value.role) }
  }

  /// What is known of a node; `nil`: nothing.
  package func member(_ node: NodeID) -> ControlMember? {
    memberTable[node].map { ControlMember(node: node, role: $0.role) }
  }
}
