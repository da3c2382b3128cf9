import Foundation
import Synchronization

/// The built program as a child process whose log is read line by line.
///
/// Safe: `process` is only asked for what its documentation lets any thread ask, and everything
/// that changes is inside `condition`'s lock.
final class NodeChild: @unchecked Sendable {
  /// After this long without the awaited event a test has failed, in seconds.
  static let patience: TimeInterval = 40

  private let process = Process()
  private let condition = NSCondition()
  private var lines: [String] = []
  private var hasEnded = false

  /// The program beside the tests' own.
  static var program: String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: own).deletingLastPathComponent().path + "/swarmoracle"
  }

  /// Starts the program.
  init(_ arguments: [String]) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: NodeChild.program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    // Ours of the write end is closed here, so that reading ends with the child.
    try output.fileHandleForWriting.close()
    let thread = Thread { [self] in read(output.fileHandleForReading) }
    thread.start()
  }

  deinit {
    if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
  }

  private func read(_ handle: FileHandle) {
    var rest: [UInt8] = []
    while true {
      let data = handle.availableData
      condition.lock()
      rest += data
      while let end = rest.firstIndex(of: 0x0A) {
        lines.append(String(decoding: rest[..<end], as: UTF8.self))
        rest.removeFirst(end + 1)
      }
      hasEnded = data.isEmpty
      condition.broadcast()
      condition.unlock()
      if data.isEmpty { return }
    }
  }

  /// The first line that contains every one of `parts`, waiting until there is one; `nil` when the
  /// program ends or patience does before.
  func line(containing parts: String...) -> String? {
    let deadline = Date(timeIntervalSinceNow: NodeChild.patience)
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let line = lines.first(where: { line in parts.allSatisfy(line.contains) }) { return line }
      if hasEnded || !condition.wait(until: deadline) { return nil }
    }
  }

  /// Everything written so far.
  var log: String {
    condition.lock()
    defer { condition.unlock() }
    return lines.joined(separator: "\n")
  }

  var isRunning: Bool { process.isRunning }

  /// Sends a signal.
  func send(_ signal: Int32) { Glibc.kill(process.processIdentifier, signal) }

  /// Waits for the end and returns the exit status, or the negated signal.
  @discardableResult
  func waitForEnd() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .exit
      ? process.terminationStatus : -process.terminationStatus
  }

  /// Kills it as a crash of the host would.
  func crash() {
    send(SIGKILL)
    waitForEnd()
  }
}
