import ControlStorage
import Crypto
import FinalityStorage
import Glibc
import Primitives
import Records
import Synchronization
import Telemetry
import Testing

/// A directory that is removed with its holder. In memory where the system offers that: no test can
/// tell whether a sync reached a disk, and thousands of them take their time on one.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/finality-storage-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? ""
    }
  }

  deinit {
    TestFiles.removeTree(path)
  }

  var journal: String { "\(path)/votes" }
  var marker: String { "\(path)/signed" }
  var ledger: String { "\(path)/ledger" }
}

/// Files as the tests look at them and spoil them.
enum TestFiles {
  static func read(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 262_144)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: buffer[0..<count])
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func removeTree(_ path: String) {
    for name in names(in: path) {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
  }
}

/// The bytes of both files of a journal.
struct JournalImage: Sendable {
  var files: [[UInt8]]

  static let names = ["votes-0", "votes-1"]

  init(_ directory: String) {
    files = JournalImage.names.map { TestFiles.read("\(directory)/\($0)") }
  }

  func restore(_ directory: String) throws {
    mkdir(directory, 0o700)
    for (name, bytes) in zip(JournalImage.names, files) {
      try TestFiles.write(bytes, to: "\(directory)/\(name)")
    }
  }
}

/// What a journal has reported, and its files at the moment of the last report.
final class Reports: Sendable {
  private struct State {
    var durable: [UInt64] = []
    var failures: [ControlStorageFailure] = []
    var image: JournalImage?
  }

  private let state = Mutex(State())
  private let watched: String?

  init(watching directory: String? = nil) {
    watched = directory
  }

  var durable: [UInt64] { state.withLock { $0.durable } }
  var failures: [ControlStorageFailure] { state.withLock { $0.failures } }
  var image: JournalImage? { state.withLock { $0.image } }

  func add(durable sequence: UInt64) {
    let image = watched.map { JournalImage($0) }
    state.withLock { state in
      state.durable.append(sequence)
      state.image = image
    }
  }

  func add(_ failure: ControlStorageFailure) { state.withLock { $0.failures.append(failure) } }
}

/// The key and the chain of the tests.
enum Owner {
  static let key = NodeID(key: SigningKey(seed: .zero).publicKey)
  static let chain = ChainID(digest: Blake2b.hash([1], .chain))
}

extension VoteJournal {
  /// Opens with files of the smallest size.
  static func open(
    _ directory: TemporaryDirectory, _ reports: Reports = Reports(), key: NodeID = Owner.key,
    chain: ChainID = Owner.chain, interception: FileInterception? = nil,
    change: (inout VoteJournalOptions) -> Void = { _ in }
  ) throws(OpenVoteJournalError) -> (journal: VoteJournal, recovery: VoteRecovery) {
    var options = VoteJournalOptions()
    options.fileBytes = 32_768
    options.interception = interception
    change(&options)
    return try open(
      directory: directory.journal, marker: directory.marker, key: key, chain: chain,
      options: options, logger: .silent, onDurable: { reports.add(durable: $0) },
      onFailure: { reports.add($0) })
  }

  /// What a directory holds.
  static func records(in directory: TemporaryDirectory) throws -> [[UInt8]] {
    let (journal, recovery) = try open(directory)
    try journal.close()
    return recovery.records
  }

  /// Hands over a step and waits until it is durable.
  func write(
    _ sequence: UInt64, _ records: [[UInt8]], isCheckpoint: Bool = false, endsAmnesia: Bool = false
  ) throws {
    let step = VoteStep(
      sequence: sequence, records: records, isCheckpoint: isCheckpoint, endsAmnesia: endsAmnesia)
    try #require(submit(step) == .accepted)
    try flush()
  }
}

/// Bytes that follow from a seed.
func testBytes(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = Xoshiro256(seed: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

/// Fails one operation, counted from now, and all after it: what is left is what a crash leaves.
final class Crash: Sendable {
  private struct State {
    var countdown: Int?
    var random: Xoshiro256
    var isDown = false
    var operations: [FileOperation] = []
  }

  private let state: Mutex<State>
  private let code: Int32

  init(seed: UInt64 = 0, code: Int32 = EIO) {
    state = Mutex(State(random: Xoshiro256(seed: seed)))
    self.code = code
  }

  /// Lets `count` operations pass; the next one fails, a write torn at random.
  func arm(after count: Int) { state.withLock { $0.countdown = count } }

  var isDown: Bool { state.withLock { $0.isDown } }
  var operations: [FileOperation] { state.withLock { $0.operations } }

  var interception: FileInterception {
    FileInterception { [self] operation in
      state.withLock { state in
        state.operations.append(operation)
        guard !state.isDown else { return .fail(code: code) }
        guard let countdown = state.countdown else { return .proceed }
        guard countdown == 0 else {
          state.countdown = countdown - 1
          return .proceed
        }
        state.isDown = true
        guard case .write(_, _, let byteCount, _) = operation else { return .fail(code: code) }
        let torn = Int(state.random.next() % UInt64(byteCount + 1))
        return .tear(byteCount: torn, code: code)
      }
    }
  }
}

/// Stops the thread that writes at an operation until it is let go.
final class Gate: Sendable {
  private let arrived = Pipe()
  private let opened = Pipe()
  private let isArmed = Atomic<Bool>(false)

  /// Stops at the next operation.
  func arm() { isArmed.store(true, ordering: .sequentiallyConsistent) }

  var interception: FileInterception {
    FileInterception { [self] _ in
      if isArmed.exchange(false, ordering: .sequentiallyConsistent) {
        arrived.signal()
        opened.wait()
      }
      return .proceed
    }
  }

  func waitForArrival() { arrived.wait() }
  func open() { opened.signal() }
}

/// A pipe that carries signals from one thread to another.
private final class Pipe: Sendable {
  private let descriptors: [Int32]

  init() {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0, "no pipe")
    descriptors = ends
  }

  deinit {
    for descriptor in descriptors { close(descriptor) }
  }

  func signal() {
    var byte: UInt8 = 1
    _ = Glibc.write(descriptors[1], &byte, 1)
  }

  func wait() {
    var byte: UInt8 = 0
    _ = Glibc.read(descriptors[0], &byte, 1)
  }
}
