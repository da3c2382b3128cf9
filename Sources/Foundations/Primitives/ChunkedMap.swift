/// An ordered map for up to millions of entries, kept as sorted chunks of bounded size.
///
/// Lookup is two binary searches; insertion and removal move at most one chunk's elements and, once
/// in some dozens of times, the references of the directory of chunks. A copy shares all chunks:
/// the first change after a copy copies the directory, one reference per chunk, and each chunk is
/// copied when it is first changed. So a copy can be read on another thread at leisure.
///
/// Invariants:
/// 1. Keys ascend strictly, within a chunk and from chunk to chunk.
/// 2. No chunk is empty or holds more than `chunkMax` entries.
/// 3. For i > 0, `floors[i]` is at most the first key of chunk `i` and above all keys before. It
///    may be the key of an entry that is gone.
/// 4. `count` is the number of entries.
///
/// Public for the same reason as `SortedMap`.
public struct ChunkedMap<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  /// An entry.
  public typealias Element = (key: Key, value: Value)

  /// The most entries of a chunk.
  @inlinable public static var chunkMax: Int { 128 }
  /// A chunk with fewer entries is joined with a neighbour if both are short enough.
  @inlinable static var chunkLow: Int { 32 }
  /// The most entries of a chunk that two were joined to: far from `chunkMax`, so that joining and
  /// splitting do not alternate.
  @inlinable static var joinedMax: Int { 96 }

  @usableFromInline var chunks: [[Element]] = []
  @usableFromInline var floors: [Key] = []

  /// The number of entries.
  @inlinable public var count: Int { storedCount }
  @usableFromInline var storedCount = 0

  /// Where an entry is, or where it would be. Every change makes it void.
  public struct Position: Sendable {
    @usableFromInline var chunk: Int
    @usableFromInline var offset: Int
    /// Whether there is an entry with the key that was searched for.
    public let isFound: Bool

    @inlinable init(chunk: Int, offset: Int, isFound: Bool) {
      self.chunk = chunk
      self.offset = offset
      self.isFound = isFound
    }
  }

  /// Makes an empty map.
  @inlinable public init() {}

  /// Makes a map of entries whose keys ascend strictly.
  @inlinable public init(sorted entries: some Sequence<Element>) {
    self.init()
    for entry in entries { append(entry.key, entry.value) }
  }

  /// Whether there is no entry.
  @inlinable public var isEmpty: Bool { storedCount == 0 }

  /// The entry with the smallest key.
  @inlinable public var first: Element? { chunks.first?[0] }

  /// The entry with the greatest key.
  @inlinable public var last: Element? { chunks.last?.last }

  /// The value at `key`; assigning `nil` removes it.
  @inlinable public subscript(key: Key) -> Value? {
    get {
      let position = search(key)
      return position.isFound ? self[position] : nil
    }
    set {
      let position = search(key)
      if let newValue {
        if position.isFound {
          self[position] = newValue
        } else {
          insert(key, newValue, at: position)
        }
      } else if position.isFound {
        remove(at: position)
      }
    }
  }

  /// Whether there is an entry with this key.
  @inlinable public func contains(_ key: Key) -> Bool { search(key).isFound }
}

// MARK: - Positions

extension ChunkedMap {
  /// Finds the entry with this key, or the place before which all keys are smaller.
  @inlinable public func search(_ key: Key) -> Position {
    if chunks.isEmpty { return Position(chunk: 0, offset: 0, isFound: false) }
    // The last chunk whose floor is not beyond the key; the first chunk has no floor.
    var low = 1
    var high = floors.count
    while low < high {
      let middle = (low + high) / 2
      if key < floors[middle] {
        high = middle
      } else {
        low = middle + 1
      }
    }
    let chunk = low - 1
    var from = 0
    var to = chunks[chunk].count
    while from < to {
      let middle = (from + to) / 2
      if chunks[chunk][middle].key < key {
        from = middle + 1
      } else {
        to = middle
      }
    }
    let isFound = from < chunks[chunk].count && chunks[chunk][from].key == key
    return Position(chunk: chunk, offset: from, isFound: isFound)
  }

