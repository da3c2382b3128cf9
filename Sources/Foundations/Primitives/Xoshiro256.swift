/// A fraction in integers: a probability that every machine computes alike.
package struct Ratio: Hashable, Sendable {
  /// The part.
  package let numerator: UInt64

  /// The whole, never zero.
  package let denominator: UInt64

  /// Makes `numerator / denominator`.
  package init(_ numerator: UInt64, in denominator: UInt64) {
    precondition(denominator > 0, "ratio with a zero denominator: \(numerator)/0")
    self.numerator = numerator
    self.denominator = denominator
  }

  /// Never.
  package static let zero = Ratio(0, in: 1)
}

/// Xoshiro256**, the seeded generator behind every random choice of a core and of the simulator.
///
/// Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2018); seeded by
/// SplitMix64 as its authors advise. Not for secrets.
package struct Xoshiro256: Hashable, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Seeds the generator; equal seeds give equal sequences everywhere.
  package init(seed: UInt64) {
    var mixer = SplitMix64(state: seed)
    state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  /// Makes a generator in a given state, as published outputs state it; not all words may be zero.
  package init(state first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
    precondition(first | second | third | fourth != 0, "a generator of zeros yields only zeros")
    state = (first, second, third, fourth)
  }

  /// Makes a generator for the purpose `name`, so that draws for one purpose never shift another.
  package init(seed: UInt64, purpose name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    var mixer = SplitMix64(state: seed ^ hash)
    self.init(seed: mixer.next())
  }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    let result = rotate(state.1 &* 5, by: 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, by: 45)
    return result
  }

  /// A number in `0..<bound` without bias (Lemire 2019).
  package mutating func next(below bound: UInt64) -> UInt64 {
    precondition(bound > 0, "a random number below zero was asked for")
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold {
        product = next().multipliedFullWidth(by: bound)
      }
    }
    return product.high
  }

  /// A number in `0..<bound` without bias.
  package mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "a random number below \(bound) was asked for")
    return Int(next(below: UInt64(bound)))
  }

  /// A number in the closed range.
  package mutating func next(in range: ClosedRange<UInt64>) -> UInt64 {
    if range.lowerBound == 0 && range.upperBound == .max { return next() }
    return range.lowerBound + next(below: range.upperBound - range.lowerBound + 1)
  }

  /// True with the given probability. Draws nothing for the ratio zero.
  package mutating func chance(_ ratio: Ratio) -> Bool {
    ratio.numerator > 0 && next(below: ratio.denominator) < ratio.numerator
  }

  /// Puts `elements` in a random order (Fisher and Yates).
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    var index = elements.count - 1
    while index > 0 {
      elements.swapAt(index, next(below: index + 1))
      index -= 1
    }
  }

  private func rotate(_ value: UInt64, by count: UInt64) -> UInt64 {
    value << count | value >> (64 - count)
  }

  package static func == (left: Xoshiro256, right: Xoshiro256) -> Bool {
    left.state == right.state
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(state.0)
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014): turns one word into well-mixed seeds.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
