package import Primitives
package import Records

/// What the cut needs to know of one bundle: its name and what came before it.
package struct BundleOutline: Hashable, Sendable {
  /// The header's digest.
  package let digest: Digest
  /// The lanes that moved since the lane's previous bundle, and how far.
  package let context: [LanePosition]
  /// How many operations it holds.
  package let operationCount: Int

  /// Outlines a header.
  package init(_ header: SignedHeader) {
    digest = header.digest
    context = header.header.context
    operationCount = header.header.operationCount
  }
}

/// The bundles of one lane that are held and not yet final, oldest first, as far as they are in
/// memory.
package struct LaneWindow: Sendable {
  /// Outlines kept at most; what is beyond is read from the log when the cut comes near.
  package static let countMax = 4_096

  /// The last bundle that is final.
  package private(set) var final: UInt64 = 0
  private var outlines: [BundleOutline] = []
  /// Outlines at the front that are final by now: dropped in bulk.
  private var dropped = 0
  /// Whether outlines were asked for and have not come.
  var isLoading = false

  /// Knows of nothing yet.
  package init() {}

  /// The last bundle that is in memory.
  package var last: UInt64 { final + UInt64(outlines.count - dropped) }

  /// How many are in memory.
  package var count: Int { outlines.count - dropped }

  /// The outline of a bundle; `nil` when it is final or not in memory.
  package subscript(number: UInt64) -> BundleOutline? {
    guard number > final, number <= last else { return nil }
    return outlines[dropped + Int(number - final - 1)]
  }

  /// The last of the bundles after `from`, through `through`, that hold no more than `operations`
  /// together; the first one in any case.
  package func end(after from: UInt64, through: UInt64, operations: Int) -> UInt64 {
    var end = from
    var left = operations
    while end < through, let outline = self[end + 1] {
      guard end == from || outline.operationCount <= left else { break }
      left -= outline.operationCount
      end += 1
    }
    return end
  }

  /// Takes the bundle after the last one in memory; any other is left for later.
  package mutating func append(_ outline: BundleOutline, at number: UInt64) {
    guard number == last + 1, count < LaneWindow.countMax else { return }
    outlines.append(outline)
  }

  /// Everything up to `number` is final.
  package mutating func finalize(through number: UInt64) {
    guard number > final else { return }
    if number >= last {
      outlines.removeAll(keepingCapacity: true)
      dropped = 0
    } else {
      dropped += Int(number - final)
      if dropped * 2 > outlines.count {
        outlines.removeFirst(dropped)
        dropped = 0
      }
    }
    final = number
  }
}
