internal import Primitives

/// Where a list goes on: the sort key of the last row shown, not an offset.
///
/// Rows that arrive meanwhile change nothing behind the cursor, so no row that was there at the
/// first page is shown twice or left out. The text binds the cursor to its list and filters, and
/// ends in a checksum, so that a cursor of another list or a damaged one is refused. It holds no
/// secret and grants nothing: its values are only ever bound as parameters.
///
/// ```
/// version 1 | list 1 | filters 8 | asOf 8 | key 8 | id 16 | checksum 8, in hexadecimal
/// ```
struct PageCursor: Equatable {
  /// The lists that have cursors.
  enum List: UInt8, CaseIterable {
    case questions = 1
    case agents = 2
    case answers = 3
    case leaderboard = 4
    case openConflicts = 5
    case resolvedConflicts = 6
  }

  private static let version: UInt8 = 1
  private static let byteCount = 50

  /// The list.
  var list: List
  /// A digest of the filters that the list was asked with.
  var filters: UInt64
  /// The time at which the first page was asked for, in milliseconds since 1970.
  var asOfMilliseconds: UInt64
  /// The first part of the last row's sort key.
  var key: Int64
  /// The second part: what tells rows with equal keys apart.
  var identifier: Identifier<AnyKind>

  init(
    list: List, filters: UInt64, asOfMilliseconds: UInt64, key: Int64,
    identifier: Identifier<AnyKind>
  ) {
    self.list = list
    self.filters = filters
    self.asOfMilliseconds = asOfMilliseconds
    self.key = key
    self.identifier = identifier
  }

  /// Reads a cursor; `nil` unless it was made for this list and these filters and is undamaged.
  init?(text: String, list: List, filters: UInt64) {
    guard text.utf8.count == PageCursor.byteCount * 2, let bytes = Hexadecimal.bytes(text),
      bytes[0] == PageCursor.version, bytes[1] == list.rawValue,
      PageCursor.number(bytes, at: 2) == filters,
      PageCursor.number(bytes, at: 42) == PageCursor.checksum(bytes[..<42]),
      let identifier = Identifier<AnyKind>(bytes[26..<42])
    else { return nil }
    self.init(
      list: list, filters: filters, asOfMilliseconds: PageCursor.number(bytes, at: 10),
      key: Int64(bitPattern: PageCursor.number(bytes, at: 18)), identifier: identifier)
    guard asOfMilliseconds <= CalendarTime.millisecondsMax else { return nil }
  }

  /// The opaque text.
  var text: String {
    var bytes: [UInt8] = [PageCursor.version, list.rawValue]
    bytes.reserveCapacity(PageCursor.byteCount)
    for number in [filters, asOfMilliseconds, UInt64(bitPattern: key)] {
      PageCursor.append(number, to: &bytes)
    }
    identifier.append(to: &bytes)
    PageCursor.append(PageCursor.checksum(bytes[...]), to: &bytes)
    return Hexadecimal.text(bytes)
  }

  /// Sums up filters, each with its length (FNV-1a over 64 bits).
  static func digest(of filters: [String]) -> UInt64 {
    var bytes: [UInt8] = []
    for filter in filters {
      append(UInt64(filter.utf8.count), to: &bytes)
      bytes.append(contentsOf: filter.utf8)
    }
    return checksum(bytes[...])
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }

  private static func number(_ bytes: [UInt8], at offset: Int) -> UInt64 {
    bytes[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
