import Glibc

/// Has the C library keep more freed memory at hand for a node.
///
/// A turn of a busy node makes and frees a few hundred objects of each size. glibc keeps seven per
/// size and thread and returns the rest to shared lists, which was a sixth of the leader's
/// processor time. The number can only be set in the environment of a new process, so the node
/// starts itself anew, once, under the same process number; whoever sets `GLIBC_TUNABLES` decides
/// alone.
enum Allocator {
  private static let variable = "GLIBC_TUNABLES"
  /// 256 objects of each of 64 sizes up to 1 KiB: 8 MiB per thread at the very most.
  private static let value = "glibc.malloc.tcache_count=256"

  /// Starts the program anew when it is to run a node and nobody has chosen; returns otherwise, and
  /// also when that is not possible: the node then runs a little slower.
  static func prepare(_ arguments: [String]) {
    guard arguments.dropFirst().starts(with: ["node", "start"]), getenv(variable) == nil,
      setenv(variable, value, 1) == 0
    else { return }
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    execv(program, &words)
    for word in words { free(word) }
  }

  /// The program's file; the kernel's link to it when it was replaced or removed.
  private static var program: String {
    let link = "/proc/self/exe"
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink(link, $0, text.count) } ?? -1
      }
    }
    guard count > 0 else { return link }
    let path = String(decoding: buffer[..<count], as: UTF8.self)
    return access(path, X_OK) == 0 ? path : link
  }
}
