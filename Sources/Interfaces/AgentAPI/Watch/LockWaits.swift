internal import ControlCore
internal import Primitives

/// Requests that are in line for a lock.
///
/// Nobody is called from here: what a wait is told may make it ask for another.
struct LockWaits {
  /// How a wait ended.
  enum End: Equatable {
    /// The lease holds the lock.
    case held(token: UInt64)
    /// The lease is not in line any more.
    case gone
    /// The time is over; the lease still waits.
    case timedOut
  }

  private struct Wait {
    let name: ControlName
    let lease: LeaseID
    let deadline: Instant
    let check: (UInt64) -> Void
    let ended: (End) -> Void
  }

  private struct Place: Hashable {
    let name: ControlName
    let lease: LeaseID
  }

  private var waits: [UInt64: Wait] = [:]
  private var places: [Place: [UInt64]] = [:]
  private var next: UInt64 = 1
  /// No wait's deadline is earlier.
  private(set) var due: Instant?

  var count: Int { waits.count }

  mutating func add(
    _ name: ControlName, _ lease: LeaseID, until deadline: Instant,
    check: @escaping (UInt64) -> Void, ended: @escaping (End) -> Void
  ) -> UInt64 {
    defer { next += 1 }
    waits[next] = Wait(name: name, lease: lease, deadline: deadline, check: check, ended: ended)
    places[Place(name: name, lease: lease), default: []].append(next)
    due = min(due ?? deadline, deadline)
    return next
  }

  /// Takes a wait out, and says whom to tell.
  mutating func take(_ wait: UInt64) -> ((End) -> Void)? {
    guard let taken = waits.removeValue(forKey: wait) else { return nil }
    let place = Place(name: taken.name, lease: taken.lease)
    places[place]?.removeAll { $0 == wait }
    if places[place]?.isEmpty == true { places[place] = nil }
    return taken.ended
  }

  /// The waits of a lease for a lock.
  func names(_ name: ControlName, _ lease: LeaseID) -> [UInt64] {
    places[Place(name: name, lease: lease)] ?? []
  }

  /// What makes every wait look whether it is over.
  var checks: [() -> Void] {
    waits.sorted { $0.key < $1.key }.map { wait in { wait.value.check(wait.key) } }
  }

  /// The waits whose time is over, the oldest first; notes when the next one's is.
  mutating func overdue(at now: Instant) -> [UInt64] {
    guard let due, due <= now else { return [] }
    self.due = waits.values.lazy.map(\.deadline).filter { $0 > now }.min()
    return waits.filter { $0.value.deadline <= now }.map(\.key).sorted()
  }
}
