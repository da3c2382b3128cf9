internal import Glibc
internal import Records
internal import SQLiteStorage

/// A byte of a database file that is in use: it belongs to a row of a table.
struct FlipPlace {
  /// The database.
  let file: DatabaseFile
  /// Where the byte stands in the file.
  let offset: Int

  /// The table of whose rows one is chosen. Rows of both are appended and not changed later, so
  /// that the page is not written anew before somebody has looked.
  private static func table(of file: DatabaseFile) -> String {
    switch file {
    case .log: "bundles"
    case .state: "answer"
    }
  }

  /// Chooses a byte in the middle of the middle row, as the file's own pages say.
  ///
  /// What the write-ahead log holds is moved into the file first: a node that uses it allows that.
  init(_ file: DatabaseFile, in directory: String) throws {
    let path = "\(directory)/\(file.name)"
    let root = try FlipPlace.prepare(path, FlipPlace.table(of: file))
    let pages = try PageFile(path)
    var page = root
    for _ in 0..<32 {
      let content = try pages.read(page)
      switch content[0] {
      case PageFile.tableInterior: page = try PageFile.middleChild(content)
      case PageFile.tableLeaf:
        self.file = file
        offset = (page - 1) * PageFile.pageBytes + (try PageFile.middleOfMiddleCell(content))
        return
      // open set: bytes of a file
      default: throw DrillError("page \(page) of \(path) is no page of a table")
      }
    }
    throw DrillError("the pages of \(path) lead nowhere")
  }

  /// Moves the write-ahead log into the file and says where the table begins.
  private static func prepare(_ path: String, _ table: String) throws -> Int {
    let connection = try SQLiteConnection(path: path, mode: .create)
    _ = try connection.checkpointPassively()
    guard
      let root = try connection.integer(
        "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", [.text(table)])
    else { throw DrillError("\(path) has no table \(table)") }
    return Int(root)
  }

  /// Changes the byte on the disk; its old and its new value.
  func flip(in directory: String) throws -> (old: UInt8, new: UInt8) {
    let path = "\(directory)/\(file.name)"
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw DrillError("\(path) cannot be opened: error \(errno)") }
    defer { close(descriptor) }
    var byte: UInt8 = 0
    guard pread(descriptor, &byte, 1, off_t(offset)) == 1 else {
      throw DrillError("\(path) cannot be read at \(offset)")
    }
    let old = byte
    byte ^= 0x10
    guard pwrite(descriptor, &byte, 1, off_t(offset)) == 1, fsync(descriptor) == 0 else {
      throw DrillError("\(path) cannot be written at \(offset)")
    }
    return (old, byte)
  }
}

/// Pages of a database file as they stand on the disk (sqlite.org/fileformat2.html).
private struct PageFile {
  static let pageBytes = 4_096
  static let tableInterior: UInt8 = 5
  static let tableLeaf: UInt8 = 13

  private let bytes: [UInt8]

  init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DrillError("\(path) cannot be opened: error \(errno)") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { throw DrillError("\(path) cannot be read") }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    self.bytes = bytes
  }

  func read(_ page: Int) throws -> ArraySlice<UInt8> {
    let start = (page - 1) * PageFile.pageBytes
    guard page > 1, start + PageFile.pageBytes <= bytes.count else {
      throw DrillError("page \(page) is not in the file yet; let the clients write more")
    }
    // Counts from zero, as offsets within a page do.
    return Array(bytes[start..<(start + PageFile.pageBytes)])[...]
  }

  private static func number(_ page: ArraySlice<UInt8>, _ offset: Int, _ count: Int) -> Int {
    page[offset..<(offset + count)].reduce(0) { $0 << 8 | Int($1) }
  }

  /// Where the middle cell begins, of a page whose cell pointers begin at `pointers`.
  private static func middleCell(_ page: ArraySlice<UInt8>, pointers: Int) throws -> Int {
    let count = number(page, 3, 2)
    guard count > 0, pointers + count * 2 <= pageBytes else {
      throw DrillError("a page holds no rows; let the clients write more")
    }
    let cell = number(page, pointers + count / 2 * 2, 2)
    guard cell < pageBytes - 64 else { throw DrillError("a page's rows are too short") }
    return cell
  }

  static func middleChild(_ page: ArraySlice<UInt8>) throws -> Int {
    number(page, try middleCell(page, pointers: 12), 4)
  }

  /// The middle of the part of the middle row that stands on its page.
  static func middleOfMiddleCell(_ page: ArraySlice<UInt8>) throws -> Int {
    let cell = try middleCell(page, pointers: 8)
    var length = 0
    var offset = cell
    for _ in 0..<9 {
      length = length << 7 | Int(page[offset] & 0x7f)
      offset += 1
      if page[offset - 1] < 0x80 { break }
    }
    // A long row goes on elsewhere; what stands here is never less than this.
    let local = min(length, 400, pageBytes - offset - 9)
    return offset + 9 + local / 2
  }
}
