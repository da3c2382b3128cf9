import Foundation

/// A file that lives as long as this object.
final class TemporaryFile {
  let path: String

  init(text: String) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(text.utf8).write(to: url)
    path = url.path
  }

  deinit {
    // A file that is already gone is no reason to fail.
    try? FileManager.default.removeItem(atPath: path)
  }
}
