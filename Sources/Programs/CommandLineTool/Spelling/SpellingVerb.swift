internal import Configuration

/// The verb that turns spelling checkers into agents' programs.
enum SpellingVerb {
  static let spell = Verb(
    "agent spell", group: .agent, summary: "Answer one question with a spelling checker",
    usage: "CHECKER [MODE]",
    details: """
      A program for agent run --exec swarmoracle agent spell CHECKER MODE: reads a
      question as JSON from the standard input, asks the checker about the
      misspelling in it, and writes the answer as JSON. Questions have the form
        Which English word is meant by the misspelling ‘…’? Answer with the one word.
      Exit status 1 when there is no answer: another question, or no suggestion.

      \(SpellingProgram.Checker.allCases.map(line).joined(separator: "\n"))
      """,
    positionalMax: 2,
    examples: [
      Verb.Example("agent spell aspell fast", "what aspell knows, for a question typed in"),
      Verb.Example("agent spell hunspell en_GB", "British words count as English ones"),
    ], run: run)

  private static func line(_ checker: SpellingProgram.Checker) -> String {
    "  \(checker.rawValue.padded(to: 9)) \(checker.modes.joined(separator: ", "))"
  }

  private static func run(_ arguments: ArgumentList, _ console: Console) throws -> Int32 {
    let name = try arguments.argument(0, "CHECKER")
    guard let checker = SpellingProgram.Checker(rawValue: name) else {
      let known = SpellingProgram.Checker.allCases.map(\.rawValue)
      throw UsageError(
        "CHECKER is '\(name)': expected \(known.joined(separator: ", "))"
          + Suggestion.text(for: name, among: known))
    }
    let mode = arguments.positional.count > 1 ? arguments.positional[1] : checker.modes[0]
    guard checker.modes.contains(mode) else {
      throw UsageError("MODE is '\(mode)': expected \(checker.modes.joined(separator: ", "))")
    }
    let question = try Files.read("/dev/stdin")
    do {
      let answer = try SpellingAgent(SpellingProgram(checker, mode: mode)).answer(to: question)
      console.line(String(decoding: answer, as: UTF8.self))
      return ExitStatus.success
    } catch {
      console.error("no answer: \(error)")
      return ExitStatus.failure
    }
  }
}
