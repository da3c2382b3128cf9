import Configuration

/// Files that only their owner may read.
enum SecretText {
  static func write(_ text: String, to path: String) throws {
    try Files.create(path, Array(text.utf8), mode: 0o600)
  }
}
