/// Scripts that let shells complete commands and options.
enum Completion {
  /// The shells that have a script.
  static let shells = ["bash", "zsh", "fish"]

  /// The verb that prints a script for the other verbs and itself.
  static func verb(for verbs: [Verb]) -> Verb {
    Verb(
      "completion", group: .program, summary: "Print a completion script for a shell",
      usage: shells.joined(separator: "|"), positionalMax: 1,
      examples: [
        Verb.Example(
          "completion bash > ~/.local/share/bash-completion/completions/swarmoracle",
          "bash, for every new shell"),
        Verb.Example("completion fish | source", "fish, for this shell"),
      ]
    ) { arguments, console in
      let shell = try arguments.argument(0, "the shell")
      let words =
        verbs.map { ($0.name, $0.summary, $0.allOptions) }
        + [("completion", "Print a completion script for a shell", [Option.noColor, .help])]
      switch shell {
      case "bash": console.write(bash(words))
      case "zsh": console.write(zsh(words))
      case "fish": console.write(fish(words))
      default:
        throw UsageError("no script for '\(shell)': expected \(shells.joined(separator: ", "))")
      }
      return ExitStatus.success
    }
  }

  typealias Words = [(name: String, summary: String, options: [Option])]

  /// The words that may follow `prefix` among the names: first words for the empty prefix.
  private static func following(_ prefix: String, in words: Words) -> [String] {
    var result: [String] = []
    for word in words {
      let parts = word.name.split(separator: " ").map(String.init)
      let candidate =
        prefix.isEmpty ? parts[0] : parts.count == 2 && parts[0] == prefix ? parts[1] : nil
      if let candidate, !result.contains(candidate) { result.append(candidate) }
    }
    return result
  }

  private static func cases(_ words: Words) -> String {
    var lines = ""
    for first in following("", in: words) {
      let second = following(first, in: words)
      if !second.isEmpty {
        lines += "    \"\(first)\") words=\"\(second.joined(separator: " "))\" ;;\n"
      }
    }
    for word in words {
      var list = word.options.map { "--\($0.name)" }
      if word.name == "completion" { list = shells + list }
      lines += "    \"\(word.name)\") words=\"\(list.joined(separator: " "))\" ;;\n"
    }
    return lines
  }

  private static func bash(_ words: Words) -> String {
    """
    _swarmoracle() {
      local current="${COMP_WORDS[COMP_CWORD]}" first="${COMP_WORDS[1]}" second="${COMP_WORDS[2]}"
      local words="\(following("", in: words).joined(separator: " "))" key=""
      if (( COMP_CWORD == 2 )); then key="$first"; fi
      if (( COMP_CWORD > 2 )); then key="$first"; [[ "$second" != -* ]] && key="$first $second"; fi
      case "$key" in
    \(cases(words))  esac
      COMPREPLY=( $(compgen -W "$words" -- "$current") )
      [[ ${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=( $(compgen -f -- "$current") )
    }
    complete -o filenames -F _swarmoracle swarmoracle

    """
  }

  private static func zsh(_ words: Words) -> String {
    """
    #compdef swarmoracle
    autoload -U +X bashcompinit && bashcompinit
    \(bash(words))
    """
  }

  private static func fish(_ words: Words) -> String {
    var text = "complete -c swarmoracle -f\n"
    let quote = { (text: String) in
      text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    }
    for first in following("", in: words) {
      let summary = words.first { $0.name == first }?.summary ?? "\(first) …"
      text +=
        "complete -c swarmoracle -n __fish_use_subcommand -a \(first) -d '\(quote(summary))'\n"
    }
    for word in words {
      let parts = word.name.split(separator: " ")
      let conditions = parts.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
      if parts.count == 2 {
        let only = "__fish_seen_subcommand_from \(parts[0])"
        text += "complete -c swarmoracle -n '\(only)' -a \(parts[1]) -d '\(quote(word.summary))'\n"
      }
      for option in word.options {
        let letter = option.letter.map { " -s \($0)" } ?? ""
        let value = option.placeholder == nil ? "" : " -r -F"
        text +=
          "complete -c swarmoracle -n '\(conditions)' -l \(option.name)\(letter)\(value)"
          + " -d '\(quote(option.summary))'\n"
      }
    }
    return text
  }
}
