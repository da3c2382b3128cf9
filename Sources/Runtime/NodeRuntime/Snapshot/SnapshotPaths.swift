internal import Configuration
internal import SQLiteStorage

/// Where snapshots stand in a node's data directory.
struct SnapshotPaths {
  /// The node's data directory.
  let data: String

  /// What this node serves.
  var served: String { "\(data)/finality/snapshots" }
  /// What it is fetching.
  var incoming: String { "\(data)/incoming" }
  /// What it makes of it, before it becomes its own.
  var joining: String { "\(data)/joining" }
  /// There once what stands in `joining` is whole.
  var ready: String { "\(joining)/ready" }
  /// The lanes and live tables, as they are made and where they belong.
  var swarm: (made: String, own: String) {
    ("\(joining)/\(NodeProgram.swarmName)", "\(data)/\(NodeProgram.swarmName)")
  }
  /// The executed ledger, likewise.
  var ledger: (made: String, own: String) {
    ("\(joining)/ledger", "\(data)/finality/ledger")
  }

  static let manifestName = "manifest"
  static let partsName = "parts"

  /// Whether this node has neither lanes nor a ledger of its own.
  var isFresh: Bool { !Files.exists(swarm.own) && !Files.exists(ledger.own) }
}

/// Directories of databases that are thrown away.
enum Rubbish {
  /// Removes files by name, and the directory when nothing else is in it.
  static func remove(_ directory: String, files: [String]) throws {
    guard Files.exists(directory) else { return }
    for file in files {
      for suffix in FileSystem.databaseSuffixes {
        try FileSystem.remove("\(directory)/\(file)\(suffix)")
      }
    }
    try FileSystem.removeDirectory(directory)
  }
}
