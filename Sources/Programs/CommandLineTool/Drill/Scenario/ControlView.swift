internal import JSONText

/// What a node says of the control plane (`GET /v1/control`).
package struct ControlView: Sendable {
  /// `leader`, `follower` and so on.
  package let role: String
  /// The term.
  package let term: Int64
  /// The id of the node that leads.
  package let leader: String?
  /// The last entry that is committed.
  package let commit: Int64
  /// The last entry that is applied.
  package let applied: Int64
  /// `led`, `partitioned` or `settling`.
  package let coordination: String
  /// The members of the control log and whether each votes.
  package let voters: [(id: String, votes: Bool)]
  /// What membership thinks of each node.
  package let states: [(id: String, state: String)]

  /// Reads an answer; `nil` when it is none.
  package init?(json bytes: [UInt8]) {
    // A node of another version may answer otherwise: it has no view then.
    guard let json = try? JSONValue.parse(bytes), let role = json["role"]?.string,
      let term = json["term"]?.integer, let commit = json["commit"]?.integer,
      let applied = json["applied"]?.integer, let coordination = json["coordination"]?.string
    else { return nil }
    self.role = role
    self.term = term
    leader = json["leader"]?.string
    self.commit = commit
    self.applied = applied
    self.coordination = coordination
    voters = (json["members"]?.array ?? []).compactMap { member in
      guard let id = member["node"]?.string, let votes = member["votes"]?.bool else { return nil }
      return (id, votes)
    }
    states = (json["view"]?.array ?? []).compactMap { member in
      guard let id = member["node"]?.string, let state = member["state"]?.string else {
        return nil
      }
      return (id, state)
    }
  }

  /// What membership thinks of a node.
  package func state(of id: String) -> String? { states.first { $0.id == id }?.state }

  /// Whether all nodes see one leader, nobody missing, and no division; `ids` are the nodes that
  /// are expected, each with what it says.
  package static func agree(_ views: [(id: String, view: ControlView?)]) -> Bool {
    guard let first = views.first?.view, let leader = first.leader else { return false }
    return views.allSatisfy { entry in
      guard let view = entry.view else { return false }
      let leads = view.role == "leader"
      return view.leader == leader && view.term == first.term && leads == (entry.id == leader)
        && view.coordination == "led"
        && views.allSatisfy { other in
          other.id == entry.id || view.state(of: other.id) == "alive"
        }
    }
  }

  /// Whether the nodes have applied the same entries, all that is committed.
  package static func areLevel(_ views: [ControlView?]) -> Bool {
    guard let first = views.first, let first else { return false }
    return views.allSatisfy { view in
      view.map { $0.applied == first.applied && $0.commit == $0.applied } ?? false
    }
  }

  /// Asks a node.
  static func ask(_ node: PlainConnection, timeoutMilliseconds: Int) -> ControlView? {
    // Who does not answer in time has no view; whoever waits will ask again.
    guard
      let response = try? node.send(
        PlainRequest("GET", "/v1/control"), timeoutMilliseconds: timeoutMilliseconds),
      response.status == 200
    else { return nil }
    return ControlView(json: response.body)
  }
}
