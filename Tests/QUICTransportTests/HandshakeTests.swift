import QUICTransport
import Reactor
import Testing

@Suite struct HandshakeTests {
  @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
  func `two nodes connect and learn each other's key`(bind: String) throws {
    let world = try World()
    let dialler = try world.node(1, bind: bind)
    let acceptor = try world.node(2, bind: bind)
    try world.connect(dialler, to: acceptor)
    #expect(dialler.connected.map(\.key) == [acceptor.key])
    #expect(acceptor.connected.map(\.key) == [dialler.key])
    #expect(dialler.connected.map(\.role) == [.dialler])
    #expect(acceptor.connected.map(\.role) == [.acceptor])
    #expect(dialler.counters.handshakesConfirmed == 1)
    #expect(acceptor.counters.connections == 1)
  }

  @Test func `the key is the Ed25519 public key of the seed`() throws {
    let world = try World()
    // RFC 8032, section 7.1, test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    let node = try world.node(1) { configuration in
      configuration.identitySeed = stride(from: 0, to: 64, by: 2).compactMap { offset in
        let start = seed.index(seed.startIndex, offsetBy: offset)
        return UInt8(seed[start..<seed.index(start, offsetBy: 2)], radix: 16)
      }
    }
    #expect(
      node.key.description == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
  }
}

@Suite struct RefusalTests {
  private func refusals(_ node: TestNode) -> [TestNode.Log] {
    node.logs.filter { $0.event == "peer refused" && $0.level == .warning }
  }

  @Test func `an unknown key is refused and both sides say so`() throws {
    let world = try World()
    let (dialler, acceptor) = (try world.node(1), try world.node(2))
    acceptor.accepts = { _ in false }
    dialler.transport.connect(to: acceptor.address, expecting: acceptor.key)
    try world.run("both sides know") {
      !dialler.failures.isEmpty && !refusals(acceptor).isEmpty
    }
    #expect(dialler.failures[0].key == acceptor.key)
    #expect(dialler.failures[0].reason == .refusedByPeer(alert: 42))
    let there = try #require(refusals(acceptor).first)
    #expect(there.fields["peer"] == "\(dialler.key)")
    #expect(there.fields["address"] == "\(dialler.address)")
    #expect(there.fields["reason"]?.contains("the key is not known") == true)
    let here = try #require(refusals(dialler).first)
    #expect(here.fields["peer"] == "\(acceptor.key)")
    #expect(here.fields["address"] == "\(acceptor.address)")
    #expect(dialler.connected.isEmpty && acceptor.connected.isEmpty)
    #expect(acceptor.counters.handshakesRefused == 1)
    #expect(dialler.counters.handshakesRefused == 1)
  }

  @Test func `a dialled peer with another key is refused and both sides say so`() throws {
    let world = try World()
    let (dialler, acceptor) = (try world.node(1), try world.node(2))
    let stranger = try world.node(3)
    dialler.transport.connect(to: acceptor.address, expecting: stranger.key)
    try world.run("both sides know") {
      !dialler.failures.isEmpty && !refusals(acceptor).isEmpty
    }
    guard case .refusedHere(let why) = dialler.failures[0].reason else {
      Issue.record("the dialler heard \(dialler.failures[0].reason)")
      return
    }
    #expect(why.contains("\(stranger.key)"))
    #expect(refusals(dialler).first?.fields["peer"] == "\(acceptor.key)")
    #expect(refusals(acceptor).first?.fields["reason"]?.contains("TLS alert 42") == true)
    #expect(dialler.connected.isEmpty && acceptor.connected.isEmpty)
  }

  @Test(arguments: [QUICConfiguration.Credential.none, .ecdsa])
  func `a dialler without an Ed25519 certificate is refused`(
    credential: QUICConfiguration.Credential
  ) throws {
    let world = try World()
    let dialler = try world.node(1) { $0.credential = credential }
    let acceptor = try world.node(2)
    dialler.transport.connect(to: acceptor.address, expecting: acceptor.key)
    try world.run("both sides know") {
      !dialler.failures.isEmpty && acceptor.counters.handshakesRefused == 1
    }
    #expect(acceptor.connected.isEmpty && dialler.connected.isEmpty)
    guard case .refusedByPeer = dialler.failures[0].reason else {
      Issue.record("the dialler heard \(dialler.failures[0].reason)")
      return
    }
  }

  @Test func `an acceptor without an Ed25519 certificate is refused`() throws {
    let world = try World()
    let dialler = try world.node(1)
    let acceptor = try world.node(2) { $0.credential = .ecdsa }
    let wanted = try world.node(2)
    dialler.transport.connect(to: acceptor.address, expecting: wanted.key)
    try world.run("the dialler refuses") { !dialler.failures.isEmpty }
    #expect(
      dialler.failures[0].reason == .refusedHere("the certificate holds no Ed25519 key"))
  }

  @Test func `another application protocol is refused`() throws {
    let world = try World()
    let dialler = try world.node(1) { $0.applicationProtocol = "other/1" }
    let acceptor = try world.node(2)
    dialler.transport.connect(to: acceptor.address, expecting: acceptor.key)
    try world.run("both sides know") {
      !dialler.failures.isEmpty && acceptor.counters.handshakesRefused == 1
    }
    #expect(dialler.failures[0].reason == .refusedByPeer(alert: 120))
  }

  @Test func `a node that shows our own key is refused`() throws {
    let world = try World()
    let (dialler, acceptor) = (try world.node(1), try world.node(1))
    let other = try world.node(2)
    dialler.transport.connect(to: acceptor.address, expecting: other.key)
    try world.run("the dialler refuses") { !dialler.failures.isEmpty }
    #expect(dialler.failures[0].reason == .refusedHere("the peer shows this node's own key"))
  }

  @Test func `connections beyond the limit are refused`() throws {
    let world = try World()
    let acceptor = try world.node(9) { $0.connectionsMax = 2 }
    let diallers = try (1...3).map { try world.node(UInt8($0)) }
    for dialler in diallers.prefix(2) { try world.connect(dialler, to: acceptor) }
    diallers[2].transport.connect(to: acceptor.address, expecting: acceptor.key)
    try world.run("the third is refused") { !diallers[2].failures.isEmpty }
    #expect(acceptor.counters.refusedByLimit >= 1)
    #expect(acceptor.counters.connections == 2)
    acceptor.transport.disconnect(try #require(acceptor.connection(to: diallers[0])))
    diallers[0].transport.forget(acceptor.key)
    try world.run("the third gets the free place") {
      acceptor.connection(to: diallers[2]) != nil
    }
  }

  @Test func `a silent address times out`() throws {
    let world = try World()
    let dialler = try world.node(1) { $0.handshakeTimeout = 50_000_000 }
    let other = try world.node(2)
    let silent = try world.tap()
    dialler.transport.connect(to: silent.address, expecting: other.key)
    try world.run("the attempt ends") { !dialler.failures.isEmpty }
    #expect(dialler.failures[0].reason == .handshakeTimedOut)
    try world.run("another attempt follows") { dialler.failures.count == 2 }
    dialler.transport.forget(other.key)
    #expect(dialler.counters.handshakesFailed == 2)
  }
}
