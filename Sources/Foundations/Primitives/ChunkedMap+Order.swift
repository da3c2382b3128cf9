extension ChunkedMap: Sequence {
  /// Walks entries in ascending order of key.
  public struct Iterator: IteratorProtocol, Sequence, Sendable {
    @usableFromInline let chunks: [[Element]]
    @usableFromInline var chunk: Int
    @usableFromInline var offset: Int

    @inlinable init(chunks: [[Element]], chunk: Int, offset: Int) {
      self.chunks = chunks
      self.chunk = chunk
      self.offset = offset
    }

    /// The next entry.
    @inlinable public mutating func next() -> Element? {
      while chunk < chunks.count {
        if offset < chunks[chunk].count {
          offset += 1
          return chunks[chunk][offset - 1]
        }
        chunk += 1
        offset = 0
      }
      return nil
    }
  }

  /// All entries, in order.
  @inlinable public func makeIterator() -> Iterator {
    Iterator(chunks: chunks, chunk: 0, offset: 0)
  }

  /// The entries whose keys are not less than `key`, in order.
  @inlinable public func entries(from key: Key) -> Iterator {
    let position = search(key)
    return Iterator(chunks: chunks, chunk: position.chunk, offset: position.offset)
  }

  /// The entries whose keys are greater than `key`, in order.
  @inlinable public func entries(after key: Key) -> Iterator {
    let position = search(key)
    return Iterator(
      chunks: chunks, chunk: position.chunk, offset: position.offset + (position.isFound ? 1 : 0))
  }

  /// The first invariant, by number, that does not hold.
  public var brokenInvariant: String? {
    var total = 0
    var previous: Key?
    guard floors.count == chunks.count else { return "3: \(floors.count) floors" }
    for (number, chunk) in chunks.enumerated() {
      if chunk.isEmpty || chunk.count > Self.chunkMax { return "2: a chunk of \(chunk.count)" }
      if number > 0 {
        if chunk[0].key < floors[number] { return "3: a floor above its chunk" }
        if let previous, !(previous < floors[number]) { return "3: a floor in a chunk before" }
      }
      for entry in chunk {
        if let previous, !(previous < entry.key) { return "1: keys out of order" }
        previous = entry.key
      }
      total += chunk.count
    }
    return total == count ? nil : "4: \(count) counted, \(total) present"
  }
}

extension ChunkedMap: Equatable where Value: Equatable {
  /// Whether both hold the same entries, however they are cut into chunks.
  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count
      && left.elementsEqual(right) { $0.key == $1.key && $0.value == $1.value }
  }
}
