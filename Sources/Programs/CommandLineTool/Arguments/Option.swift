/// One option of a verb: what it is called, what it takes and what it means.
package struct Option: Sendable {
  /// The long name without its dashes.
  package let name: String
  /// The one-letter name, if it has one.
  package let letter: Character?
  /// What stands for the value in the help; `nil` for a flag, which takes none.
  package let placeholder: String?
  /// One sentence, without a full stop.
  package let summary: String
  /// The words the value may be; empty for any.
  package let choices: [String]

  /// Declares an option that takes a value.
  package static func value(
    _ name: String, letter: Character? = nil, _ placeholder: String, choices: [String] = [],
    _ summary: String
  ) -> Option {
    Option(
      name: name, letter: letter, placeholder: placeholder, summary: summary, choices: choices)
  }

  /// Declares an option that is given or not.
  package static func flag(
    _ name: String, letter: Character? = nil, _ summary: String
  ) -> Option {
    Option(name: name, letter: letter, placeholder: nil, summary: summary, choices: [])
  }

  /// `-h`, `--help`: understood by every verb.
  package static let help = Option.flag("help", letter: "h", "show this help")
  /// `--no-color`: understood by every verb.
  package static let noColor = Option.flag("no-color", "write plain text to a terminal too")
  /// `-o`, `--output`: for verbs that print data.
  package static let output = Option.value(
    "output", letter: "o", "FORM", choices: ["table", "json"],
    "print a table (the default) or JSON")

  /// How the option is written in help: `-o, --output FORM`.
  var label: String {
    let short = letter.map { "-\($0), " } ?? "    "
    let value = placeholder.map { " \($0)" } ?? ""
    return "\(short)--\(name)\(value)"
  }
}
