/// A spelling checker of Debian in one of its modes.
package struct SpellingProgram: Hashable, Sendable {
  /// The checkers.
  package enum Checker: String, CaseIterable, Sendable {
    /// GNU Aspell; its modes weigh speed against thoroughness.
    case aspell
    /// Hunspell; its modes are dictionaries.
    case hunspell
    /// International Ispell with its American dictionary.
    case ispell
    /// Nuspell, which reads the dictionaries of Hunspell.
    case nuspell

    /// What may follow its name; the first is meant when nothing does.
    package var modes: [String] {
      switch self {
      case .aspell: ["normal", "ultra", "fast", "slow", "bad-spellers"]
      case .hunspell, .nuspell: ["en_US", "en_GB"]
      case .ispell: ["american"]
      }
    }
  }

  /// The checker.
  package let checker: Checker
  /// Its mode, one of `checker.modes`.
  package let mode: String

  /// Milliseconds that a checker has for one word.
  package static let timeoutMilliseconds = 20_000

  /// Names a checker and a mode that it has.
  package init(_ checker: Checker, mode: String) {
    precondition(checker.modes.contains(mode), "\(checker.rawValue) has no mode \(mode)")
    self.checker = checker
    self.mode = mode
  }

  /// The nine that the demonstration asks: every mode of Aspell, both dictionaries of Hunspell,
  /// Ispell and Nuspell.
  package static let panel: [SpellingProgram] =
    ["ultra", "fast", "normal", "slow", "bad-spellers"].map { SpellingProgram(.aspell, mode: $0) }
    + ["en_US", "en_GB"].map { SpellingProgram(.hunspell, mode: $0) }
    + [SpellingProgram(.ispell, mode: "american"), SpellingProgram(.nuspell, mode: "en_US")]

  /// The checker and, where it has several, its mode.
  package var name: String {
    checker.modes.count == 1 ? checker.rawValue : "\(checker.rawValue) \(mode)"
  }

  /// The arguments behind `agent spell` that select it.
  package var arguments: [String] { [checker.rawValue, mode] }

  /// The command that reads words on its standard input.
  package var command: [String] {
    switch checker {
    case .aspell: ["aspell", "-a", "--lang=en_US", "--encoding=utf-8", "--sug-mode=\(mode)"]
    case .hunspell: ["hunspell", "-a", "-d", mode]
    case .ispell: ["ispell", "-a", "-d", mode]
    case .nuspell: ["nuspell", "-d", mode]
    }
  }

  /// The Debian packages that provide it.
  package var packages: [String] {
    let dictionary = mode == "en_GB" ? "hunspell-en-gb" : "hunspell-en-us"
    return switch checker {
    case .aspell: ["aspell", "aspell-en"]
    case .hunspell: ["hunspell", dictionary]
    case .ispell: ["ispell", "iamerican"]
    case .nuspell: ["nuspell", dictionary]
    }
  }

  /// Starts the program, asks it about one word of ASCII letters and waits for its reply.
  package func ask(_ word: String) throws(ProgramFault) -> SpellingReply {
    precondition(SpellingQuestion.isWord(word.utf8), "'\(word)' is no word")
    var limits = ProgramLimits()
    limits.timeoutMilliseconds = SpellingProgram.timeoutMilliseconds
    limits.showsErrors = false
    let pool = ProgramPool(program: command, limits: limits, concurrency: 1)
    var result: Result<[UInt8], ProgramFault> = .failure(.notStarted("it was not run"))
    pool.run([input(word)]) { _, output in result = output }
    let text = String(decoding: try result.get(), as: UTF8.self)
    let reply =
      switch checker {
      case .aspell, .hunspell, .ispell: SpellingReply(pipe: text, word: word)
      case .nuspell: SpellingReply(nuspell: text, word: word)
      }
    guard let reply else { throw .malformed("'\(text.prefix(200))'") }
    return reply
  }

  /// What the program reads: a switch to its terse mode, and the word behind `^`, which keeps it
  /// from being taken as a command.
  private func input(_ word: String) -> [UInt8] {
    switch checker {
    case .aspell, .hunspell, .ispell: Array("!\n^\(word)\n".utf8)
    case .nuspell: Array("\(word)\n".utf8)
    }
  }
}
