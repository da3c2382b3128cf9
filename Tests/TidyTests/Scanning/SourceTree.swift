import Foundation

/// The text files of the repository, read once for all checks.
struct SourceTree {
  let files: [SourceFile]
  /// Every file and folder, by its path from the top.
  let paths: Set<String>
  /// The names at the top of the repository.
  let topLevel: [String]

  /// The repository that this file belongs to.
  static let shared = SourceTree(root: root)

  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static let skippedFolders: Set<String> = [".build", ".git", ".swiftpm"]
  private static let textExtensions: Set<String> = [
    "swift", "c", "h", "modulemap", "md", "sh", "json", "toml", "yml", "yaml",
  ]
  private static let textFolders = [".ci/", ".githooks/", "configs/"]

  /// A tree of the given files alone, to try rules on.
  init(_ files: [SourceFile]) {
    self.files = files
    var paths: Set<String> = []
    for file in files {
      var parts = file.path.split(separator: "/")
      while !parts.isEmpty {
        paths.insert(parts.joined(separator: "/"))
        parts.removeLast()
      }
    }
    self.paths = paths
    topLevel = Set(files.compactMap { $0.path.split(separator: "/").first.map(String.init) })
      .sorted()
  }

  private init(root: URL) {
    var (files, paths): ([SourceFile], Set<String>) = ([], [])
    let manager = FileManager.default
    let walk = manager.enumerator(atPath: root.path)
    while let path = walk?.nextObject() as? String {
      if Self.skippedFolders.contains(path) {
        walk?.skipDescendants()
        continue
      }
      paths.insert(path)
      if Self.isText(path), let data = manager.contents(atPath: root.path + "/" + path) {
        files.append(SourceFile(path: path, text: String(decoding: data, as: UTF8.self)))
      }
    }
    self.files = files.sorted { $0.path < $1.path }
    self.paths = paths
    topLevel = paths.filter { !$0.contains("/") }.sorted()
  }

  private static func isText(_ path: String) -> Bool {
    textExtensions.contains((path as NSString).pathExtension)
      || textFolders.contains { path.hasPrefix($0) }
  }

  /// The file at exactly this path.
  func file(_ path: String) -> SourceFile? { files.first { $0.path == path } }

  var swiftFiles: [SourceFile] { files.filter(\.isSwift) }
}
