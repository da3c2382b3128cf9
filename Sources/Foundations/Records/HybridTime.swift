/// A hybrid logical timestamp: 48 bits of milliseconds since 1970 and 16 bits of counter.
///
/// Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical physical clocks" (2014). The order of the
/// timestamps extends causality and stays close to the wall clock.
package struct HybridTime: Hashable, Comparable, Sendable {
  /// The timestamp as one number, whose order is the order of time.
  package let raw: UInt64

  /// Takes a timestamp as stored or read from the wire.
  package init(raw: UInt64) {
    self.raw = raw
  }

  /// Makes a timestamp; milliseconds beyond 48 bits are not representable.
  package init(milliseconds: UInt64, counter: UInt16) {
    precondition(milliseconds < 1 << 48, "\(milliseconds) ms do not fit 48 bits")
    raw = milliseconds << 16 | UInt64(counter)
  }

  /// Before every timestamp.
  package static let zero = HybridTime(raw: 0)

  /// Milliseconds since 1970 in UTC.
  package var milliseconds: UInt64 { raw >> 16 }

  /// The counter among equal milliseconds.
  package var counter: UInt16 { UInt16(truncatingIfNeeded: raw) }

  /// The next timestamp; carries into the milliseconds after 65,536 in one.
  package var next: HybridTime {
    precondition(raw < .max, "hybrid time is exhausted")
    return HybridTime(raw: raw + 1)
  }

  package static func < (left: HybridTime, right: HybridTime) -> Bool { left.raw < right.raw }
}
