internal import Records
internal import Wire

/// The configurations that the log names, by the index of the entry that names each.
///
/// A configuration is in force from the moment its entry is appended and until the entry is
/// truncated: what is in force is always the last one.
struct ConfigurationHistory: Sendable {
  /// Ascending in index; the first is that of the snapshot, or of the beginning.
  private(set) var entries: [(index: UInt64, configuration: RaftConfiguration)]

  init(index: UInt64, _ configuration: RaftConfiguration) {
    entries = [(index, configuration)]
  }

  /// The one in force.
  var current: RaftConfiguration { entries[entries.count - 1].configuration }

  /// The entry that names the one in force.
  var currentIndex: UInt64 { entries[entries.count - 1].index }

  /// The one that was in force as of an entry; `nil` when that is forgotten.
  func configuration(at index: UInt64) -> RaftConfiguration? {
    entries.last { $0.index <= index }?.configuration
  }

  mutating func append(_ configuration: RaftConfiguration, at index: UInt64) {
    precondition(index > currentIndex, "configuration \(index) behind \(currentIndex)")
    entries.append((index, configuration))
  }

  /// Rolls back what truncated entries brought; true when another one is in force now.
  mutating func truncate(after index: UInt64) -> Bool {
    let before = entries.count
    while entries.count > 1, currentIndex > index { entries.removeLast() }
    return entries.count < before
  }

  /// Forgets those that were over before an entry.
  mutating func compact(through index: UInt64) {
    while entries.count > 1, entries[1].index <= index { entries.removeFirst() }
  }
}
