internal import Configuration
internal import Glibc
internal import JSONText

/// The verbs that break a cluster on purpose and look whether it kept its promises.
package enum DrillVerbs {
  /// All of them.
  static func all(_ launcher: NodeLauncher) -> [Verb] {
    [
      scenario(launcher), kills(launcher), FinalityDrillVerb.verb(launcher), flipByte(launcher),
      JoinDrillVerb.verb(launcher),
    ]
  }

  private static func kills(_ launcher: NodeLauncher) -> Verb {
    Verb(
      "drill kills", group: .check,
      summary: "Kill nodes under load and check that nothing confirmed is lost",
      details: """
        Starts a cluster of its own, answers questions through all nodes with
        consistency=quorum while nodes are killed (SIGKILL) and started again, never
        more than a minority at once, and then asks every node for every confirmed
        write. Beside that, one writer asks questions with consistency=local. Exit
        status 1 when a promise was broken. Stops and removes what it made.
        """,
      options: [
        .value("nodes", "N", "how many nodes, from 3 (default: 4)"),
        .value("answers", "N", "how many answers (default: 5000)"),
        .value("kills", "K", "how many kills (default: 10)"),
        .value("clients", "N", "how many clients at once (default: 16)"),
        .value("seed", "S", "chooses who is killed and when (default: 1)"),
      ] + DrillRun.options,
      examples: [
        Verb.Example("drill kills", "four nodes, 5,000 answers, ten kills"),
        Verb.Example("drill kills --nodes 5 --kills 20 --seed 7", "up to two nodes down at once"),
      ]
    ) { arguments, console in
      let plan = KillPlan(
        nodes: try arguments.integer("nodes", in: 3...ClusterFile.nodesMax, default: 4),
        answers: try arguments.integer("answers", in: 1...1_000_000, default: 5_000),
        kills: try arguments.integer("kills", in: 1...1_000, default: 10),
        clients: try arguments.integer("clients", in: 1...100, default: 16),
        seed: UInt64(try arguments.integer("seed", in: 0...Int.max, default: 1)))
      return try DrillRun.conclude(arguments, console) { directory in
        try KillDrill(plan, directory, launcher, console).run()
      }
    }
  }
}

/// The directory of a drill, which goes away with it.
struct DrillDirectory {
  /// The path, from the root.
  let path: String

  /// Makes the directory, which must not exist; a fresh one in `/tmp` when none is named.
  init(_ name: String?) throws {
    if let name {
      path = try Files.absolute(name)
      // What is removed at the end must be what was made here.
      guard mkdir(path, 0o700) == 0 else {
        throw FileError(operation: "make directory", path: path, code: errno)
      }
      return
    }
    var template = Array("/tmp/swarmoracle-drill-XXXXXX".utf8CString)
    let isMade = template.withUnsafeMutableBufferPointer { text in
      text.baseAddress.map { mkdtemp($0) != nil } ?? false
    }
    guard isMade else {
      throw FileError(operation: "make directory", path: "/tmp", code: errno)
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes the directory with everything in it.
  ///
  /// What cannot be removed stays for its owner to see; the verdict does not depend on it.
  func remove() { DrillDirectory.remove(path) }

  private static func remove(_ path: String) {
    // A link is removed and never followed, so that nothing outside can be hit.
    if unlink(path) == 0 { return }
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(stream)
    }
    rmdir(path)
  }
}
