package import ControlStorage

extension VoteJournal {
  /// What is wrong with a journal that nobody has open; `nil` when it is whole or was never begun.
  package static func finding(in path: String) throws(ControlStorageFailure) -> String? {
    let directory = Directory(path)
    let present = try directory.names()
    var bytes: [[UInt8]] = []
    for name in JournalFiles.names {
      bytes.append(present.contains(name) ? try directory.read(name) : [])
    }
    do throws(JournalDamage) {
      _ = try JournalFiles(bytes)
      return nil
    } catch {
      return "\(error.file) at \(error.offset): \(error.finding)"
    }
  }
}
