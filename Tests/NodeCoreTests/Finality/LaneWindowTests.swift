import Crypto
import NodeCore
import Primitives
import Records
import Testing

struct LaneWindowTests {
  private static func outlines(_ counts: Int...) -> [BundleOutline] {
    var author = LaneAuthor(2)
    return counts.map { BundleOutline(author.write($0).value.signedHeader) }
  }

  private static func room(_ operations: Int) -> CutRoom {
    CutRoom(operations: operations, bytes: 1 << 20)
  }

  @Test func `only the next bundle is taken`() {
    let some = Self.outlines(1, 1, 1)
    var window = LaneWindow()
    window.append(some[1], at: 2)
    #expect(window.last == 0)
    window.append(some[0], at: 1)
    window.append(some[0], at: 1)
    window.append(some[2], at: 3)
    #expect(window.last == 1 && window.count == 1)
    window.append(some[1], at: 2)
    #expect(window[1] == some[0] && window[2] == some[1] && window[3] == nil && window[0] == nil)
  }

  @Test(arguments: 0...6) func `what is final is forgotten, and nothing else`(_ end: Int) {
    let some = Self.outlines(1, 2, 3, 4, 5, 6)
    var window = LaneWindow()
    for (index, outline) in some.enumerated() { window.append(outline, at: UInt64(index + 1)) }
    window.finalize(through: UInt64(end))
    #expect(window.final == UInt64(end) && window.last == 6 && window.count == 6 - end)
    for number in 1...6 {
      #expect(window[UInt64(number)] == (number > end ? some[number - 1] : nil))
    }
    // An earlier end changes nothing.
    window.finalize(through: 0)
    #expect(window.final == UInt64(end))
  }

  @Test func `it goes on behind a final bundle that it never saw`() {
    let some = Self.outlines(1, 1)
    var window = LaneWindow()
    window.append(some[0], at: 1)
    window.finalize(through: 7)
    #expect(window.last == 7 && window.count == 0)
    window.append(some[1], at: 8)
    #expect(window[8] == some[1])
  }

  @Test func `it holds no more than its bound`() {
    let one = Self.outlines(1)[0]
    var window = LaneWindow()
    for number in 1...LaneWindow.countMax + 5 { window.append(one, at: UInt64(number)) }
    #expect(window.count == LaneWindow.countMax)
    window.finalize(through: 5)
    window.append(one, at: UInt64(LaneWindow.countMax + 1))
    #expect(window.last == UInt64(LaneWindow.countMax + 1))
  }

  @Test func `a budget of operations ends a range, but not before its first bundle`() {
    let some = Self.outlines(10, 3, 3, 3)
    var window = LaneWindow()
    for (index, outline) in some.enumerated() { window.append(outline, at: UInt64(index + 1)) }
    #expect(window.end(after: 0, through: 4, room: Self.room(5)) == 1)
    #expect(window.end(after: 0, through: 4, room: Self.room(16)) == 3)
    #expect(window.end(after: 1, through: 4, room: Self.room(6)) == 3)
    #expect(window.end(after: 1, through: 2, room: Self.room(100)) == 2)
    #expect(window.end(after: 4, through: 9, room: Self.room(100)) == 4)
  }

  @Test func `a budget of bytes does, too`() {
    let some = Self.outlines(1, 1, 1)
    var window = LaneWindow()
    for (index, outline) in some.enumerated() { window.append(outline, at: UInt64(index + 1)) }
    let one = some[0].byteCount
    func end(_ bytes: Int) -> UInt64 {
      window.end(after: 0, through: 3, room: CutRoom(operations: 100, bytes: bytes))
    }
    #expect(end(0) == 1 && end(one) == 1 && end(2 * one - 1) == 1)
    #expect(end(2 * one) == 2 && end(3 * one) == 3)
  }
}
