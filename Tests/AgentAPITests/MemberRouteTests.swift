import AgentAPI
import ControlCore
import HTTPServer
import JSONText
import NodeCore
import Primitives
import Records
import Testing

/// Routes about members, settings and the control plane.
struct MemberRouteTests {
  private let door = Door()
  private let operatorToken = FakeNode.operatorToken
  private let other = NodeID(key: Digest(words: 8, 8, 8, 8))

  private func send(_ method: HTTPMethod, _ target: String, _ body: String? = nil) -> Reply {
    door.send(method, target, token: operatorToken, body: body.map { Array($0.utf8) })
  }

  @Test func `members are shown as they are to be, as they vote and as they are heard of`() {
    let members = door.get("/v1/members").json["members"]?.array ?? []
    #expect(members.count == 2)
    let first = members[0]
    #expect(first["role"]?.string == "voter")
    #expect(first["state"]?.string == "alive")
    #expect(first["incarnation"]?.integer == 2)
    #expect(first["region"]?.string == "eu")
    #expect(first["load"]?.integer == 7)
    #expect(first["sinceMilliseconds"]?.integer == 1_500)
    #expect(first["votes"]?.bool == true)
    #expect(first["leader"]?.bool == true)
    #expect(first["life"]?.string == "18446744073709551615")
    #expect(members[1]["role"]?.isNull == true)
    #expect(members[1]["state"]?.string == "unknown")
    #expect(members[1]["life"]?.isNull == true)
  }

  @Test func `a member's role is set, it is removed and restored`() {
    let path = "/v1/members/\(other.key.hexadecimal)"
    let set = send(.put, path + "/role", #"{"role":"voter"}"#)
    #expect(set.status == 200)
    #expect(set.json["node"]?.string == other.key.hexadecimal)
    #expect(set.json["role"]?.string == "voter")
    #expect(set.json["consistency"]?.string == "ordered")
    #expect(door.node.control.state.member(other)?.role == .voter)
    let last = send(.delete, path)
    #expect(last.status == 409)
    #expect(last.problem == "last-voter")
    #expect(send(.put, path + "/role", #"{"role":"learner"}"#).status == 409)
    door.node.apply(.setMember(door.node.node, role: .voter))
    let removed = send(.delete, path)
    #expect(removed.status == 200)
    #expect(removed.json["role"]?.isNull == true)
    #expect(door.node.control.state.member(other)?.role == nil)
    let refused = send(.put, path + "/role", #"{"role":"learner"}"#)
    #expect(refused.status == 409)
    #expect(refused.problem == "member-removed")
    #expect(send(.post, path + "/restore", #"{"role":"edge"}"#).json["role"]?.string == "edge")
    #expect(door.node.control.state.member(other)?.role == .edge)
  }

  @Test func `settings are listed and changed within their range`() {
    let before = send(.get, "/v1/settings")
    #expect(before.json["settings"]?["votersMax"]?.integer == 5)
    #expect(before.json["consistency"]?.string == "linearizable")
    let set = send(.put, "/v1/settings/votersMax", #"{"value":3}"#)
    #expect(set.status == 200)
    #expect(set.json["setting"]?.string == "votersMax")
    #expect(send(.get, "/v1/settings").json["settings"]?["votersMax"]?.integer == 3)
    #expect(send(.put, "/v1/settings/votersMax", #"{"value":8}"#).errors == ["value range"])
    #expect(send(.put, "/v1/settings/votersMax", #"{"value":0}"#).status == 422)
    #expect(send(.put, "/v1/settings/colour", #"{"value":3}"#).status == 404)
  }

  @Test func `the control plane is shown`() {
    let control = door.get("/v1/control").json
    #expect(control["role"]?.string == "leader")
    #expect(control["term"]?.integer == 3)
    #expect(control["members"]?.array?.count == 2)
    #expect(control["members"]?.array?.last?["life"]?.string == "18446744073709551615")
    #expect(control["members"]?.array?.last?["match"]?.isNull == true)
    #expect(control["view"]?.array?.first?["state"]?.string == "alive")
    let status = door.get("/v1/status").json["control"]
    #expect(status?["coordination"]?.string == "led")
    #expect(status?["members"] == nil)
  }

  @Test func `leadership is handed over by the leader`() {
    let begun = send(.post, "/v1/control/transfer", "{}")
    #expect(begun.status == 202)
    #expect(begun.json["to"]?.isNull == true)
    let own = door.node.node.key.hexadecimal
    #expect(send(.post, "/v1/control/transfer", #"{"node":"\#(own)"}"#).status == 202)
    #expect(door.node.control.transfers == [nil, door.node.node])
    let learner = Digest(words: 4, 4, 4, 4).hexadecimal
    #expect(send(.post, "/v1/control/transfer", #"{"node":"\#(learner)"}"#).status == 404)
    let text = String(repeating: "x", count: 64)
    #expect(send(.post, "/v1/control/transfer", #"{"node":"\#(text)"}"#).status == 422)
    door.node.control.isLeader = false
    let elsewhere = send(.post, "/v1/control/transfer", "{}")
    #expect(elsewhere.status == 409)
    #expect(elsewhere.problem == "not-leader")
    #expect(elsewhere.json["leader"]?.string == own)
    door.node.control.leader = nil
    #expect(send(.post, "/v1/control/transfer", "{}").problem == "no-leader")
    #expect(door.node.control.transfers.count == 2)
  }

  @Test func `all of this is the operator's`() {
    let ada = door.register("Ada")
    let path = "/v1/members/\(other.key.hexadecimal)"
    let requests: [(HTTPMethod, String, String?)] = [
      (.put, path + "/role", #"{"role":"voter"}"#), (.delete, path, nil),
      (.post, path + "/restore", #"{"role":"voter"}"#), (.get, "/v1/settings", nil),
      (.put, "/v1/settings/votersMax", #"{"value":3}"#), (.post, "/v1/control/transfer", "{}"),
    ]
    for (method, target, body) in requests {
      let bytes = body.map { Array($0.utf8) }
      #expect(door.send(method, target, body: bytes).status == 401)
      #expect(door.send(method, target, token: ada.token, body: bytes).status == 403)
    }
    #expect(door.node.control.index == 0)
  }

  @Test(arguments: ["x", "", "08", String(repeating: "g", count: 64)])
  func `what names no node is not found`(text: String) {
    #expect(send(.delete, "/v1/members/\(text)").status == 404)
    #expect(send(.put, "/v1/members/\(text)/role", #"{"role":"voter"}"#).status == 404)
  }

  @Test(arguments: ["{}", #"{"role":"leader"}"#, #"{"role":1}"#])
  func `a role is one of three`(body: String) {
    #expect(send(.put, "/v1/members/\(other.key.hexadecimal)/role", body).status == 422)
  }

  @Test func `readiness with a quorum also wants a leader`() {
    #expect(door.get("/ready?quorum=1").status == 200)
    door.node.control.leader = nil
    #expect(door.get("/ready").status == 200)
    let reply = door.get("/ready?quorum=1")
    #expect(reply.status == 503)
    #expect(reply.json["reasons"]?.array?.compactMap(\.string) == ["no leader is known"])
  }
}
