internal import Primitives

/// A running hash over every event and every effect: two runs of one seed must end with one value.
struct Auditor {
  private var low: UInt64 = 0x9e37_79b9_7f4a_7c15
  private var high: UInt64 = 0xbf58_476d_1ce4_e5b9

  mutating func mix(_ word: UInt64) {
    let product = (low ^ word).multipliedFullWidth(by: 0x9fb2_1c65_1e98_df25)
    low = high ^ product.low
    high = product.high &+ 0xd6e8_feb8_6659_fd93
  }

  mutating func mix(_ first: UInt64, _ second: UInt64, _ third: UInt64) {
    mix(first)
    mix(second)
    mix(third)
  }

  mutating func mix(_ digest: Digest) {
    mix(digest.words.0)
    mix(digest.words.1)
  }

  mutating func mix(_ bytes: [UInt8]) {
    mix(UInt64(bytes.count))
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      while offset + 8 <= buffer.count {
        let word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        mix(UInt64(littleEndian: word))
        offset += 8
      }
      var rest: UInt64 = 0
      while offset < buffer.count {
        rest = rest << 8 | UInt64(buffer[offset])
        offset += 1
      }
      mix(rest)
    }
  }

  /// The hash so far, as 32 hexadecimal digits.
  var text: String {
    [low, high].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }.joined()
  }
}
