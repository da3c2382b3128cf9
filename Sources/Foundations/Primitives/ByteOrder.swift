extension Array where Element == UInt8 {
  /// Whether these bytes come before `other` in lexicographic order, a prefix first.
  ///
  /// Eight bytes at a time: ordered maps spend most of their time here.
  @inlinable package func precedes(_ other: [UInt8]) -> Bool {
    withUnsafeBytes { left in
      other.withUnsafeBytes { right in
        let common = Swift.min(left.count, right.count)
        var offset = 0
        while offset &+ 8 <= common {
          let mine = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          let theirs = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          if mine != theirs { return mine.bigEndian < theirs.bigEndian }
          offset &+= 8
        }
        // `offset` stays at most `common`, which is a count: neither sum can wrap.
        while offset < common {
          if left[offset] != right[offset] { return left[offset] < right[offset] }
          offset &+= 1
        }
        return left.count < right.count
      }
    }
  }
}
