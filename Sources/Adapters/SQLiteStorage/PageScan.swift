internal import Glibc

/// Rows of `bundles` found by looking at every page of a file, whatever the trees say.
///
/// For a file of which a page is destroyed that leads to others: the root of the tree, or the first
/// page. Only the form of a row is checked here (sqlite.org/fileformat2.html); whether it is a
/// bundle that somebody signed is the business of the caller. What stands in a write-ahead log only
/// is not seen.
final class PageScan {
  private static let pageBytes = 4_096
  private static let tableLeaf: UInt8 = 13
  /// The most bytes of a row that stand on its page, and what stands there of a longer one.
  private static let localMax = pageBytes - 35
  private static let localMin = (pageBytes - 12) * 32 / 255 - 23
  /// Rows of more bytes are none of ours.
  private static let rowBytesMax = 1 << 20
  private static let columnCount = 10

  private let descriptor: Int32
  private let pageCount: Int

  private struct Cell {
    let row: Int64
    let page: Int
    let offset: Int
    let byteCount: Int
  }

  /// Opens a file; `nil` when that fails.
  init?(_ path: String) {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    let bytes = FileSystem.byteCount(of: path)
    pageCount = Int(clamping: bytes / UInt64(PageScan.pageBytes))
  }

  deinit { _ = close(descriptor) }

  /// Calls `body` with every row that looks like a bundle, in order of row identifier.
  func forEach(_ body: (StoredBundle) throws(SQLiteError) -> Void) throws(SQLiteError) {
    var cells: [Cell] = []
    for page in stride(from: 2, through: pageCount, by: 1) {
      if let content = read(page) { cells += PageScan.cells(of: content, page) }
    }
    cells.sort { ($0.row, $0.page, $0.offset) < ($1.row, $1.page, $1.offset) }
    for cell in cells {
      guard let payload = payload(of: cell), let bundle = PageScan.bundle(in: payload) else {
        continue
      }
      try body(bundle)
    }
  }

  /// A page's bytes; `nil` when the disk does not give them.
  private func read(_ page: Int) -> [UInt8]? {
    guard page >= 1, page <= pageCount else { return nil }
    var content = [UInt8](repeating: 0, count: PageScan.pageBytes)
    let offset = off_t((page - 1) * PageScan.pageBytes)
    let count = unsafe pread(descriptor, &content, content.count, offset)
    return count == content.count ? content : nil
  }

  /// The cells of a page that is a leaf of a table.
  private static func cells(of page: [UInt8], _ number: Int) -> [Cell] {
    guard page[0] == tableLeaf else { return [] }
    let count = Int(page[3]) << 8 | Int(page[4])
    guard count > 0, 8 + count * 2 <= pageBytes else { return [] }
    return (0..<count).compactMap { index in
      var offset = Int(page[8 + index * 2]) << 8 | Int(page[9 + index * 2])
      guard let byteCount = varint(page, &offset), let row = varint(page, &offset),
        (1...UInt64(rowBytesMax)).contains(byteCount)
      else { return nil }
      return Cell(
        row: Int64(bitPattern: row), page: number, offset: offset, byteCount: Int(byteCount))
    }
  }

  /// A row's bytes, those on other pages included.
  private func payload(of cell: Cell) -> [UInt8]? {
    guard let page = read(cell.page) else { return nil }
    let local = PageScan.localBytes(of: cell.byteCount)
    let end = cell.offset + local
    guard end <= PageScan.pageBytes else { return nil }
    var bytes = Array(page[cell.offset..<end])
    guard local < cell.byteCount else { return bytes }
    guard end + 4 <= PageScan.pageBytes else { return nil }
    var next = PageScan.number(page, end)
    // Each page brings bytes, so a chain that bites its tail ends with the row's length.
    while bytes.count < cell.byteCount {
      guard let more = read(next) else { return nil }
      bytes += more[4...].prefix(cell.byteCount - bytes.count)
      next = PageScan.number(more, 0)
    }
    return bytes
  }

  private static func localBytes(of count: Int) -> Int {
    guard count > localMax else { return count }
    let wanted = localMin + (count - localMin) % (pageBytes - 4)
    return wanted <= localMax ? wanted : localMin
  }

  /// The bundle of a row with the columns of `bundles`; `nil` for any other row.
  private static func bundle(in payload: [UInt8]) -> StoredBundle? {
    var offset = 0
    guard let headerBytes = varint(payload, &offset), headerBytes <= UInt64(payload.count) else {
      return nil
    }
    var types: [UInt64] = []
    while offset < Int(headerBytes), types.count <= columnCount {
      guard let type = varint(payload, &offset) else { return nil }
      types.append(type)
    }
    guard types.count == columnCount, offset == Int(headerBytes), types[0] == 0 else { return nil }
    var columns: [[UInt8]] = []
    for type in types {
      guard let count = byteCount(of: type), offset + count <= payload.count else { return nil }
      columns.append(Array(payload[offset..<(offset + count)]))
      offset += count
    }
    guard types[7...].allSatisfy({ $0 >= 12 && $0.isMultiple(of: 2) }) else { return nil }
    return StoredBundle(header: columns[7], signature: columns[8], body: columns[9])
  }

  /// The bytes of a value of a serial type; `nil` for types that rows do not have.
  private static func byteCount(of type: UInt64) -> Int? {
    switch type {
    case 0, 8, 9: 0
    case 1...4: Int(type)
    case 5: 6
    case 6: 8
    case 12...UInt64(rowBytesMax * 2 + 13): Int((type - 12) / 2)
    default: nil
    }
  }

  private static func number(_ page: [UInt8], _ offset: Int) -> Int {
    page[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
  }

  /// A number of one to nine bytes; `nil` at the end of the bytes.
  private static func varint(_ bytes: [UInt8], _ offset: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<9 {
      guard offset < bytes.count else { return nil }
      let byte = bytes[offset]
      offset += 1
      if index == 8 { return value << 8 | UInt64(byte) }
      value = value << 7 | UInt64(byte & 0x7f)
      if byte < 0x80 { return value }
    }
    return value
  }
}
