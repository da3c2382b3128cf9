/// A map kept as one sorted array: its order is its keys' order on every machine.
///
/// Lookup is a binary search, O(log n); insertion and removal move elements, O(n): right for peers,
/// lanes and other small sets, wrong for millions of rows. Public and inlinable, as are the names
/// used as keys: the cores look lanes up in every step, the compiler specialises no `package` code
/// across modules, and unspecialised code spends ten times more on metadata than on the search.
public struct SortedMap<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  @usableFromInline var storage: [(key: Key, value: Value)] = []

  /// The entries in ascending order of key.
  @inlinable public var entries: [(key: Key, value: Value)] { storage }

  /// Makes an empty map.
  @inlinable public init() {}

  /// The number of entries.
  @inlinable public var count: Int { storage.count }

  /// Whether there is no entry.
  @inlinable public var isEmpty: Bool { storage.isEmpty }

  /// The value at `key`; assigning `nil` removes it.
  @inlinable public subscript(key: Key) -> Value? {
    get {
      let index = position(of: key)
      return index < storage.count && storage[index].key == key ? storage[index].value : nil
    }
    set {
      let index = position(of: key)
      let present = index < storage.count && storage[index].key == key
      switch (present, newValue) {
      case (true, .some(let value)): storage[index].value = value
      case (true, .none): storage.remove(at: index)
      case (false, .some(let value)): storage.insert((key, value), at: index)
      case (false, .none): break
      }
    }
  }

  /// The value at `key`, with `fallback` standing in (and stored on mutation) when absent.
  @inlinable public subscript(key: Key, default fallback: @autoclosure () -> Value) -> Value {
    get { self[key] ?? fallback() }
    _modify {
      let index = position(of: key)
      if index == storage.count || storage[index].key != key {
        storage.insert((key, fallback()), at: index)
      }
      yield &storage[index].value
    }
  }

  /// The index of `key`, or `nil` when absent.
  @inlinable public func index(of key: Key) -> Int? {
    let index = position(of: key)
    return index < storage.count && storage[index].key == key ? index : nil
  }

  /// The first index whose key is not less than `key`.
  @inlinable public func position(of key: Key) -> Int {
    var low = 0
    var high = storage.count
    while low < high {
      let middle = (low + high) / 2
      if storage[middle].key < key {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Removes every entry.
  @inlinable public mutating func removeAll() {
    storage.removeAll()
  }
}

extension SortedMap: Equatable where Value: Equatable {
  /// Whether both hold equal values at equal keys.
  @inlinable public static func == (left: Self, right: Self) -> Bool {
    left.entries.count == right.entries.count
      && zip(left.entries, right.entries).allSatisfy { $0.key == $1.key && $0.value == $1.value }
  }
}
