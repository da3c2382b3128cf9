package import Configuration
internal import Glibc

/// The exit statuses of the program, after `sysexits.h` where that has one.
package enum ExitStatus {
  /// Everything went well.
  package static let success: Int32 = 0
  /// The work could not be done, or a check found something.
  package static let failure: Int32 = 1
  /// The command line is wrong.
  package static let usage: Int32 = 64
}

/// The program: a table of verbs and what finds, explains and runs them.
package struct Tool: Sendable {
  /// The name under which the program is called in help texts.
  package static let name = "swarmoracle"
  /// The program's version.
  package static let version = "0.1.0"

  /// Runs one node until it is told to stop; returns the exit status.
  package typealias NodeProgram = @Sendable (NodeConfiguration) -> Int32

  /// The verbs in the order of the help.
  package let verbs: [Verb]

  /// Makes a tool of some verbs; completion is added, since it needs to know them.
  package init(verbs: [Verb]) {
    self.verbs = verbs + [Completion.verb(for: verbs)]
  }

  /// Runs the program and returns its exit status.
  package func run(_ arguments: [String], console: Console) -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    guard let first = arguments.first else { return show(HelpText.overview(verbs), console) }
    if first == "--help" || first == "-h" || first == "help" {
      return help(Array(arguments.dropFirst()), console)
    }
    if first == "--version" { return run(["version"], console: console) }
    guard let (verb, rest) = find(arguments) else { return unknown(arguments, console) }
    let options = rest.prefix { $0 != "--" && $0 != verb.remainder.map { "--\($0)" } }
    if options.contains("--help") || options.contains("-h") {
      return show(HelpText.page(verb), console)
    }
    do {
      let list = try ArgumentList(
        rest, options: verb.allOptions, positionalMax: verb.positionalMax,
        remainder: verb.remainder)
      return try verb.run(list, list.has("no-color") ? console.withoutColor : console)
    } catch let error as UsageError {
      console.error("\(Tool.name) \(verb.name): \(error)")
      console.error("try: \(Tool.name) \(verb.name) --help")
      return ExitStatus.usage
    } catch {
      console.error("\(Tool.name) \(verb.name): \(error)")
      return ExitStatus.failure
    }
  }

  private func help(_ words: [String], _ console: Console) -> Int32 {
    if words.isEmpty { return show(HelpText.overview(verbs), console) }
    if let (verb, _) = find(words) { return show(HelpText.page(verb), console) }
    return family(words[0], console) ?? unknown(words, console)
  }

  private func show(_ text: String, _ console: Console) -> Int32 {
    console.write(text)
    return ExitStatus.success
  }

  /// The verb that the first words name, and the arguments behind them.
  private func find(_ arguments: [String]) -> (Verb, [String])? {
    for count in [2, 1] where arguments.count >= count {
      let name = arguments[..<count].joined(separator: " ")
      if let verb = verbs.first(where: { $0.name == name }) {
        return (verb, Array(arguments.dropFirst(count)))
      }
    }
    return nil
  }

  /// Shows the verbs that start with `word`, such as all of `cluster`; `nil` when there are none.
  private func family(_ word: String, _ console: Console) -> Int32? {
    let members = verbs.filter { $0.name.hasPrefix("\(word) ") }
    return members.isEmpty ? nil : show(HelpText.overview(members), console)
  }

  private func unknown(_ arguments: [String], _ console: Console) -> Int32 {
    let word = arguments[0]
    let isAlone = arguments.count == 1 || arguments[1] == "--help" || arguments[1] == "-h"
    if isAlone, let status = family(word, console) { return status }
    let isFamily = verbs.contains { $0.name.hasPrefix("\(word) ") }
    let written = isFamily ? arguments.prefix(2).joined(separator: " ") : word
    let known = isFamily ? verbs.map(\.name) : verbs.flatMap { [$0.name, firstWord($0.name)] }
    console.error(
      "\(Tool.name): unknown command '\(written)'" + Suggestion.text(for: written, among: known))
    console.error("try: \(Tool.name) --help")
    return ExitStatus.usage
  }

  private func firstWord(_ name: String) -> String { String(name.prefix { $0 != " " }) }
}
