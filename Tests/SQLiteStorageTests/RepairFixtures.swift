import Glibc
import Primitives
import Records
import SQLiteStorage
import StorageThreads
import Testing

/// Collects answers of other threads.
final class Answers<Value: Sendable>: Sendable {
  private let values = Monitor<[Value]>([])

  func add(_ value: Value) { values.update { $0.append(value) } }

  /// The answers, once there are this many.
  func wait(for count: Int) -> [Value] {
    values.wait { $0.count >= count ? $0 : nil }
  }

  var all: [Value] { values.read { $0 } }
}

/// Collects what storage tells of damage.
final class Damages: Sendable {
  private let damages = Answers<StorageDamage>()

  func add(_ damage: StorageDamage) { damages.add(damage) }

  var all: [StorageDamage] { damages.all }

  /// Has everything read now and waits for the end.
  func scrub(_ storage: SwarmStorage) -> ScrubOutcome {
    let outcomes = Answers<ScrubOutcome>()
    storage.scrub { outcomes.add($0) }
    return outcomes.wait(for: 1)[0]
  }
}

extension TestFiles {
  /// Changes one byte of a file in place.
  static func flip(_ path: String, at offset: Int, by mask: UInt8 = 0xff) throws {
    let descriptor = open(path, O_RDWR)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var byte: UInt8 = 0
    try #require(pread(descriptor, &byte, 1, offset) == 1)
    byte ^= mask
    try #require(pwrite(descriptor, &byte, 1, offset) == 1)
  }
}

extension [UInt8] {
  /// Where these bytes stand, in ascending order.
  func places(of needle: [UInt8]) -> [Int] {
    guard count >= needle.count else { return [] }
    return (0...(count - needle.count)).filter { place in
      self[place..<(place + needle.count)].elementsEqual(needle)
    }
  }
}
