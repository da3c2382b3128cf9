internal import Configuration
internal import Glibc

/// How the processes of a local cluster's nodes are started.
package struct NodeLauncher: Sendable {
  /// The program.
  package let program: String
  /// The arguments that make it run the node of a directory.
  package let arguments: @Sendable (_ directory: String) -> [String]

  /// Describes how to start nodes.
  package init(program: String, arguments: @escaping @Sendable (_ directory: String) -> [String]) {
    self.program = program
    self.arguments = arguments
  }

  /// Starts nodes with this very program, also after its file was replaced or removed.
  package static func thisProgram() -> NodeLauncher {
    let link = "/proc/self/exe"
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { readlink(link, $0, text.count) } ?? -1
      }
    }
    let path = count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : link
    return NodeLauncher(program: Files.exists(path) ? path : link) {
      ["node", "start", "--dir", $0]
    }
  }

  /// Starts the node of `directory` in a session of its own, writing to `node.log` there.
  func start(_ directory: String) throws -> ProcessIdentity {
    let log = Files.resolve(LocalCluster.logName, in: directory)
    let launch = ProcessLaunch(
      program: program, arguments: arguments(directory), input: .nothing, output: .appending(log),
      errorOutput: .appending(log), relation: .session)
    let number = try launch.start()
    guard let identity = ProcessIdentity(current: number) else {
      throw FileError(operation: "start", path: program, code: ESRCH)
    }
    return identity
  }
}
