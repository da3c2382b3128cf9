import Configuration
import Crypto
import Foundation
import HTTPClient
import JSONText
import Primitives
import Records
import Testing

extension TestSwarm {
  /// Has voter 1 make a ticket.
  func ticket(role: String = "learner") throws -> Ticket {
    let response = try send(
      "POST", "/v1/tickets", token: token.text, #"{"role":"\#(role)","validSeconds":600}"#)
    let body = try JSONValue.parse(response.body)
    let text = try #require(
      body["ticket"]?.string, "\(String(decoding: response.body, as: UTF8.self))")
    return try Ticket(text: text)
  }

  /// Makes the directory of a node with a ticket through the program itself; its API.
  func join(
    _ name: String, _ ticket: Ticket, advertising address: String? = nil
  ) throws -> (directory: String, api: String) {
    let directory = "\(root)/\(name)"
    let api = try freeAddress()
    let child = try NodeChild(
      [
        "node", "init", "--dir", directory, "--listen", "\(try freeAddress())", "--api", "\(api)",
        "--join", ticket.text,
      ] + (address.map { ["--advertise", $0] } ?? []))
    guard child.waitForEnd() == 0 else { throw Failure(description: child.log) }
    return (directory, "http://\(api)")
  }
}

@Suite(.timeLimit(.minutes(5)))
struct JoinTests {
  @Test func `a node that joins with a ticket gets everything and is known to all`() throws {
    let swarm = try TestSwarm(voters: 2)
    let voters = [try swarm.start(1), try swarm.start(2)]
    defer { for voter in voters { voter.crash() } }
    let token = try swarm.register("asker")
    for number in 0..<20 { _ = try swarm.ask("What is number \(number) of twenty?", token: token) }
    let ticket = try swarm.ticket()
    let place = try swarm.join("learner", ticket)
    let learner = try swarm.start(place.directory)
    #expect(learner.line(containing: "admitted") != nil)
    let apis = [swarm.api(1), swarm.api(2), place.api]
    try swarm.waitUntilEqual(apis)
    let key = try NodeKey(contentsOf: "\(place.directory)/\(NodeKey.fileName)")
    for api in apis {
      try swarm.eventually("every node reaches the learner") {
        let response = try swarm.send("GET", "/v1/members", at: api)
        let members = try JSONValue.parse(response.body)["members"]?.array ?? []
        let entry = members.first { $0["node"]?.string == key.node.key.hexadecimal }
        return members.count == 3 && entry?["role"]?.string == "learner"
          && entry?["reachable"]?.bool == true
      }
    }
    // It comes back without its ticket, which is a secret that has served.
    learner.crash()
    try FileManager.default.removeItem(
      atPath: "\(place.directory)/\(NodeConfiguration.ticketFileName)")
    _ = try swarm.ask("What was missed?", token: token)
    let again = try swarm.start(place.directory)
    defer { again.crash() }
    try swarm.waitUntilEqual(apis)
  }

  @Test func `a ticket lets one node in`() throws {
    let swarm = try TestSwarm(voters: 1)
    let voter = try swarm.start(1)
    defer { voter.crash() }
    let ticket = try swarm.ticket()
    let first = try swarm.join("first", ticket)
    let admitted = try swarm.start(first.directory)
    admitted.crash()
    // The same node may ask again: it cannot know whether an answer that was lost said yes.
    try FileManager.default.removeItem(
      atPath: "\(first.directory)/\(NodeConfiguration.joinedFileName)")
    let again = try swarm.start(first.directory)
    defer { again.crash() }
    let second = try swarm.join("second", ticket)
    let refused = try NodeChild(["node", "start", "--dir", second.directory])
    #expect(refused.waitForEnd() == 1)
    #expect(
      refused.line(containing: "did not admit this node", "was used by another node") != nil)
    #expect(voter.line(containing: "the ticket was used by another node") != nil)
    let members = try swarm.get("/v1/members")["members"]?.array
    #expect(members?.count == 2)
  }

  @Test func `an address that a node cannot dial does it no harm`() throws {
    let swarm = try TestSwarm(voters: 1)
    let voter = try swarm.start(1)
    defer { voter.crash() }
    // The voter has no socket for this family.
    let place = try swarm.join("elsewhere", try swarm.ticket(), advertising: "[::1]:4999")
    let learner = try swarm.start(place.directory)
    defer { learner.crash() }
    #expect(voter.line(containing: "cannot be dialled", "[::1]:4999") != nil)
    try swarm.waitUntilEqual([swarm.api(1), place.api])
    #expect(voter.isRunning)
  }

  @Test func `a ticket that has ended or was never handed out is refused`() throws {
    let swarm = try TestSwarm(voters: 1)
    let voter = try swarm.start(1)
    defer { voter.crash() }
    func made(expires: UInt64) -> Ticket {
      Ticket(
        genesis: swarm.genesis, address: swarm.places[0].transport,
        guestSeed: Digest(words: 5, 5, 5, 5), expiresMilliseconds: expires,
        signedWith: swarm.places[0].key)
    }
    #expect(throws: TestSwarm.Failure.self) { try swarm.join("late", made(expires: 1_000)) }
    let place = try swarm.join("unknown", made(expires: 1 << 47))
    let refused = try NodeChild(["node", "start", "--dir", place.directory])
    #expect(refused.waitForEnd() == 1)
    #expect(refused.line(containing: "did not admit this node", "not known there") != nil)
    #expect(try swarm.get("/v1/members")["members"]?.array?.count == 1)
  }
}
