internal import ControlStorage
internal import Crypto
internal import Glibc
internal import Primitives
internal import Records
internal import Wire

/// A small file, apart from the journal, that says for which chains a key has signed: it tells a
/// key whose journal is lost from one that never had any.
///
/// Each entry is 96 bytes: key, chain, and a digest over both. A file that holds anything else is
/// taken for one that says so of every key: doubt costs a while without votes, the opposite a fork.
struct SigningMarker: Sendable {
  private static let entryBytes = 96

  let path: String
  let owner: JournalOwner
  let interception: FileInterception?
  private(set) var isSet = false

  /// Reads the file.
  init(
    path: String, owner: JournalOwner, interception: FileInterception?
  ) throws(ControlStorageFailure) {
    self.path = path
    self.owner = owner
    self.interception = interception
    guard unsafe access(path, F_OK) == 0 else {
      guard errno == ENOENT else { throw ControlStorageFailure("look for", path, code: errno) }
      return
    }
    let bytes = try directory.read(name)
    isSet = SigningMarker.says(bytes, of: owner)
  }

  /// Whether a file with these bytes says that the owner has signed.
  private static func says(_ bytes: [UInt8], of owner: JournalOwner) -> Bool {
    var found = false
    var start = 0
    while start < bytes.count {
      let end = start + entryBytes
      guard end <= bytes.count else { return true }
      let content = Array(bytes[start..<end - Digest.byteCount])
      guard Blake2b.hash(content, .voteRecord).bytes == Array(bytes[start + 64..<end]) else {
        return true
      }
      if content == owner.key.key.bytes + owner.chain.digest.bytes { found = true }
      start = end
    }
    return found
  }

  /// Makes durable that the owner signs.
  mutating func set() throws(ControlStorageFailure) {
    guard !isSet else { return }
    let content = owner.key.key.bytes + owner.chain.digest.bytes
    let entry = content + Blake2b.hash(content, .voteRecord).bytes
    try append(entry)
    try directory.sync()
    isSet = true
  }

  private func append(_ entry: [UInt8]) throws(ControlStorageFailure) {
    let old = unsafe access(path, F_OK) == 0 ? try directory.read(name) : []
    let file = try directory.open(name, .cached)
    let buffer = AlignedBuffer(byteCount: old.count + entry.count)
    buffer.fill(old + entry)
    // What is there already is written again as it is: an append in the middle of a file needs no
    // other operation than this one.
    try file.write(buffer, count: old.count + entry.count, at: 0)
    try file.sync()
  }

  private var directory: Directory {
    let end = path.lastIndex(of: "/")
    let parent = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    return Directory(parent, interception: interception)
  }

  private var name: String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }
}
