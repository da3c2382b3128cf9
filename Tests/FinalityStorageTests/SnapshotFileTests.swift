import FinalityStorage
import Glibc
import Primitives
import Testing

@Suite struct `Files of snapshots` {
  private static func part(_ index: Int) -> [UInt8] {
    (0..<(index * 37 % 200)).map { UInt8(truncatingIfNeeded: index &* 31 &+ $0) }
  }

  @Test func `parts are found again, in whatever order they came`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/parts"
    var order = Array(0..<40)
    var random = Xoshiro256(seed: 4)
    random.shuffle(&order)
    do {
      let file = try SnapshotFile(path: path, isNew: true)
      for index in order { try file.append(index, Self.part(index)) }
      try file.append(7, [1, 2, 3])
      try file.sync()
    }
    let file = try SnapshotFile(path: path, isNew: false)
    #expect(file.indexes == Array(0..<40))
    for index in 0..<40 {
      #expect(file.part(index) == (index == 7 ? [1, 2, 3] : Self.part(index)))
    }
    #expect(file.part(40) == nil)
    #expect(try SnapshotFile(path: path, isNew: true).indexes == [])
  }

  @Test func `a file that is cut anywhere keeps its whole records and goes on`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/parts"
    var ends = [0]
    for index in 1...6 { ends.append(ends[index - 1] + 8 + Self.part(index).count) }
    for size in 0...ends[6] {
      let file = try SnapshotFile(path: path, isNew: true)
      for index in 1...6 { try file.append(index, Self.part(index)) }
      #expect(truncate(path, size) == 0)
      let again = try SnapshotFile(path: path, isNew: false)
      let whole = ends.lastIndex { $0 <= size } ?? 0
      #expect(again.indexes == Array(0...whole).filter { $0 > 0 })
      try again.append(9, [5])
      let last = try SnapshotFile(path: path, isNew: false)
      #expect(last.part(9) == [5] && last.indexes.count == whole + 1)
    }
  }
}
