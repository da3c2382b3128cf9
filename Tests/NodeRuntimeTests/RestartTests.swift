import Configuration
import Crypto
import Foundation
import HTTPClient
import JSONText
import Primitives
import Testing

@Suite(.timeLimit(.minutes(5)))
struct RestartTests {
  @Test func `what was confirmed survives SIGKILL, and so does its digest without state.db`() throws
  {
    let swarm = try TestSwarm(voters: 1)
    var node = try swarm.start(1)
    let token = try swarm.register("asker")
    let questions = try (0..<50).map {
      try swarm.ask("What is number \($0) of fifty?", token: token)
    }
    let digest = try swarm.waitUntilEqual([swarm.api(1)])
    for removesRows in [false, true] {
      node.crash()
      if removesRows {
        for name in try FileManager.default.contentsOfDirectory(atPath: data(swarm))
        where name.hasPrefix("state.db") {
          try FileManager.default.removeItem(atPath: "\(data(swarm))/\(name)")
        }
      }
      node = try swarm.start(1)
      #expect(node.line(containing: "storage is open", "closed=false") != nil)
      if removesRows { #expect(node.line(containing: "replayed bundles") != nil) }
      #expect(try swarm.waitUntilEqual([swarm.api(1)]) == digest)
      for question in questions {
        #expect(try swarm.get("/v1/questions/\(question)")["id"]?.string == question)
      }
    }
    node.crash()
  }

  private func data(_ swarm: TestSwarm) -> String { "\(swarm.places[0].directory)/data/main" }

  @Test func `SIGTERM ends a node cleanly, and requests under way get their answer`() throws {
    let swarm = try TestSwarm(voters: 2)
    let node = try swarm.start(1)
    let token = try swarm.register("asker")
    // The second voter does not run: this stays under way until its deadline.
    let api = swarm.api(1)
    let waiting = InBackground {
      try swarm.send(
        "POST", "/v1/questions?consistency=quorum&timeout=1000", at: api, token: token,
        #"{"text":"Who is there to confirm this?"}"#, over: HTTPConnection())
    }
    try swarm.eventually("the write waits") {
      try swarm.get("/v1/status")["pendingWrites"]?.integer == 1
    }
    node.send(SIGTERM)
    #expect(try waiting.result().status == 504)
    #expect(node.waitForEnd() == 0)
    #expect(node.line(containing: "the node has stopped") != nil)
    let again = try swarm.start(1)
    #expect(again.line(containing: "storage is open", "closed=true") != nil)
    again.crash()
  }

  @Test func `a node that lost its disk returns with a new lane, and its old one stays`() throws {
    let swarm = try TestSwarm(voters: 3)
    var nodes = try (1...3).map { try swarm.start($0) }
    defer { for node in nodes { node.crash() } }
    let apis = (1...3).map { swarm.api($0) }
    let token = try swarm.register("asker", level: "quorum", at: 3)
    let old = try swarm.ask("What was before?", token: token, level: "quorum", at: 3)
    try swarm.waitUntilEqual(apis)
    let lost = swarm.places[2]
    let name = lost.key.publicKey.hexadecimal
    nodes[2].crash()
    try FileManager.default.removeItem(atPath: "\(lost.directory)/data")
    nodes[2] = try swarm.start(3)
    try swarm.waitUntilEqual(apis)
    let new = try swarm.ask("What comes after?", token: token, level: "quorum", at: 3)
    try swarm.waitUntilEqual(apis)
    for number in 1...3 {
      let lanes = try swarm.get("/v1/lanes", from: number)["lanes"]?.array ?? []
      #expect(lanes.filter { $0["node"]?.string == name }.count == 2)
      for question in [old, new] {
        #expect(try swarm.get("/v1/questions/\(question)", from: number)["id"] != nil)
      }
    }
  }
}

/// Work on a thread of its own.
///
/// Safe: `outcome` is written before `done` is signalled and read after.
final class InBackground<Value: Sendable>: @unchecked Sendable {
  private var outcome: Result<Value, any Error>?
  private let done = DispatchSemaphore(value: 0)

  init(_ work: @escaping () throws -> Value) {
    // Safe: the closure is handed to the one thread that runs it, and to nobody else.
    nonisolated(unsafe) let work = work
    let thread = Thread { [self] in
      outcome = Result { try work() }
      done.signal()
    }
    thread.start()
  }

  func result() throws -> Value {
    done.wait()
    guard let outcome else { preconditionFailure("signalled without an outcome") }
    return try outcome.get()
  }
}
