/// The help pages, laid out in 80 columns.
enum HelpText {
  /// All verbs, by group.
  static func overview(_ verbs: [Verb]) -> String {
    var text = "usage: \(Tool.name) COMMAND [ARGUMENTS]\n"
    let width = verbs.map(\.name.count).max() ?? 0
    for group in Verb.Group.allCases {
      let members = verbs.filter { $0.group == group }
      guard !members.isEmpty else { continue }
      text += "\n\(group.rawValue)\n"
      for verb in members {
        text += "  \(verb.name.padded(to: width))  \(verb.summary)\n"
      }
    }
    return text + "\n\(Tool.name) COMMAND --help explains one command and shows examples.\n"
  }

  /// One verb.
  static func page(_ verb: Verb) -> String {
    let parts = verb.remainder == nil ? [verb.usage, "[OPTIONS]"] : ["[OPTIONS]", verb.usage]
    let usage = ([Tool.name, verb.name] + parts.filter { !$0.isEmpty }).joined(separator: " ")
    var text = "\(verb.summary)\n\nusage: \(usage)\n"
    if !verb.details.isEmpty { text += "\n\(verb.details)\n" }
    text += "\nOptions\n"
    let width = verb.allOptions.map(\.label.count).max() ?? 0
    for option in verb.allOptions {
      text += "  \(option.label.padded(to: width))  \(option.summary)\n"
    }
    text += "\nExamples\n"
    for example in verb.examples {
      text += "  # \(example.note)\n  \(Tool.name) \(example.arguments)\n"
    }
    return text
  }
}

extension String {
  /// The text with spaces behind it up to `width` characters.
  func padded(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
