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
  /// The bytes of their bodies.
  package let byteCount: Int

  /// Outlines a header.
  package init(_ header: SignedHeader) {
    digest = header.digest
    context = header.header.context
    operationCount = header.header.operationCount
    byteCount = header.header.bodyByteCount
  }
}

/// What bundles below a cut may hold together.
package struct CutRoom: Sendable {
  /// Operations that are left.
  package private(set) var operations: Int
  /// Bytes of bodies that are left.
  package private(set) var bytes: Int

  /// Room for so much.
  package init(operations: Int, bytes: Int) {
    self.operations = operations
    self.bytes = bytes
  }

  /// Takes a bundle's share; false when it goes beyond.
  package mutating func take(_ outline: BundleOutline) -> Bool {
    operations -= outline.operationCount
    bytes -= outline.byteCount
    return operations >= 0 && bytes >= 0
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

  /// The last of the bundles after `from`, through `through`, that hold no more than `room`
  /// together; the first one in any case.
  package func end(after from: UInt64, through: UInt64, room: CutRoom) -> UInt64 {
    var end = from
    var left = room
    while end < through, let outline = self[end + 1] {
      guard left.take(outline) || end == from else { break }
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
