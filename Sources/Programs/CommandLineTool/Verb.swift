/// One thing the program can do.
package struct Verb: Sendable {
  /// The headings under which the help lists verbs, in that order.
  package enum Group: String, CaseIterable, Sendable {
    /// See it work.
    case start = "See it work"
    /// Several nodes on this host.
    case cluster = "A cluster on this host"
    /// One node.
    case node = "One node"
    /// Programs that ask and answer.
    case agent = "Agents"
    /// Checks and measurements.
    case check = "Check and measure"
    /// The program itself.
    case program = "This program"
  }

  /// A command line that works as it stands, and what it does.
  package struct Example: Sendable {
    /// The arguments behind the program's name.
    package let arguments: String
    /// What it does, in a few words.
    package let note: String

    /// Describes an example.
    package init(_ arguments: String, _ note: String) {
      self.arguments = arguments
      self.note = note
    }
  }

  /// The one or two words that call it, such as `cluster up`.
  package let name: String
  /// Where the help lists it.
  package let group: Group
  /// One line, without a full stop.
  package let summary: String
  /// What may follow the name besides options, such as `[N]`.
  package let usage: String
  /// More to know, in lines of up to 78 columns.
  package let details: String
  /// Its own options; `--help` and `--no-color` come in addition.
  package let options: [Option]
  /// How many arguments it takes besides options.
  package let positionalMax: Int
  /// The option that takes all that follows it, if there is one.
  package let remainder: String?
  /// Command lines that work.
  package let examples: [Example]
  /// Does it, and returns the exit status.
  package let run: @Sendable (ArgumentList, Console) throws -> Int32

  /// Describes a verb.
  package init(
    _ name: String, group: Group, summary: String, usage: String = "", details: String = "",
    options: [Option] = [], positionalMax: Int = 0, remainder: String? = nil,
    examples: [Example], run: @escaping @Sendable (ArgumentList, Console) throws -> Int32
  ) {
    self.name = name
    self.group = group
    self.summary = summary
    self.usage = usage
    self.details = details
    self.options = options
    self.positionalMax = positionalMax
    self.remainder = remainder
    self.examples = examples
    self.run = run
  }

  /// Every option the verb understands.
  var allOptions: [Option] { options + [.noColor, .help] }
}
