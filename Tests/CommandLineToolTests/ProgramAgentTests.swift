import CommandLineTool
import JSONText
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct `A program as an agent` {
  /// Two pages of questions and a door for answers.
  private static func server(
    refusing refusals: [String: (Int, String)] = [:]
  ) throws -> FakeServer {
    try FakeServer { request in
      if request.method == "GET" {
        return request.path.contains("cursor=")
          ? (200, #"{"questions": [{"id": "q3", "text": "third"}]}"#)
          : (
            200,
            #"{"questions": [{"id": "q1", "text": "first"}, {"id": "q2", "text": "second"}],"#
              + #" "next": "abc"}"#
          )
      }
      let question = request.path.split(separator: "/")[2]
      return refusals[String(question)] ?? (201, "{}")
    }
  }

  private static func settings(_ server: FakeServer, _ script: String) -> ProgramAgent.Settings {
    var settings = ProgramAgent.Settings(
      endpoints: [server.url], token: "secret", program: ["/bin/sh", "-c", script])
    settings.limits.showsErrors = false
    return settings
  }

  @Test func `answers every open question once`() throws {
    let server = try Self.server()
    defer { server.stop() }
    let script = """
      read line
      case "$line" in *second*) echo '{"value": "two"}';; *) echo '{"value": "x"}';; esac
      """
    var answered: [String] = []
    var settings = Self.settings(server, script)
    settings.concurrency = 2
    settings.consistency = "quorum"
    var agent = ProgramAgent(settings) { event in
      if case .answered(let question, let value) = event { answered.append("\(question)=\(value)") }
    }
    #expect(try agent.runOnce() == 3)
    #expect(answered.sorted() == ["q1=x", "q2=two", "q3=x"])
    #expect(try agent.runOnce() == 0)
    let posts = server.requests.filter { $0.method == "POST" }
    #expect(
      posts.map(\.path).sorted()
        == ["q1", "q2", "q3"].map { "/v1/questions/\($0)/answers?consistency=quorum" })
    #expect(posts.allSatisfy { $0.headers.contains("Authorization: Bearer secret") })
    #expect(Set(posts.compactMap { $0.headers.firstRange(of: "Idempotency-Key: ") }).count == 1)
    #expect(posts.contains { $0.body.contains(#""value":"two""#) })
  }

  @Test func `goes on after runs that give no answer`() throws {
    let server = try Self.server()
    defer { server.stop() }
    let script = """
      read line
      case "$line" in *first*) exit 2;; *second*) echo garbage;; *) echo '{"value":"x"}';; esac
      """
    var faults: [String] = []
    var agent = ProgramAgent(Self.settings(server, script)) { event in
      if case .failed(let question, let fault) = event { faults.append("\(question) \(fault)") }
    }
    #expect(try agent.runOnce() == 1)
    #expect(faults.count == 2)
    #expect(faults.contains("q1 ended with status 2"))
    #expect(faults.contains { $0.hasPrefix("q2 wrote no answer: unexpected byte") })
  }

  @Test func `goes on after questions that take no answer`() throws {
    let server = try Self.server(refusing: [
      "q1": (409, #"{"type": "/problems/question-closed", "detail": "it is closed"}"#)
    ])
    defer { server.stop() }
    var refused: [String] = []
    var agent = ProgramAgent(Self.settings(server, #"echo '{"value":"x"}'"#)) { event in
      if case .refused(let question, let reason) = event {
        refused.append("\(question): \(reason)")
      }
    }
    #expect(try agent.runOnce() == 2)
    #expect(refused == ["q1: it is closed"])
    #expect(try agent.runOnce() == 0)
  }

  @Test func `ends when its token is not accepted`() throws {
    let server = try Self.server(refusing: ["q1": (401, #"{"detail": "unknown token"}"#)])
    defer { server.stop() }
    var agent = ProgramAgent(Self.settings(server, #"echo '{"value":"x"}'"#)) { _ in }
    #expect(throws: APIRefusal(status: 401, kind: "", detail: "unknown token")) {
      try agent.run { false }
    }
  }

  @Test func `asks again for what failed on the node's side`() throws {
    let attempts = Mutex(0)
    let server = try FakeServer { request in
      if request.method == "GET" { return (200, #"{"questions": [{"id": "q1"}]}"#) }
      return attempts.withLock {
        $0 += 1
        return $0 == 1 ? (503, #"{"detail": "busy"}"#) : (201, "{}")
      }
    }
    defer { server.stop() }
    var events: [String] = []
    var settings = Self.settings(server, #"echo '{"value":"x"}'"#)
    settings.pollMilliseconds = 10
    var agent = ProgramAgent(settings) { event in
      switch event {
      case .unreachable(let reason): events.append(reason)
      case .answered(let question, _): events.append(question)
      case .refused, .failed: events.append("unexpected")
      }
    }
    try agent.run { events.contains("q1") }
    #expect(events == ["the node answered 503: busy", "q1"])
  }

  @Test func `turns to another node when one is gone`() throws {
    let gone = try FakeServer { _ in (200, "{}") }
    gone.stop()
    let server = try Self.server()
    defer { server.stop() }
    var settings = Self.settings(server, #"echo '{"value":"x"}'"#)
    settings.endpoints = ["http://127.0.0.1:1", server.url]
    var agent = ProgramAgent(settings) { _ in }
    #expect(try agent.runOnce() == 3)
  }

  @Test func `is a verb`() throws {
    let server = try Self.server()
    defer { server.stop() }
    let directory = try TemporaryDirectory()
    let file = directory.file("token")
    try SecretText.write("secret\n", to: file)
    let (status, _, errors) = Tool.standard { _ in 0 }.transcript(
      "agent", "run", "--api", server.url, "--token-file", file, "--once", "--exec", "/bin/sh",
      "-c", #"echo '{"value": "x"}'"#)
    #expect(status == 0)
    #expect(errors.hasSuffix("3 answers were accepted, 0 runs gave none\n"), "\(errors)")
  }
}
