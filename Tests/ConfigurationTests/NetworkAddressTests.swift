import Configuration
import Testing

@Suite struct `Network addresses` {
  @Test(arguments: [
    ("127.0.0.1:4000", "127.0.0.1:4000"), ("[::1]:4000", "[::1]:4000"),
    ("[2001:DB8:0:0::1]:0", "[2001:db8::1]:0"), ("0.0.0.0:65535", "0.0.0.0:65535"),
  ])
  func `are read into their canonical text`(text: String, canonical: String) throws {
    let address = try #require(NetworkAddress(text))
    #expect(address.description == canonical)
    #expect(NetworkAddress(canonical) == address)
  }

  @Test(arguments: [
    "", "127.0.0.1", ":4000", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
    "localhost:4000", "::1:4000", "[::1]", "[127.0.0.1]:1", "127.1:80", "[]:1", "1.2.3.4:4 ",
    " 1.2.3.4:4", "1.2.3.4:4:4", "[::1%lo]:5",
  ])
  func `refuse every other text`(text: String) {
    #expect(NetworkAddress(text) == nil)
  }

  @Test func `know the address that means every interface`() throws {
    #expect(try Examples.address("0.0.0.0:1").isUnspecified)
    #expect(try Examples.address("[::]:1").isUnspecified)
    #expect(try Examples.address("[::1]:1").isUnspecified == false)
  }
}
