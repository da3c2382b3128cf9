internal import Glibc

/// The clock by which storage measures itself; no decision depends on it.
enum MonotonicClock {
  /// Nanoseconds since an origin that the kernel chose.
  static var nanoseconds: UInt64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
