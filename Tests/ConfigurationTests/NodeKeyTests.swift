import Configuration
import Glibc
import Testing

@Suite struct `Secret files` {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func `keep a node key that loads as the same key`() throws {
    let path = directory.file("node.key")
    let key = try NodeKey.create(at: path)
    #expect(try NodeKey(contentsOf: path).node == key.node)
    #expect(try Files.mode(of: path) == 0o600)
    #expect(try Files.read(path).count == 65)
  }

  @Test func `are never overwritten`() throws {
    let path = directory.file("node.key")
    let key = try NodeKey.create(at: path)
    let refusal = Examples.refusal { _ = try NodeKey.create(at: path) }
    #expect(refusal == "create \(path): File exists")
    #expect(try NodeKey(contentsOf: path).node == key.node)
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o644, 0o660] as [UInt32])
  func `are refused when others may touch them`(mode: UInt32) throws {
    let path = directory.file("node.key")
    _ = try NodeKey.create(at: path)
    #expect(chmod(path, mode) == 0)
    let refusal = Examples.refusal { _ = try NodeKey(contentsOf: path) }
    #expect(refusal.hasSuffix("run: chmod 600 \(path)"), "\(refusal)")
    #expect(chmod(path, 0o600) == 0)
    _ = try NodeKey(contentsOf: path)
  }

  @Test(arguments: ["", "\n", "00", String(repeating: "0", count: 63) + "g"])
  func `are refused when they hold no seed`(text: String) throws {
    let path = directory.file("node.key")
    try Files.create(path, Array(text.utf8), mode: 0o600)
    #expect(
      Examples.refusal { _ = try NodeKey(contentsOf: path) }
        .contains("expected a seed of 64 hexadecimal digits"))
  }

  @Test func `keep an operator's token`() throws {
    let path = directory.file("operator.token")
    let token = OperatorToken.make()
    try token.create(at: path)
    let loaded = try OperatorToken(contentsOf: path)
    #expect(loaded.text == token.text)
    #expect(loaded.digest == token.digest)
    #expect(OperatorToken.make().text != token.text)
    #expect(try Files.mode(of: path) == 0o600)
    #expect(chmod(path, 0o644) == 0)
    #expect(throws: ConfigurationError.self) { try OperatorToken(contentsOf: path) }
  }

  @Test func `say which one is missing`() {
    let path = directory.file("none")
    #expect(
      Examples.refusal { _ = try NodeKey(contentsOf: path) }
        == "stat \(path): No such file or directory")
  }
}

@Suite struct `Configuration files` {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func `are replaced as a whole`() throws {
    let path = directory.file("a")
    try Files.replace(path, with: Array("one".utf8))
    try Files.replace(path, with: Array("two, longer".utf8), mode: 0o600)
    #expect(try Files.read(path) == Array("two, longer".utf8))
    #expect(try Files.mode(of: path) == 0o600)
    #expect(!Files.exists("\(path).new-\(getpid())"))
  }

  @Test func `are refused beyond their limit`() throws {
    let path = directory.file("a")
    try Files.create(path, [UInt8](repeating: 1, count: 100_000))
    #expect(try Files.read(path, limit: 100_000).count == 100_000)
    #expect(throws: ConfigurationError.self) { try Files.read(path, limit: 99_999) }
  }

  @Test func `find their directories made`() throws {
    let path = directory.file("a/b/c")
    try Files.makeDirectory(path)
    try Files.makeDirectory(path)
    #expect(Files.isDirectory(path))
    try Files.create(directory.file("file"), [])
    #expect(throws: FileError.self) { try Files.makeDirectory(directory.file("file/x")) }
  }

  @Test func `are named from the root`() throws {
    #expect(Files.resolve("/x", in: "/d") == "/x")
    #expect(Files.resolve("x", in: "/d") == "/d/x")
    #expect(try Files.absolute("/a/b") == "/a/b")
    #expect(try Files.absolute("./x").hasSuffix("/x"))
    #expect(try Files.absolute("./x").contains("./") == false)
  }
}
