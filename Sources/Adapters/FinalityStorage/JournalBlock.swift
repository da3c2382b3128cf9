/// The unit in which journal files are written: what a page of the kernel and a sector of most
/// disks is.
enum JournalBlock {
  static let byteCount = 4_096

  /// The next multiple of a block.
  static func roundUp(_ count: Int) -> Int { (count + byteCount - 1) / byteCount * byteCount }
}
