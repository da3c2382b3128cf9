import CommandLineTool
import Configuration
import Glibc
import JSONText
import Primitives
import Records
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(2))) struct `A local cluster` {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Nodes that are shells: they write a line, then wait for a signal.
  private static func launcher(_ script: String = "echo started; exec sleep 1000") -> NodeLauncher {
    NodeLauncher(program: "/bin/sh") { ["-c", script, $0] }
  }

  /// Answers for a node on its API port.
  private static func door(
    _ node: ClusterFile.Node, _ handler: @escaping FakeServer.Handler = { _ in (200, "{}") }
  ) throws -> FakeServer {
    let port = try #require(node.api.split(separator: ":").last.flatMap { UInt16($0) })
    return try FakeServer(port: port, handler)
  }

  @Test func `is made of directories that load`() throws {
    let cluster = try LocalCluster(
      creating: directory.path, count: 3, logLevel: .debug, launcher: Self.launcher())
    #expect(!LocalCluster.exists(in: directory.path))
    var ports: Set<UInt16> = []
    for node in cluster.file.nodes {
      let configuration = try NodeConfiguration(loading: node.dir)
      #expect(configuration.node.key.hexadecimal == node.id)
      #expect(configuration.cluster.digest.hexadecimal == cluster.file.cluster)
      #expect(configuration.genesis.voters.count == 3)
      #expect(configuration.settings.logLevel == .debug)
      #expect(node.api == "http://\(configuration.settings.apiListen)")
      #expect(node.quic == configuration.settings.transportListen[0].description)
      ports.insert(configuration.settings.apiListen.port)
      let token = try OperatorToken(contentsOf: cluster.file.operatorTokenFile)
      #expect(configuration.operatorTokenDigest == token.digest)
    }
    #expect(ports.count == 3 && !ports.contains(0))
  }

  @Test func `uses the ports it is told to`() throws {
    let free = try FakeServer { _ in (200, "{}") }
    defer { free.stop() }
    let base = Int(free.port) - 1
    #expect(throws: FileError.self) {
      try LocalCluster(
        creating: directory.file("taken"), count: 1, basePort: base, launcher: Self.launcher())
    }
  }

  @Test func `starts, is recorded, and outlives who started it`() throws {
    var cluster = try LocalCluster(
      creating: directory.path, count: 2, launcher: Self.launcher())
    let doors = try cluster.file.nodes.map { try Self.door($0) }
    defer { for door in doors { door.stop() } }
    #expect(try cluster.start(cluster.indices) == [1, 2])
    defer { _ = try? cluster.stop(1...2) }
    try cluster.waitUntilReady(cluster.indices, withQuorum: true)
    #expect(doors.allSatisfy { $0.requests.contains { $0.path == "/ready?quorum=1" } })
    let other = try LocalCluster(opening: directory.path, launcher: Self.launcher())
    #expect(other.file == cluster.file)
    #expect(other.running == [1, 2])
    for node in other.file.nodes { #expect(getsid(node.pid) == node.pid) }
    #expect(try cluster.start(cluster.indices).isEmpty)
  }

  @Test func `kills, starts again and stops single nodes`() throws {
    var cluster = try LocalCluster(creating: directory.path, count: 2, launcher: Self.launcher())
    try cluster.start(cluster.indices)
    defer { _ = try? cluster.stop(1...2) }
    let first = cluster.file.nodes[1].pid
    #expect(try cluster.kill(2))
    #expect(cluster.running == [1])
    #expect(try cluster.kill(2) == false)
    #expect(try cluster.start([2]) == [2])
    #expect(cluster.running == [1, 2])
    #expect(cluster.file.nodes[1].pid != first)
    #expect(
      try LocalCluster(opening: directory.path, launcher: Self.launcher()).file == cluster.file)
    #expect(try cluster.stop([1]).isEmpty)
    #expect(cluster.running == [2])
  }

  @Test func `kills nodes that do not end when asked`() throws {
    let ready = directory.file("ready")
    let script = "trap '' TERM; touch \(ready); exec sleep 1000"
    var cluster = try LocalCluster(
      creating: directory.path, count: 1, launcher: Self.launcher(script))
    try cluster.start([1])
    var patience = Patience(milliseconds: 60_000)
    while !Files.exists(ready) {
      guard patience.pause() else {
        Issue.record("the node did not start")
        return
      }
    }
    #expect(try cluster.stop([1], milliseconds: 50) == [1])
    #expect(cluster.running.isEmpty)
  }

  @Test func `shows the log of a node that ends before it is ready`() throws {
    let script = "echo one; echo the disk is on fire >&2; exit 3"
    var cluster = try LocalCluster(
      creating: directory.path, count: 1, launcher: Self.launcher(script))
    try cluster.start([1])
    do {
      try cluster.waitUntilReady([1])
      Issue.record("a node that ended is not ready")
    } catch {
      let text = "\(error)"
      #expect(text.hasPrefix("node 1 ended before it was ready; the end of"), "\(text)")
      #expect(text.hasSuffix("  one\n  the disk is on fire"), "\(text)")
    }
  }

  @Test func `gives up on a node that never becomes ready`() throws {
    var cluster = try LocalCluster(creating: directory.path, count: 1, launcher: Self.launcher())
    try cluster.start([1])
    defer { _ = try? cluster.stop([1]) }
    #expect(throws: NotReadyError.self) { try cluster.waitUntilReady([1], milliseconds: 100) }
  }

  @Test func `does not touch a process that was given an old number`() throws {
    var cluster = try LocalCluster(creating: directory.path, count: 1, launcher: Self.launcher())
    try cluster.start([1])
    defer { _ = try? cluster.stop([1]) }
    var file = cluster.file
    file.nodes[0].startTicks -= 1
    try file.write(in: directory.path)
    let stale = try LocalCluster(opening: directory.path, launcher: Self.launcher())
    #expect(stale.running.isEmpty)
    #expect(try stale.kill(1) == false)
    #expect(try stale.stop([1]).isEmpty)
    #expect(cluster.running == [1])
  }

  @Test func `is one command's at a time`() throws {
    let lock = try ClusterLock(directory.path)
    withExtendedLifetime(lock) {
      let descriptor = open(directory.file("cluster.lock"), O_RDWR | O_CLOEXEC)
      defer { close(descriptor) }
      #expect(flock(descriptor, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)
    }
  }

  @Test func `refuses numbers of nodes it does not have`() throws {
    let cluster = try LocalCluster(creating: directory.path, count: 2, launcher: Self.launcher())
    #expect(throws: UsageError("node 3 does not exist: this cluster has 2")) {
      try cluster.kill(3)
    }
  }

  @Test func `reports what its nodes say`() throws {
    var cluster = try LocalCluster(creating: directory.path, count: 2, launcher: Self.launcher())
    let status =
      #"{"frontier": {"aa": 3, "bb": 4}, "lanesRoot": "0123456789", "rowsDigest": "ab","#
      + #" "operations": 9, "peers": [{"connected": true}, {"connected": false}]}"#
    let doors = try cluster.file.nodes.map { try Self.door($0) { _ in (200, status) } }
    defer { for door in doors { door.stop() } }
    try cluster.start(cluster.indices)
    defer { _ = try? cluster.stop(1...2) }
    let tool = Tool.standard { _ in 0 }
    let table = tool.transcript("cluster", "status", "--dir", directory.path)
    #expect(table.status == 0)
    #expect(table.output.contains("01234567"))
    #expect(table.output.contains("1/2"))
    #expect(table.output.hasSuffix("all 2 nodes: roots equal\n"), "\(table.output)")
    try cluster.kill(2)
    let json = tool.transcript("cluster", "status", "--dir", directory.path, "-o", "json")
    #expect(json.status == 1)
    let report = try JSONValue.parse(Array(json.output.utf8))
    #expect(report["nodes"]?.array?.map { $0["alive"]?.bool } == [true, false])
    #expect(report["nodes"]?.array?[0]["bundles"]?.integer == 7)
    #expect(report["rootsEqual"]?.bool == true)
  }
}

@Suite struct `Processes` {
  @Test func `are known by number and start time`() throws {
    let own = try #require(ProcessIdentity(current: getpid()))
    #expect(own.isAlive)
    #expect(!ProcessIdentity(number: getpid(), startTicks: own.startTicks + 1).isAlive)
    #expect(!ProcessIdentity(number: 0, startTicks: 0).isAlive)
    #expect(ProcessIdentity(current: -1) == nil)
  }

  @Test(arguments: [
    "1 (a) b) c) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0",
    "1 () S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0",
  ])
  func `are read whatever their name holds`(text: String) throws {
    let entry = try #require(ProcessIdentity.parse(text))
    #expect(entry.state == "S")
    #expect(entry.startTicks == 777)
  }

  @Test(arguments: ["", "1 (a", "1 (a) S", "1 (a) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 x"])
  func `are not read from damaged text`(text: String) {
    #expect(ProcessIdentity.parse(text) == nil)
  }
}
