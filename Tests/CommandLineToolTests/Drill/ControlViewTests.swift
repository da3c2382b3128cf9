import CommandLineTool
import Configuration
import JSONText
import Testing

@Suite struct `Views of the control plane` {
  private func view(
    role: String = "follower", term: Int = 3, leader: String? = "a", applied: Int = 9,
    commit: Int = 9, coordination: String = "led", states: [String: String] = [:]
  ) throws -> ControlView {
    let members = ["a", "b", "c"].map { id in
      "{\"node\":\"\(id)\",\"state\":\"\(states[id] ?? "alive")\"}"
    }
    let text = """
      {"role":"\(role)","term":\(term),"leader":\(leader.map { "\"\($0)\"" } ?? "null"),
      "commit":\(commit),"applied":\(applied),"coordination":"\(coordination)",
      "members":[{"node":"a","votes":true}],"view":[\(members.joined(separator: ","))]}
      """
    return try #require(ControlView(json: Array(text.utf8)))
  }

  @Test func `agree when there is one leader and everybody lives`() throws {
    let (a, b, c) = (try view(role: "leader"), try view(), try view())
    #expect(ControlView.agree([("a", a), ("b", b), ("c", c)]))
    #expect(!ControlView.agree([("a", a), ("b", b), ("c", nil)]))
    #expect(!ControlView.agree([]))
    for other in [
      try view(term: 4), try view(leader: "b"), try view(leader: nil), try view(role: "leader"),
      try view(coordination: "partitioned"), try view(states: ["b": "suspect"]),
      try view(states: ["a": "down"]),
    ] {
      #expect(!ControlView.agree([("a", a), ("b", b), ("c", other)]))
    }
    // What a node thinks of itself does not count.
    #expect(ControlView.agree([("a", a), ("b", b), ("c", try view(states: ["c": "suspect"]))]))
  }

  @Test func `are level when the same is applied and nothing waits`() throws {
    let level = try view()
    #expect(ControlView.areLevel([level, level]))
    #expect(!ControlView.areLevel([level, nil]))
    #expect(!ControlView.areLevel([level, try view(applied: 8)]))
    #expect(!ControlView.areLevel([try view(commit: 10), try view(commit: 10)]))
  }

  @Test(arguments: ["", "[]", "{}", #"{"role":"leader"}"#])
  func `are none in what is no answer`(text: String) {
    #expect(ControlView(json: Array(text.utf8)) == nil)
  }

  @Test func `appear in the status of a cluster`() throws {
    func entry(_ index: Int, _ id: String, _ control: String?) throws -> ClusterReport.Node {
      ClusterReport.Node(
        node: ClusterFile.Node(
          index: index, id: id, pid: 1, startTicks: 1, api: "http://127.0.0.1:1", quic: "q",
          dir: "/d"), isAlive: true, status: nil,
        control: try control.map { try JSONValue.parse(Array($0.utf8)) })
    }
    let leader = """
      {"role":"leader","term":7,"coordination":"led","members":[{"node":"a","votes":true},
      {"node":"b","votes":true},{"node":"c","votes":false}],
      "view":[{"node":"b","state":"down"},{"node":"c","state":"alive"}]}
      """
    let cut = """
      {"role":"follower","term":6,"coordination":"partitioned","members":[{"node":"b",
      "votes":true}],"view":[{"node":"a","state":"suspect"},{"node":"c","state":"down"}]}
      """
    let report = ClusterReport(
      cluster: "x",
      nodes: [try entry(1, "a", leader), try entry(2, "b", cut), try entry(3, "c", nil)])
    #expect(report.nodes.map(\.role) == ["leader", "voter", "-"])
    #expect(report.nodes.map(\.term) == [7, 6, nil])
    #expect(report.nodes.map(\.isPartitioned) == [false, true, false])
    #expect(report.nodes.map { report.memberState(of: $0) } == ["suspect", "down", "alive"])
  }
}
