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
