internal import Records

/// The entries that are in memory: contiguous, their terms never falling.
///
/// What stands before the first one is known by index and term only. Dropping a prefix moves what
/// stays once per snapshot, so it costs nothing per entry.
struct RaftLog: Sendable {
  /// The entry before the first one.
  private(set) var baseIndex: UInt64
  /// Its term.
  private(set) var baseTerm: UInt64
  private(set) var entries: [RaftEntry] = []

  init(baseIndex: UInt64, baseTerm: UInt64) {
    self.baseIndex = baseIndex
    self.baseTerm = baseTerm
  }

  /// The last entry, or the one before the first when there is none.
  var lastIndex: UInt64 { baseIndex + UInt64(entries.count) }
  var lastTerm: UInt64 { entries.last?.term ?? baseTerm }

  /// The term of an entry; `nil` when it is not there, or no more.
  func term(at index: UInt64) -> UInt64? {
    if index == baseIndex { return baseTerm }
    guard index > baseIndex, index <= lastIndex else { return nil }
    return entries[place(of: index)].term
  }

  /// The entry at an index that is there.
  func entry(at index: UInt64) -> RaftEntry { entries[place(of: index)] }

  /// The entries from `first` through `last`.
  func slice(_ first: UInt64, _ last: UInt64) -> ArraySlice<RaftEntry> {
    precondition(
      first > baseIndex && last <= lastIndex && first <= last + 1,
      "entries \(first)...\(last) of \(baseIndex + 1)...\(lastIndex)")
    return entries[place(of: first)..<(place(of: last) + 1)]
  }

  /// Where a message that begins at `first` ends: as many entries as the budget allows, and one
  /// at least.
  func end(from first: UInt64, bytesMax: Int, countMax: Int) -> UInt64 {
    var last = first
    var bytes = entry(at: first).byteCount
    while last < lastIndex, last - first + 1 < UInt64(countMax) {
      bytes += entry(at: last + 1).byteCount
      if bytes > bytesMax { break }
      last += 1
    }
    return last
  }

  mutating func append(_ entry: RaftEntry) {
    precondition(
      entry.index == lastIndex + 1 && entry.term >= lastTerm,
      "entry \(entry.index) of term \(entry.term) behind \(lastIndex) of \(lastTerm)")
    entries.append(entry)
  }

  mutating func append(contentsOf new: ArraySlice<RaftEntry>) {
    guard let first = new.first else { return }
    precondition(
      first.index == lastIndex + 1 && first.term >= lastTerm,
      "entry \(first.index) of term \(first.term) behind \(lastIndex) of \(lastTerm)")
    entries.append(contentsOf: new)
  }

  /// Removes what stands behind `index`.
  mutating func truncate(after index: UInt64) {
    precondition(
      index >= baseIndex && index <= lastIndex,
      "entries after \(index) of \(baseIndex + 1)...\(lastIndex)")
    entries.removeSubrange((place(of: index) + 1)...)
  }

  /// Forgets the entries through `index`, which stays known by its term.
  mutating func compact(through index: UInt64) {
    guard index > baseIndex else { return }
    precondition(index <= lastIndex, "compaction through \(index) of \(lastIndex)")
    let term = entry(at: index).term
    entries.removeSubrange(..<(place(of: index) + 1))
    baseIndex = index
    baseTerm = term
  }

  /// Forgets everything: the log begins behind an entry that a snapshot reflects.
  mutating func reset(index: UInt64, term: UInt64) {
    entries.removeAll()
    baseIndex = index
    baseTerm = term
  }

  /// The last entry at or before `index` whose term is not above `term`; the base when there is
  /// none. Both logs hold the same up to the smaller of what either side finds this way.
  func lastIndex(through index: UInt64, termAtMost term: UInt64) -> UInt64 {
    let end = min(index, lastIndex)
    guard end > baseIndex else { return end }
    var low = 0
    var high = Int(end - baseIndex)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].term <= term {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return baseIndex + UInt64(low)
  }

  private func place(of index: UInt64) -> Int { Int(index) - Int(baseIndex) - 1 }
}
