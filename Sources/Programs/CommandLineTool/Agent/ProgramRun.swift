internal import Configuration
internal import Glibc

/// Why a program gave no answer.
package enum ProgramFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// It could not be started.
  case notStarted(String)
  /// It was still running after this many milliseconds and was killed.
  case timedOut(milliseconds: Int)
  /// It wrote more than this many bytes and was killed.
  case tooMuchOutput(bytesMax: Int)
  /// It ended with a status other than 0.
  case exited(status: Int32)
  /// It was ended by a signal.
  case signalled(Int32)
  /// It ended well, but what it wrote is no answer.
  case malformed(String)

  /// A part of a sentence.
  package var description: String {
    switch self {
    case .notStarted(let reason): "could not be started: \(reason)"
    case .timedOut(let milliseconds): "was killed after \(milliseconds) ms"
    case .tooMuchOutput(let bytesMax): "was killed after writing more than \(bytesMax) bytes"
    case .exited(let status): "ended with status \(status)"
    case .signalled(let signal): "was ended by signal \(signal)"
    case .malformed(let reason): "wrote no answer: \(reason)"
    }
  }
}

/// One run of a program: bytes in, bytes out, within limits.
///
/// The program runs in a process group of its own, which is killed as a whole when a limit is
/// exceeded and when the run is abandoned. Driven by `ProgramPool`, on one thread.
final class ProgramRun {
  /// The end of the program's input that we write to; -1 when everything is written.
  private(set) var input: Int32 = -1
  /// The end of its output that we read from; -1 when it has ended.
  private(set) var output: Int32 = -1
  /// When the program is killed, in milliseconds of the monotonic clock.
  let deadlineMilliseconds: Int
  /// What came of it, when it has ended.
  private(set) var result: Result<[UInt8], ProgramFault>?
  private let limits: ProgramLimits
  private var process: pid_t = 0
  private var unwritten: ArraySlice<UInt8>
  private var collected: [UInt8] = []

  /// Starts a program.
  init(_ program: [String], input bytes: [UInt8], limits: ProgramLimits) {
    precondition(!program.isEmpty, "a run of no program")
    unwritten = bytes[...]
    self.limits = limits
    deadlineMilliseconds = MonotonicClock.milliseconds + limits.timeoutMilliseconds
    do {
      try start(program)
    } catch {
      result = .failure(.notStarted("\(error)"))
    }
  }

  deinit {
    closeStreams()
    if process > 0 { end() }
  }

