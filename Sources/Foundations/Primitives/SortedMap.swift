/// A map kept as one sorted array: its order is its keys' order on every machine.
///
/// Lookup is a binary search, O(log n); insertion and removal move elements, O(n): right for peers,
/// lanes and other small sets, wrong for millions of rows.
package struct SortedMap<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  /// The entries in ascending order of key.
  package private(set) var entries: [(key: Key, value: Value)] = []

  /// Makes an empty map.
  package init() {}

  /// The number of entries.
  package var count: Int { entries.count }

  /// Whether there is no entry.
  package var isEmpty: Bool { entries.isEmpty }

  /// The value at `key`; assigning `nil` removes it.
  package subscript(key: Key) -> Value? {
    get {
      let index = position(of: key)
      return index < entries.count && entries[index].key == key ? entries[index].value : nil
    }
    set {
      let index = position(of: key)
      let present = index < entries.count && entries[index].key == key
      switch (present, newValue) {
      case (true, .some(let value)): entries[index].value = value
      case (true, .none): entries.remove(at: index)
      case (false, .some(let value)): entries.insert((key, value), at: index)
      case (false, .none): break
      }
    }
  }

  /// The value at `key`, with `fallback` standing in (and stored on mutation) when absent.
  package subscript(key: Key, default fallback: @autoclosure () -> Value) -> Value {
    get { self[key] ?? fallback() }
    _modify {
      let index = position(of: key)
      if index == entries.count || entries[index].key != key {
        entries.insert((key, fallback()), at: index)
      }
      yield &entries[index].value
    }
  }

  /// The index of `key`, or `nil` when absent.
  package func index(of key: Key) -> Int? {
    let index = position(of: key)
    return index < entries.count && entries[index].key == key ? index : nil
  }

  /// The first index whose key is not less than `key`.
  package func position(of key: Key) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Removes every entry.
  package mutating func removeAll() {
    entries.removeAll()
  }
}

extension SortedMap: Equatable where Value: Equatable {
  package static func == (left: Self, right: Self) -> Bool {
    left.entries.count == right.entries.count
      && zip(left.entries, right.entries).allSatisfy { $0.key == $1.key && $0.value == $1.value }
  }
}
