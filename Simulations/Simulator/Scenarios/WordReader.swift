internal import Primitives

/// Reads the words of one line.
struct WordReader {
  let line: Int
  private var words: ArraySlice<Substring>

  init(_ words: [Substring], line: Int) {
    self.words = words[...]
    self.line = line
  }

  var isAtEnd: Bool { words.isEmpty }

  func error(_ message: String) -> ScenarioError { ScenarioError(line, message) }

  mutating func next(_ what: String) throws(ScenarioError) -> Substring {
    guard let word = words.popFirst() else { throw error("\(what) is missing at the end") }
    return word
  }

  /// Takes the next word when it is `word`.
  mutating func take(_ word: String) -> Bool {
    guard let first = words.first, first == word else { return false }
    words.removeFirst()
    return true
  }

  mutating func expect(_ word: String) throws(ScenarioError) {
    let found = try next("'\(word)'")
    guard found == word else { throw error("expected '\(word)' instead of '\(found)'") }
  }

  func expectEnd() throws(ScenarioError) {
    if let word = words.first { throw error("'\(word)' is one word too many") }
  }

  mutating func number(_ what: String, _ range: ClosedRange<UInt64>) throws(ScenarioError)
    -> UInt64
  {
    try number(try next(what), what, range)
  }

  private func number(
    _ word: Substring, _ what: String, _ range: ClosedRange<UInt64>
  ) throws(ScenarioError) -> UInt64 {
    guard let value = UInt64(word), range.contains(value) else {
      throw error(
        "\(what) must be a number from \(range.lowerBound) to \(range.upperBound), not '\(word)'")
    }
    return value
  }

  /// A rate such as `50/s`.
  mutating func rate() throws(ScenarioError) -> UInt64 {
    let rate = try next("the rate")
    guard rate.hasSuffix("/s"), let value = UInt64(rate.dropLast(2)), (1...100_000).contains(value)
    else { throw error("a rate is 1/s to 100000/s, not '\(rate)'") }
    return value
  }

  /// A node, counting from 1 in the text and from 0 here.
  mutating func node(of count: Int) throws(ScenarioError) -> Int {
    Int(try number("a node", 1...UInt64(count))) - 1
  }

  mutating func nodes(of count: Int) throws(ScenarioError) -> [Int] {
    var nodes: [Int] = []
    for word in try next("a list of nodes").split(separator: ",", omittingEmptySubsequences: false)
    {
      nodes.append(Int(try number(word, "a node", 1...UInt64(count))) - 1)
    }
    return nodes
  }

  /// A length of time such as `200ms`, `5s` or `50us`.
  mutating func span(_ what: String) throws(ScenarioError) -> TimeSpan {
    try span(of: try next(what), what)
  }

  private func span(of word: Substring, _ what: String) throws(ScenarioError) -> TimeSpan {
    let digits = word.prefix { $0.isASCII && $0.isNumber }
    guard let count = UInt64(digits), count <= 1_000_000_000 else {
      throw error("\(what) must be a time such as 200ms or 5s, not '\(word)'")
    }
    switch word[digits.endIndex...] {
    case "us": return .microseconds(count)
    case "ms": return .milliseconds(count)
    case "s": return .seconds(count)
    default: throw error("the time '\(word)' must end in us, ms or s")
    }
  }

  /// A range of time such as `1ms..10ms`.
  mutating func range(_ what: String) throws(ScenarioError) -> TimeRange {
    let word = try next(what)
    guard let dots = word.firstRange(of: "..") else {
      throw error("\(what) must be a range such as 1ms..10ms, not '\(word)'")
    }
    let shortest = try span(of: word[..<dots.lowerBound], what)
    let longest = try span(of: word[dots.upperBound...], what)
    guard shortest <= longest else { throw error("'\(word)' ends before it starts") }
    return TimeRange(shortest, longest)
  }

  /// A share such as `1%` or `0.25%`, in millionths.
  mutating func share(_ what: String) throws(ScenarioError) -> UInt64 {
    let word = try next(what)
    let parts = word.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard word.hasSuffix("%"), (1...2).contains(parts.count), let whole = UInt64(parts[0]),
      whole <= 100
    else { throw error("\(what) must be a share such as 5% or 0.5%, not '\(word)'") }
    var millionths = whole * 10_000
    if parts.count == 2 {
      guard (1...4).contains(parts[1].count), let fraction = UInt64(parts[1]) else {
        throw error("the share '\(word)' has one to four digits behind the point")
      }
      var scaled = fraction
      for _ in parts[1].count..<4 { scaled *= 10 }
      millionths += scaled
    }
    guard millionths <= 1_000_000 else { throw error("'\(word)' is more than everything") }
    return millionths
  }
}
