import ControlStorage
import Glibc
import Primitives
import Records
import Synchronization
import Testing

/// A directory that is removed with its holder. In memory where the system offers that: no test can
/// tell whether a sync reached a disk, and thousands of them take their time on one.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/control-storage-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? ""
    }
  }

  deinit {
    TestFiles.removeTree(path)
  }

  /// Where the control log is: it is made by opening it.
  var control: String { "\(path)/control" }
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

  /// Changes some bytes of a file in place.
  static func patch(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY)
    defer { close(descriptor) }
    try #require(pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count)
  }

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

  static func copyTree(from source: String, to target: String) throws {
    removeTree(target)
    mkdir(target, 0o700)
    for name in names(in: source) {
      try write(read("\(source)/\(name)"), to: "\(target)/\(name)")
    }
  }

  static func removeTree(_ path: String) {
    for name in names(in: path) {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
  }
}

/// What storage has reported.
final class Reports: Sendable {
  private let state = Mutex((durable: [UInt64](), failures: [ControlStorageFailure]()))

  var durable: [UInt64] { state.withLock { $0.durable } }
  var failures: [ControlStorageFailure] { state.withLock { $0.failures } }
  var lastDurable: UInt64 { durable.last ?? 0 }

  func add(durable sequence: UInt64) { state.withLock { $0.durable.append(sequence) } }
  func add(_ failure: ControlStorageFailure) { state.withLock { $0.failures.append(failure) } }
}

extension ControlStorage {
  /// Opens with segments of the smallest size.
  static func open(
    _ directory: String, life: UInt64 = 7, _ reports: Reports = Reports(),
    interception: FileInterception? = nil, change: (inout ControlStorageOptions) -> Void = { _ in }
  ) throws(OpenControlStorageError) -> Opened {
    var options = ControlStorageOptions()
    options.segmentBytes = ControlStorageOptions.segmentBytesMin
    options.interception = interception
    change(&options)
    return try open(
      directory: directory, newLife: life, options: options,
      onDurable: { reports.add(durable: $0) }, onFailure: { reports.add($0) })
  }

  /// Hands over steps and waits until they are durable.
  func write(_ steps: ControlWrite...) throws {
    for step in steps { try #require(submit(step) == .accepted) }
    try flush()
  }
}

/// Bytes that follow from a seed; long ones repeat.
enum TestBytes {
  static func make(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = Xoshiro256(seed: seed)
    var bytes = (0..<min(count, 512)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    while bytes.count < count { bytes += bytes.prefix(count - bytes.count) }
    return bytes
  }
}

/// Steps as tests write them down.
extension ControlWrite {
  static func step(
    _ sequence: UInt64, term: UInt64? = nil, vote: UInt64 = 0, commit: UInt64 = 0,
    entries: [RaftEntry] = [], change: (inout ControlWrite) -> Void = { _ in }
  ) -> ControlWrite {
    var step = ControlWrite(sequence: sequence)
    if let term {
      step.hardState = RaftHardState(term: term, vote: RaftID(vote), commit: commit)
    }
    step.entries = entries
    change(&step)
    return step
  }
}

extension RaftEntry {
  /// Contiguous entries of one term, with a payload of their own each.
  static func run(
    _ indexes: ClosedRange<UInt64>, term: UInt64, byteCount: Int = 40
  ) -> [RaftEntry] {
    indexes.map { index in
      let payload = TestBytes.make(byteCount, seed: index &* 1_000 &+ term)
      return RaftEntry(term: term, index: index, kind: .command, payload: payload)
    }
  }
}

extension RaftSnapshot {
  /// A snapshot whose bytes follow from its place.
  static func made(_ index: UInt64, term: UInt64, byteCount: Int = 300) -> RaftSnapshot {
    let member = RaftMember(node: NodeID(key: .zero), life: 0)
    return RaftSnapshot(
      index: index, term: term,
      configuration: RaftConfiguration(members: [member], voters: [member.id]),
      bytes: TestBytes.make(byteCount, seed: index &* 77 &+ term))
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

/// Fails one operation, counted from now, and all after it: what is left is what a crash leaves.
final class Crash: Sendable {
  private struct State {
    var countdown: Int?
    var random: Xoshiro256
    var tears: Bool
    var isDown = false
    var operations: [FileOperation] = []
  }

  private let state: Mutex<State>

  /// Lets `after` operations pass; a write that it hits is torn at random if `tears`.
  init(after: Int?, seed: UInt64 = 1, tears: Bool = true) {
    state = Mutex(
      State(countdown: after, random: Xoshiro256(seed: seed), tears: tears))
  }

  /// Lets `after` operations pass from now on.
  func arm(after: Int) { state.withLock { $0.countdown = after } }

  var hasHappened: Bool { state.withLock { $0.isDown } }
  var operations: [FileOperation] { state.withLock { $0.operations } }

  var interception: FileInterception {
    FileInterception { [self] operation in
      state.withLock { state in
        if state.isDown { return .fail(code: EIO) }
        state.operations.append(operation)
        guard let countdown = state.countdown else { return .proceed }
        guard countdown == 0 else {
          state.countdown = countdown - 1
          return .proceed
        }
        state.isDown = true
        guard state.tears, case .write(_, _, let byteCount, _) = operation else {
          return .fail(code: EIO)
        }
        return .tear(byteCount: state.random.next(below: byteCount + 1), code: EIO)
      }
    }
  }
}
