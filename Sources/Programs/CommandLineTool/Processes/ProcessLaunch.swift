internal import Configuration
package import Glibc

/// What a new process runs and what it is connected to.
///
/// The new process starts with default signal handling and nothing blocked. Descriptors besides the
/// three standard ones stay ours, because whoever opens one here opens it close-on-exec.
package struct ProcessLaunch: Sendable {
  /// Where a standard stream of the new process leads.
  package enum Stream: Sendable {
    /// Nowhere: reads end at once, writes vanish.
    case nothing
    /// To where ours leads.
    case inherited
    /// To an open descriptor of ours.
    case descriptor(Int32)
    /// To the end of a file, which is made when it is missing.
    case appending(String)
  }

  /// How the new process relates to ours.
  package enum Relation: Sendable {
    /// A session of its own: it survives the end of our terminal.
    case session
    /// A process group of its own: it and its children can be stopped together.
    case group
  }

  /// The program: a path, or a name that is looked up in `PATH`.
  package var program: String
  /// The arguments behind the program's name.
  package var arguments: [String]
  /// The standard input.
  package var input: Stream
  /// The standard output.
  package var output: Stream
  /// The standard error.
  package var errorOutput: Stream
  /// The relation to our process.
  package var relation: Relation

  /// Describes a process.
  package init(
    program: String, arguments: [String], input: Stream, output: Stream, errorOutput: Stream,
    relation: Relation
  ) {
    self.program = program
    self.arguments = arguments
    self.input = input
    self.output = output
    self.errorOutput = errorOutput
    self.relation = relation
  }

  /// Starts the process and returns its number.
  package func start() throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    connect(input, to: STDIN_FILENO, &actions)
    connect(output, to: STDOUT_FILENO, &actions)
    connect(errorOutput, to: STDERR_FILENO, &actions)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    switch relation {
    case .session: flags |= ProcessLaunch.setSession
    case .group: flags |= POSIX_SPAWN_SETPGROUP
    }
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let code = posix_spawnp(&process, program, &actions, &attributes, &words, environ)
    guard code == 0 else { throw FileError(operation: "start", path: program, code: code) }
    return process
  }

  /// `POSIX_SPAWN_SETSID` of glibc, which its header defines for C alone.
  private static let setSession: Int32 = 0x80

  private func connect(
    _ stream: Stream, to descriptor: Int32, _ actions: inout posix_spawn_file_actions_t
  ) {
    switch stream {
    case .inherited: break
    case .nothing:
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    case .descriptor(let open):
      posix_spawn_file_actions_adddup2(&actions, open, descriptor)
    case .appending(let path):
      posix_spawn_file_actions_addopen(
        &actions, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
  }
}
