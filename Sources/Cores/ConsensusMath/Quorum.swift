/// Sizes of quorums: how many of `count` voters must agree.
package enum Quorum {
  /// The smallest number of voters of which any two sets share a voter: ⌊n/2⌋ + 1.
  package static func majority(of count: Int) -> Int {
    precondition(count > 0, "a majority of \(count) voters was asked for")
    return count / 2 + 1
  }

  /// How many of `count` voters may lie without breaking Byzantine agreement: ⌊(n − 1)/3⌋.
  package static func toleratedFaults(of count: Int) -> Int {
    precondition(count > 0, "the faults among \(count) voters were asked for")
    return (count - 1) / 3
  }

  /// The smallest number of voters of which any two sets share an honest one: 2f + 1 of 3f + 1.
  ///
  /// For other counts it is ⌊(n + f)/2⌋ + 1: two sets of that size overlap in more than f voters,
  /// and the n − f honest ones always suffice to form one.
  package static func byzantine(of count: Int) -> Int {
    let faults = toleratedFaults(of: count)
    let size = (count + faults) / 2 + 1
    precondition(size <= count - faults, "quorum \(size) of \(count) needs a faulty voter")
    return size
  }
}