  private func start(_ program: [String]) throws {
    var inputPair: [Int32] = [-1, -1]
    var outputPair: [Int32] = [-1, -1]
    defer {
      for descriptor in [inputPair[0], outputPair[1]] where descriptor >= 0 { close(descriptor) }
    }
    guard pipe(&inputPair) == 0, pipe(&outputPair) == 0 else {
      throw FileError(operation: "pipe", path: program[0], code: errno)
    }
    (input, output) = (inputPair[1], outputPair[0])
    for descriptor in inputPair + outputPair { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    for descriptor in [input, output] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    process = try ProcessLaunch(
      program: program[0], arguments: Array(program.dropFirst()),
      input: .descriptor(inputPair[0]), output: .descriptor(outputPair[1]),
      errorOutput: limits.showsErrors ? .inherited : .nothing, relation: .group
    ).start()
  }

  /// Whether the output has ended and the process has not yet.
  var isEnding: Bool { result == nil && output < 0 }

  /// Goes on with whatever can go on now.
  func advance() {
    guard result == nil else { return }
    writeInput()
    readOutput()
    if result == nil && output < 0 { reap() }
    if result == nil && MonotonicClock.milliseconds >= deadlineMilliseconds {
      fail(.timedOut(milliseconds: limits.timeoutMilliseconds))
    }
  }

  private func writeInput() {
    while input >= 0 {
      if unwritten.isEmpty { return closeInput() }
      let count = unwritten.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      if count > 0 {
        unwritten = unwritten.dropFirst(count)
      } else if errno != EINTR {
        // A program need not read its input: a closed pipe is no failure.
        if errno != EAGAIN { closeInput() }
        return
      }
    }
  }

  private func readOutput() {
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while output >= 0 {
      let count = read(output, &chunk, chunk.count)
      if count > 0 {
        collected.append(contentsOf: chunk[..<count])
        if collected.count > limits.outputBytesMax {
          return fail(.tooMuchOutput(bytesMax: limits.outputBytesMax))
        }
      } else if count == 0 || errno != EAGAIN && errno != EINTR {
        close(output)
        output = -1
      } else if errno == EAGAIN {
        return
      }
    }
  }

  private func reap() {
    var status: Int32 = 0
    guard waitpid(process, &status, WNOHANG) == process else { return }
    process = 0
    closeStreams()
    let signal = status & 0x7f
    if signal != 0 {
      result = .failure(.signalled(signal))
    } else if status >> 8 & 0xff != 0 {
      result = .failure(.exited(status: status >> 8 & 0xff))
    } else {
      result = .success(collected)
    }
  }

  private func fail(_ fault: ProgramFault) {
    closeStreams()
    end()
    result = .failure(fault)
  }

  /// Kills the process and what it started, and waits for the process, which cannot refuse.
  private func end() {
    kill(-process, SIGKILL)
    while waitpid(process, nil, 0) < 0 && errno == EINTR {}
    process = 0
  }

  private func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  private func closeStreams() {
    closeInput()
    if output >= 0 { close(output) }
    output = -1
  }
}

/// What one run of a program may take.
package struct ProgramLimits: Sendable {
  /// How long it may run, in milliseconds.
  package var timeoutMilliseconds = 30_000
  /// How many bytes it may write.
  package var outputBytesMax = 65_536
  /// Whether its standard error goes to ours.
  package var showsErrors = true

  /// The default limits.
  package init() {}
}

/// Runs programs, several at a time, on the thread that asks.
package struct ProgramPool: Sendable {
  private let program: [String]
  private let limits: ProgramLimits
  private let concurrency: Int

  /// Makes a pool for one program with its arguments.
  package init(program: [String], limits: ProgramLimits, concurrency: Int) {
    precondition(!program.isEmpty, "a pool without a program")
    precondition(concurrency > 0, "a pool of \(concurrency) runs")
    self.program = program
    self.limits = limits
    self.concurrency = concurrency
  }

  /// Runs the program once per input and hands over each result with the input's index, as soon
  /// as it is there. When `finished` throws, the runs that go on are killed.
  package func run(
    _ inputs: [[UInt8]], finished: (Int, Result<[UInt8], ProgramFault>) throws -> Void
  ) rethrows {
    // Writing to a program that reads nothing must be an error, not our end.
    signal(SIGPIPE, SIG_IGN)
    var running: [(index: Int, run: ProgramRun)] = []
    var next = 0
    var endingPause = 1
    while next < inputs.count || !running.isEmpty {
      while next < inputs.count && running.count < concurrency {
        running.append((next, ProgramRun(program, input: inputs[next], limits: limits)))
        next += 1
      }
      for entry in running { entry.run.advance() }
      let ended = running.filter { $0.run.result != nil }
      running.removeAll { $0.run.result != nil }
      for entry in ended {
        guard let result = entry.run.result else { continue }
        try finished(entry.index, result)
      }
      if ended.isEmpty {
        wait(running.map(\.run), endingPause)
        endingPause = min(endingPause * 2, 20)
      } else {
        endingPause = 1
      }
    }
  }

  /// Waits for a stream or the next deadline. A process that has closed its output is looked at
  /// every few milliseconds until it has ended.
  private func wait(_ runs: [ProgramRun], _ endingPause: Int) {
    var polled: [pollfd] = []
    var deadline = Int.max
    for run in runs {
      deadline = min(deadline, run.deadlineMilliseconds)
      if run.input >= 0 { polled.append(pollfd(fd: run.input, events: Int16(POLLOUT), revents: 0)) }
      if run.output >= 0 {
        polled.append(pollfd(fd: run.output, events: Int16(POLLIN), revents: 0))
      }
    }
    var timeout = max(0, deadline - MonotonicClock.milliseconds)
    if runs.contains(where: \.isEnding) { timeout = min(timeout, endingPause) }
    poll(&polled, nfds_t(polled.count), Int32(min(timeout, 60_000)))
  }
}
