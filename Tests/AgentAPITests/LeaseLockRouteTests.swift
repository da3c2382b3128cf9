import AgentAPI
import ControlCore
import HTTPServer
import JSONText
import NodeCore
import Primitives
import Records
import Testing

/// Routes about leases and locks, and waiting for a lock.
struct LeaseLockRouteTests {
  private let door = Door()
  private let token: String

  init() {
    token = door.register("Ada").token
  }

  private func grant(_ ttl: Int = 10_000) -> Int64 {
    door.post("/v1/leases", token: token, #"{"ttlMilliseconds":\#(ttl)}"#).json["lease"]?.integer
      ?? 0
  }

  private func acquire(_ lease: Int64, _ name: String = "l", wait: Int? = nil) -> Reply {
    door.post("/v1/locks/\(name)", token: token, LeaseLockRouteTests.body(lease, wait))
  }

  private func startAcquiring(_ lease: Int64, wait: Int, target: String = "/v1/locks/l")
    -> Door.Sent
  {
    let sent = door.start(
      .post, target, token: token, body: Array(LeaseLockRouteTests.body(lease, wait).utf8))
    while door.node.hasPending { door.node.runNext() }
    return sent
  }

  private static func body(_ lease: Int64, _ wait: Int?) -> String {
    let wait = wait.map { #","waitMilliseconds":\#($0)"# } ?? ""
    return #"{"lease":\#(lease)\#(wait)}"#
  }

  private func id(_ lease: Int64) throws -> LeaseID { try #require(LeaseID(UInt64(lease))) }
  private func lock(_ name: String = "l") throws -> ControlName { try #require(ControlName(name)) }

  // MARK: Leases

  @Test func `a lease is granted, kept alive, shown and revoked`() {
    let granted = door.post("/v1/leases", token: token, #"{"ttlMilliseconds":1500}"#)
    #expect(granted.status == 201)
    #expect(granted.json["ttlMilliseconds"]?.integer == 1_500)
    #expect(granted.json["consistency"]?.string == "ordered")
    let lease = granted.json["lease"]?.integer ?? 0
    for renewals in 1...2 {
      let kept = door.send(.post, "/v1/leases/\(lease)/keepalive", token: token)
      #expect(kept.status == 200)
      #expect(kept.json["renewals"]?.integer == Int64(renewals))
    }
    _ = door.send(
      .put, "/v1/kv/a", token: token, body: Array(#"{"value":"x","lease":\#(lease)}"#.utf8))
    #expect(acquire(lease).status == 200)
    let shown = door.get("/v1/leases/\(lease)", token: token)
    #expect(shown.json["attachments"]?.integer == 2)
    #expect(shown.json["staleMilliseconds"]?.integer == 0)
    let ended = door.send(.delete, "/v1/leases/\(lease)", token: token)
    #expect(ended.json["keys"]?.integer == 1)
    #expect(ended.json["locks"]?.integer == 1)
    #expect(door.get("/v1/kv/a", token: token).status == 404)
    #expect(door.get("/v1/locks/l", token: token).status == 404)
    for reply in [
      door.get("/v1/leases/\(lease)", token: token),
      door.send(.delete, "/v1/leases/\(lease)", token: token),
      door.send(.post, "/v1/leases/\(lease)/keepalive", token: token),
    ] {
      #expect(reply.status == 404)
    }
  }

  @Test func `leases are listed by page`() {
    let leases = (0..<3).map { _ in grant() }
    let page = door.get("/v1/leases?limit=2", token: token)
    #expect(
      page.json["leases"]?.array?.compactMap { $0["lease"]?.integer } == [leases[0], leases[1]])
    #expect(page.json["more"]?.bool == true)
    let rest = door.get("/v1/leases?after=\(leases[1])", token: token)
    #expect(rest.json["leases"]?.array?.count == 1)
  }

  @Test(arguments: ["499", "86400001", "-1", "1e3000", #""1000""#, "null"])
  func `a lease that would last too short or long is refused`(ttl: String) {
    #expect(door.post("/v1/leases", token: token, #"{"ttlMilliseconds":\#(ttl)}"#).status == 422)
  }

  @Test(arguments: ["0", "x", "+1", "-1", "18446744073709551616", "1.0", "%31%00"])
  func `what names no lease is not found`(text: String) {
    guard HTTPRequest(.get, "/v1/leases/\(text)") != nil else { return }
    #expect(door.get("/v1/leases/\(text)", token: token).status == 404)
    #expect(door.send(.delete, "/v1/leases/\(text)", token: token).status == 404)
  }

  // MARK: Locks

  @Test func `a lock has one holder and a growing token`() {
    let first = grant()
    let second = grant()
    let held = acquire(first, "printers/2")
    #expect(held.status == 200)
    #expect(held.json["lock"]?.string == "printers/2")
    let token1 = held.json["token"]?.integer ?? 0
    #expect(acquire(first, "printers%2F2").json["token"]?.integer == token1)
    let taken = acquire(second, "printers/2")
    #expect(taken.status == 409)
    #expect(taken.problem == "lock-taken")
    #expect(taken.json["holder"]?.integer == first)
    #expect(taken.json["token"]?.integer == token1)
    let shown = door.get("/v1/locks/printers/2", token: token)
    #expect(shown.json["holder"]?.integer == first)
    #expect(shown.json["waiters"]?.array?.isEmpty == true)
    let path = "/v1/locks/printers/2"
    let foreign = door.send(.delete, "\(path)?lease=\(second)", token: token)
    #expect(foreign.status == 409)
    #expect(foreign.problem == "not-holder")
    let stale = door.send(.delete, "\(path)?lease=\(first)&token=\(token1 + 1)", token: token)
    #expect(stale.status == 409)
    #expect(stale.json["token"]?.integer == token1)
    let released = door.send(.delete, "\(path)?lease=\(first)&token=\(token1)", token: token)
    #expect(released.json["released"]?.bool == true)
    #expect((acquire(second, "printers/2").json["token"]?.integer ?? 0) > token1)
    let list = door.get("/v1/locks?prefix=printers/", token: token)
    #expect(list.json["locks"]?.array?.first?["holder"]?.integer == second)
    #expect(acquire(99, "other").status == 404)
    #expect(door.send(.delete, path, token: token).errors == ["query.lease required"])
    #expect(
      door.post("/v1/locks/l", token: token, #"{"lease":1,"waitMilliseconds":60001}"#).status == 422
    )
    #expect(door.post("/v1/locks/", token: token, #"{"lease":1}"#).errors == ["path name"])
  }

  // MARK: Waiting

  @Test func `a wait is answered when the lock is granted`() throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let sent = startAcquiring(second, wait: 10_000)
    #expect(sent.reply == nil)
    door.node.pass(milliseconds: 9_000)
    #expect(sent.reply == nil)
    let result = door.node.apply(.releaseLock(name: try lock(), lease: try id(first)))
    let reply = try #require(sent.reply)
    #expect(reply.status == 200)
    #expect(reply.json["lease"]?.integer == second)
    #expect(reply.json["token"]?.integer == Int64(result.revision))
    door.node.pass(milliseconds: 100_000)
    #expect(door.get("/v1/locks/l", token: token).json["holder"]?.integer == second)
  }

  @Test func `a wait that ends in vain leaves the line`() throws {
    let first = grant()
    let second = grant()
    let held = acquire(first).json["token"]?.integer
    let sent = startAcquiring(second, wait: 700)
    door.node.pass(milliseconds: 699)
    #expect(sent.reply == nil)
    door.node.pass(milliseconds: 1)
    let reply = try #require(sent.reply)
    #expect(reply.status == 409)
    #expect(reply.problem == "lock-taken")
    #expect(reply.json["holder"]?.integer == first)
    #expect(reply.json["token"]?.integer == held)
    #expect(
      door.get("/v1/locks/l", token: token).json["waiters"]?.array?.isEmpty == true)
  }

  @Test func `a lock that comes while the wait is given up is held`() throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let sent = startAcquiring(second, wait: 500)
    let name = try lock()
    let holder = try id(first)
    door.node.control.fateOf = { [node = door.node] operation in
      guard case .cancelWait = operation else { return nil }
      node.control.fateOf = nil
      // Ordered just before the end of the wait.
      node.apply(.releaseLock(name: name, lease: holder))
      return .apply
    }
    door.node.pass(milliseconds: 500)
    let reply = try #require(sent.reply)
    #expect(reply.status == 200)
    #expect(reply.json["lease"]?.integer == second)
    #expect(
      reply.json["token"]?.integer
        == door.get("/v1/locks/l", token: token).json["token"]?.integer)
  }

  @Test(arguments: [ControlReply.unknown, .unavailable(leader: nil), .overloaded])
  func `when nobody knows whether the lease still waits, the outcome is unknown`(
    reply: ControlReply
  ) throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let sent = startAcquiring(second, wait: 500)
    door.node.control.fateOf = { operation in
      if case .cancelWait = operation { .reply(reply) } else { nil }
    }
    door.node.pass(milliseconds: 500)
    #expect(try #require(sent.reply).status == 504)
    #expect(try #require(sent.reply).problem == "outcome-unknown")
  }

  @Test func `a wait ends with its lease`() throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let sent = startAcquiring(second, wait: 10_000)
    door.node.apply(.revokeLease(try id(second)))
    while door.node.hasPending { door.node.runNext() }
    #expect(try #require(sent.reply).status == 404)
  }

  @Test func `two requests of one lease end together`() throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let sent = [500, 9_000].map { startAcquiring(second, wait: $0) }
    door.node.pass(milliseconds: 500)
    #expect(sent.compactMap { $0.reply?.status } == [409, 409])
    let again = [9_000, 9_000].map { startAcquiring(second, wait: $0) }
    door.node.apply(.releaseLock(name: try lock(), lease: try id(first)))
    #expect(again.compactMap { $0.reply?.status } == [200, 200])
  }

  @Test func `a grant that came with a snapshot is found`() throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let sent = startAcquiring(second, wait: 10_000)
    // The node was away: it hears of nothing, and gets the whole state.
    let watch = door.node.controlWatch
    door.node.controlWatch = nil
    door.node.apply(.releaseLock(name: try lock(), lease: try id(first)))
    door.node.controlWatch = watch
    #expect(sent.reply == nil)
    try door.node.restoreControl()
    while door.node.hasPending { door.node.runNext() }
    #expect(try #require(sent.reply).status == 200)
  }

  @Test func `a wait that was over before it began is found`() throws {
    let first = grant()
    let second = grant()
    _ = acquire(first)
    let key = [HTTPField("Idempotency-Key", "lock-1")]
    let body = Array(LeaseLockRouteTests.body(second, 500).utf8)
    let sent = door.start(.post, "/v1/locks/l", token: token, body: body, headers: key)
    while door.node.hasPending { door.node.runNext() }
    door.node.apply(.releaseLock(name: try lock(), lease: try id(first)))
    #expect(sent.reply?.status == 200)
    // The repetition gets the first answer, which was "in line".
    let again = door.send(.post, "/v1/locks/l", token: token, body: body, headers: key)
    #expect(again.status == 200)
    #expect(again.json["token"] == sent.reply?.json["token"])
  }

  @Test func `a command for a lock that was lost is unknown`() {
    let lease = grant()
    door.node.control.fate = .lose
    #expect(acquire(lease, wait: 500).status == 504)
  }
}
