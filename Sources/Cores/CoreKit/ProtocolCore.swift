package import Primitives

/// What every protocol core is: a value that takes one step per event.
///
/// A core has no I/O, reads no clock and draws no randomness but from a generator seeded at its
/// making. The node and the simulator drive the same cores, so whatever one can do the other can
/// reach. A step never suspends and is a function of state, event and time alone.
package protocol ProtocolCore: Sendable {
  /// What happened.
  associatedtype Event
  /// What the driver is to do, in the order it was asked.
  associatedtype Effects

  /// Takes one step; the instant of `now` never goes back. Effects are appended to a buffer of the
  /// caller's.
  mutating func handle(_ event: consuming Event, at now: Moment, into effects: inout Effects)

  /// The next instant at which the core wants to be told that time has passed.
  var nextDeadline: Instant? { get }
}
