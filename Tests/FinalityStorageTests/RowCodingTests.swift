import FinalityStorage
import Primitives
import Records
import Testing
import Wire

@Suite struct RowCodingTests {
  /// A few short values, so that many share their beginnings.
  private static func value(_ random: inout Xoshiro256) -> ColumnValue {
    let count = random.next() % 4
    let bytes = (0..<count).map { _ in [0, 0, 1, 97, 254, 255][Int(random.next() % 6)] as UInt8 }
    switch random.next() % 3 {
    case 0: return .integer(Int64(bitPattern: random.next()) >> Int64(random.next() % 64))
    case 1: return .text(String(decoding: bytes.map { $0 & 0x7f }, as: UTF8.self))
    default: return .bytes(bytes)
    }
  }

  /// Whether a value is before another of the same type.
  private static func precedes(_ left: ColumnValue, _ right: ColumnValue) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left < right
    case (.text(let left), .text(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
  }

  @Test(arguments: UInt64(0)..<10)
  func `keys order like their columns and no two are alike`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    for _ in 0..<500 {
      let first = RowCodingTests.value(&random)
      let second = RowCodingTests.value(&random)
      var others = [first, second]
      for (index, value) in others.enumerated() where random.next() % 2 == 0 {
        // The same type, so that the order is that of the values.
        repeat { others[index] = RowCodingTests.value(&random) } while !value.isAlike(others[index])
      }
      let (left, right) = (RowCoding.key([first, second]), RowCoding.key(others))
      let isBefore =
        first == others[0]
        ? RowCodingTests.precedes(second, others[1]) : RowCodingTests.precedes(first, others[0])
      #expect(left.lexicographicallyPrecedes(right) == isBefore)
      #expect((left == right) == ([first, second] == others))
    }
  }

  @Test func `a row comes back from its bytes`() throws {
    for row in [
      TestTables.tally("", 0), TestTables.tally("é\u{0}", 9),
      TestTables.note(.min, [0, 255], nil), TestTables.note(-1, [], "x"),
    ] {
      let bytes = RowCoding.value(row)
      #expect(try RowCoding.row(decoding: bytes, tables: TestTables.all) == row)
    }
  }

  @Test func `bytes that are no row of the tables are refused`() {
    let bytes = RowCoding.value(TestTables.note(1, [2], "three"))
    for count in 0..<bytes.count {
      #expect(throws: WireError.self) {
        try RowCoding.row(decoding: Array(bytes.prefix(count)), tables: TestTables.all)
      }
    }
    #expect(throws: WireError.self) {
      try RowCoding.row(decoding: bytes + [0], tables: TestTables.all)
    }
    #expect(throws: WireError.self) {
      try RowCoding.row(decoding: bytes, tables: [TestTables.tallies])
    }
    var other = bytes
    other[0] = 1
    #expect(throws: WireError.self) {
      try RowCoding.row(decoding: other, tables: TestTables.all)
    }
    var nullKey = RowCoding.value(TestTables.tally("", 0))
    nullKey.replaceSubrange(2..<4, with: [0])
    #expect(throws: WireError.self) {
      try RowCoding.row(decoding: nullKey, tables: TestTables.all)
    }
  }
}

extension ColumnValue {
  fileprivate func isAlike(_ other: ColumnValue) -> Bool {
    switch (self, other) {
    case (.null, .null), (.integer, .integer), (.text, .text), (.bytes, .bytes): true
    case (.null, _), (.integer, _), (.text, _), (.bytes, _): false
    }
  }
}
