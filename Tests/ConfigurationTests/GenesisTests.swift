import Configuration
import Crypto
import Primitives
import Records
import Testing
import Wire

@Suite struct `A genesis` {
  @Test func `survives its JSON form and its canonical bytes`() throws {
    let genesis = try Examples.genesis()
    #expect(try Genesis(json: genesis.json) == genesis)
    #expect(try Genesis(decoding: genesis.encoded) == genesis)
  }

  @Test func `names its cluster by its content, whatever the order of its voters`() throws {
    let forward = try Examples.genesis([1, 2, 3])
    #expect(try Examples.genesis([3, 1, 2]).cluster == forward.cluster)
    #expect(try Examples.genesis([1, 2]).cluster != forward.cluster)
    let later = try Genesis(
      name: "example", createdMilliseconds: Examples.created + 1, voters: forward.voters)
    #expect(later.cluster != forward.cluster)
  }

  @Test func `keeps its cluster name from release to release`() throws {
    let name = try Examples.genesis().cluster.digest.hexadecimal
    #expect(name == "7b7168abfdde272f6e7d900b2d69ac363995397109d1d9edf746c6ac0a443030")
  }

  @Test func `finds its voters`() throws {
    let genesis = try Examples.genesis([1, 2])
    #expect(try genesis.voter(NodeID(key: Examples.key(2).publicKey)) == Examples.voter(2))
    #expect(genesis.voter(NodeID(key: Examples.key(3).publicKey)) == nil)
  }

  @Test func `refuses every truncation of its bytes and any byte more`() throws {
    let bytes = try Examples.genesis().encoded
    for count in bytes.indices {
      #expect(throws: WireError.self) { try Genesis(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: WireError.trailingBytes) { try Genesis(decoding: bytes + [0]) }
  }

  @Test func `refuses bytes with voters out of order`() throws {
    let genesis = try Examples.genesis([1, 2])
    let one = try Examples.genesis([1]).encoded
    let entryBytes = one.count - (1 + 8 + 8 + 1)
    let head = Array(genesis.encoded.dropLast(2 * entryBytes))
    let first = Array(genesis.encoded.dropLast(entryBytes).suffix(entryBytes))
    let second = Array(genesis.encoded.suffix(entryBytes))
    #expect(try Genesis(decoding: head + first + second) == genesis)
    #expect(throws: WireError.notCanonical) { try Genesis(decoding: head + second + first) }
  }

  @Test(arguments: [
    ("\"example\"", "\"\"", "genesis.json: cluster is \"\": expected 1 to 64 letters"),
    ("\"example\"", "\"a b\"", "cluster is \"a b\""),
    ("\"version\": 1", "\"version\": 2", "version is 2: expected a whole number from 1 to 1"),
    ("\"cluster\"", "\"clutser\"", "cluster: the key is missing"),
    ("127.0.0.1:4001", "localhost:4001", "voters[0].transport is \"localhost:4001\": expected"),
    ("127.0.0.1:4001", "0.0.0.0:4001", "peers cannot connect"),
    ("1767225600000", "-1", "createdMilliseconds is -1"),
    ("\"api\"", "\"apj\"", "voters[0].api: the key is missing"),
    ("\"node\": \"", "\"node\": \"zz", "expected a public key of 64 hexadecimal digits"),
    ("]", "], \"more\": 1", "more: unknown key; known here are cluster, createdMilliseconds"),
    ("{", "[", "not valid JSON"),
  ])
  func `names what it refuses`(find: String, replacement: String, expected: String) throws {
    let text = String(decoding: try Examples.genesis([1]).json, as: UTF8.self)
    let range = try #require(text.firstRange(of: find))
    let changed = text.replacingCharacters(in: range, with: replacement)
    let refusal = Examples.refusal { _ = try Genesis(json: Array(changed.utf8)) }
    #expect(refusal.contains(expected), "\(refusal)")
  }

  @Test func `refuses no voters, too many and one twice`() throws {
    #expect(throws: ConfigurationError.self) { try Examples.genesis([]) }
    #expect(throws: ConfigurationError.self) { try Examples.genesis(Array(1...65)) }
    #expect(Examples.refusal { _ = try Examples.genesis([1, 1]) }.contains("listed twice"))
  }
}

extension String {
  func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
