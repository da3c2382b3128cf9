internal import Configuration
package import Glibc

/// A process for as long as it lives: its number and when it started.
///
/// The kernel gives numbers out again; the pair tells a process from a later one with its number.
package struct ProcessIdentity: Hashable, Sendable {
  /// The process's number.
  package let number: pid_t
  /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
  package let startTicks: Int64

  /// Names a process as it was recorded.
  package init(number: pid_t, startTicks: Int64) {
    self.number = number
    self.startTicks = startTicks
  }

  /// Names the process that has `number` at this moment; `nil` when there is none.
  package init?(current number: pid_t) {
    guard let entry = ProcessIdentity.entry(number) else { return nil }
    self.init(number: number, startTicks: entry.startTicks)
  }

  /// Whether the process runs: it exists, is the same, and has not ended unreaped.
  package var isAlive: Bool {
    guard let entry = ProcessIdentity.entry(number) else { return false }
    return entry.startTicks == startTicks && entry.state != "Z" && entry.state != "X"
  }

  /// Sends a signal, unless the process has ended; returns whether it was sent.
  @discardableResult package func send(_ signal: Int32) -> Bool {
    isAlive && kill(number, signal) == 0
  }

  /// Waits until the process has ended, for at most `milliseconds`; returns whether it has.
  ///
  /// Processes that are not our children can only be looked at, so this looks every few
  /// milliseconds. Children that have ended are reaped.
  package func waitForEnd(milliseconds: Int) -> Bool {
    var patience = Patience(milliseconds: milliseconds)
    while isAlive {
      guard patience.pause() else { return false }
    }
    waitpid(number, nil, WNOHANG)
    return true
  }

  private static func entry(_ number: pid_t) -> (state: Character, startTicks: Int64)? {
    // A process that is gone has no file.
    guard let bytes = try? Files.read("/proc/\(number)/stat") else { return nil }
    return parse(String(decoding: bytes, as: UTF8.self))
  }

  /// Reads the state and the start time; the command's name may hold spaces and parentheses.
  package static func parse(_ text: String) -> (state: Character, startTicks: Int64)? {
    guard let close = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 19, let state = fields[0].first, let ticks = Int64(fields[19]) else {
      return nil
    }
    return (state, ticks)
  }
}

/// A wait with a deadline that looks often at first and seldom later.
package struct Patience: Sendable {
  private let deadlineMilliseconds: Int
  private var pauseMilliseconds = 2

  /// Starts waiting for at most `milliseconds`.
  package init(milliseconds: Int) {
    deadlineMilliseconds = MonotonicClock.milliseconds + milliseconds
  }

  /// Pauses a little longer than the last time, up to 100 ms; `false` when time is up.
  package mutating func pause() -> Bool {
    let left = deadlineMilliseconds - MonotonicClock.milliseconds
    guard left > 0 else { return false }
    poll(nil, 0, Int32(min(left, pauseMilliseconds)))
    pauseMilliseconds = min(pauseMilliseconds * 3 / 2 + 1, 100)
    return true
  }
}

/// The clock that never jumps.
package enum MonotonicClock {
  /// Milliseconds since some moment in the past.
  package static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
  }
}

/// The clock that people go by.
package enum WallClock {
  /// Milliseconds since 1970 in UTC.
  package static var milliseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
  }
}