  /// The value at a position that was found.
  @inlinable public subscript(position: Position) -> Value {
    get {
      precondition(position.isFound, "the value of an entry that was not found")
      return chunks[position.chunk][position.offset].value
    }
    _modify {
      precondition(position.isFound, "the value of an entry that was not found")
      yield &chunks[position.chunk][position.offset].value
    }
  }

  /// Adds an entry where searching for its key has not found one.
  @inlinable public mutating func insert(_ key: Key, _ value: Value, at position: Position) {
    precondition(!position.isFound, "an entry is there")
    storedCount += 1
    if chunks.isEmpty {
      chunks.append([(key, value)])
      floors.append(key)
      return
    }
    let size = chunks[position.chunk].count
    if size < Self.chunkMax {
      chunks[position.chunk].insert((key, value), at: position.offset)
      return
    }
    if position.chunk == chunks.count - 1 && position.offset == size {
      // What grows at its end fills its chunks.
      chunks.append([(key, value)])
      floors.append(key)
      return
    }
    split(position.chunk)
    let half = chunks[position.chunk].count
    if position.offset <= half {
      chunks[position.chunk].insert((key, value), at: position.offset)
    } else {
      chunks[position.chunk + 1].insert((key, value), at: position.offset - half)
    }
  }

  /// Adds an entry behind all others.
  @inlinable public mutating func append(_ key: Key, _ value: Value) {
    if let last { precondition(last.key < key, "an entry appended out of order") }
    let chunk = Swift.max(chunks.count - 1, 0)
    insert(
      key, value,
      at: Position(chunk: chunk, offset: chunks.last?.count ?? 0, isFound: false))
  }

  /// Removes the entry at a position that was found, and returns its value.
  @discardableResult
  @inlinable public mutating func remove(at position: Position) -> Value {
    precondition(position.isFound, "an entry that was not found")
    storedCount -= 1
    let value = chunks[position.chunk].remove(at: position.offset).value
    if chunks[position.chunk].count < Self.chunkLow { join(position.chunk) }
    return value
  }

  /// Removes the entry with this key, and returns its value.
  @discardableResult
  @inlinable public mutating func removeValue(forKey key: Key) -> Value? {
    let position = search(key)
    return position.isFound ? remove(at: position) : nil
  }

  /// Removes the entry with the smallest key, and returns it.
  @discardableResult
  @inlinable public mutating func popFirst() -> Element? {
    guard let first else { return nil }
    remove(at: Position(chunk: 0, offset: 0, isFound: true))
    return first
  }

  /// Removes all entries with smaller keys, and returns how many they were.
  @discardableResult
  @inlinable public mutating func removeAll(below key: Key) -> Int {
    let position = search(key)
    if position.chunk == 0 && position.offset == 0 { return 0 }
    let before = storedCount
    for chunk in 0..<position.chunk { storedCount -= chunks[chunk].count }
    storedCount -= position.offset
    chunks.removeSubrange(0..<position.chunk)
    floors.removeSubrange(0..<position.chunk)
    chunks[0].removeSubrange(0..<position.offset)
    if chunks[0].count < Self.chunkLow { join(0) }
    return before - storedCount
  }

  /// Cuts a chunk into halves.
  @inlinable mutating func split(_ chunk: Int) {
    let half = chunks[chunk].count / 2
    var upper: [Element] = []
    upper.reserveCapacity(Self.chunkMax)
    upper.append(contentsOf: chunks[chunk][half...])
    chunks[chunk].removeSubrange(half...)
    floors.insert(upper[0].key, at: chunk + 1)
    chunks.insert(upper, at: chunk + 1)
  }

  /// Removes a chunk that is empty, or joins it with a neighbour when both are short.
  @inlinable mutating func join(_ chunk: Int) {
    if chunks[chunk].isEmpty {
      chunks.remove(at: chunk)
      floors.remove(at: chunk)
      return
    }
    let size = chunks[chunk].count
    if chunk + 1 < chunks.count, size + chunks[chunk + 1].count <= Self.joinedMax {
      chunks[chunk].append(contentsOf: chunks[chunk + 1])
      chunks.remove(at: chunk + 1)
      floors.remove(at: chunk + 1)
    } else if chunk > 0, size + chunks[chunk - 1].count <= Self.joinedMax {
      chunks[chunk - 1].append(contentsOf: chunks[chunk])
      chunks.remove(at: chunk)
      floors.remove(at: chunk)
    }
  }
}
