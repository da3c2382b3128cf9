import CPlatform
import Glibc

/// What a registration waits for.
package struct Interest: OptionSet, Sendable {
  /// The kernel-independent bits of the platform shim.
  package let rawValue: UInt32
  /// Makes a set from its bits.
  package init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Data, a connection or the end of the stream can be read.
  package static let readable = Interest(rawValue: CPLATFORM_READABLE)
  /// Bytes can be written without blocking.
  package static let writable = Interest(rawValue: CPLATFORM_WRITABLE)
}

/// What a descriptor is ready for.
package struct Readiness: OptionSet, Sendable {
  /// The kernel-independent bits of the platform shim.
  package let rawValue: UInt32
  /// Makes a set from its bits.
  package init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Reading will not block.
  package static let readable = Readiness(rawValue: CPLATFORM_READABLE)
  /// Writing will not block.
  package static let writable = Readiness(rawValue: CPLATFORM_WRITABLE)
  /// The other side has closed its direction, or both.
  package static let hangup = Readiness(rawValue: CPLATFORM_HANGUP)
  /// The descriptor has a pending error.
  package static let failed = Readiness(rawValue: CPLATFORM_FAILED)
}

/// A watched descriptor.
package struct Registration: Sendable {
  /// The descriptor, owned by whoever registered it.
  package let descriptor: Int32
  let slot: Slot
}

/// A timer of one loop.
package struct TimerToken: Hashable, Sendable {
  let slot: Slot
}

/// What a loop has done, for a watchdog.
package struct EventLoopMetrics: Sendable {
  /// Turns run.
  package private(set) var turns: UInt64 = 0
  /// Descriptor events handled.
  package private(set) var events: UInt64 = 0
  /// The longest turn, waiting excluded, in nanoseconds.
  package private(set) var longestTurnNanoseconds: UInt64 = 0

  mutating func record(events count: Int, turnNanoseconds: UInt64) {
    turns &+= 1
    events &+= UInt64(count)
    longestTurnNanoseconds = max(longestTurnNanoseconds, turnNanoseconds)
  }
}

/// A system call that failed.
package struct SystemCallError: Error, CustomStringConvertible, Equatable {
  /// The `errno` value.
  package let number: Int32
  /// The name of the call.
  package let call: String

  /// Makes an error from an `errno` value and the call it came from.
  package init(number: Int32, call: String) {
    self.number = number
    self.call = call
  }

  /// The call and the system's text for the number.
  package var description: String {
    guard let text = strerror(number) else { return "\(call): error \(number)" }
    return "\(call): \(String(cString: text))"
  }

  /// Turns a shim's negative result into a thrown error.
  @discardableResult
  package static func check(_ result: Int32, _ call: String) throws -> Int32 {
    guard result >= 0 else { throw SystemCallError(number: -result, call: call) }
    return result
  }
}
