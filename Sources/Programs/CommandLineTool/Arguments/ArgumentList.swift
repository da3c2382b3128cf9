/// A command line that the program does not understand; the exit status is 64.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong and what would be right.
  package let description: String

  /// Describes the mistake.
  package init(_ description: String) {
    self.description = description
  }
}

/// The arguments of one verb, checked against the options that it declares.
package struct ArgumentList: Sendable {
  /// The arguments that are no options, in order.
  package private(set) var positional: [String] = []
  /// The arguments behind `--`, or behind an option that takes the rest.
  package private(set) var rest: [String] = []
  private var values: [(name: String, value: String)] = []

  /// Parses `arguments`.
  ///
  /// `--name value` and `--name=value` mean the same, `--` ends the options. The option named
  /// `remainder` ends them too: its value and all that follows become `rest`.
  package init(
    _ arguments: [String], options: [Option], positionalMax: Int, remainder: String? = nil
  ) throws {
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      if argument == "--" {
        rest = Array(arguments[index...])
        return
      }
      guard argument.hasPrefix("-"), argument != "-" else {
        positional.append(argument)
        guard positional.count <= positionalMax else {
          throw UsageError("unexpected argument '\(argument)'")
        }
        continue
      }
      let (name, attached) = ArgumentList.split(argument)
      let option = try ArgumentList.find(name, in: options)
      guard option.placeholder != nil else {
        guard attached == nil else { throw UsageError("--\(option.name) takes no value") }
        values.append((option.name, ""))
        continue
      }
      var value = attached
      if value == nil && index < arguments.count {
        value = arguments[index]
        index += 1
      }
      guard let value else { throw UsageError("\(name) needs a value: \(option.label)") }
      if option.name == remainder {
        rest = [value] + arguments[index...]
        return
      }
      try append(value, for: option)
    }
  }

  /// Whether a flag was given.
  package func has(_ name: String) -> Bool { values.contains { $0.name == name } }

  /// The value given last for an option.
  package func value(_ name: String) -> String? { values.last { $0.name == name }?.value }

  /// Every value given for an option, in order.
  package func values(_ name: String) -> [String] {
    values.filter { $0.name == name }.map(\.value)
  }

  /// The value of an option that must be given.
  package func required(_ name: String) throws -> String {
    guard let value = value(name) else { throw UsageError("--\(name) is missing") }
    return value
  }

  /// The value of an option as a whole number in `range`; `fallback` when it was not given.
  package func integer(
    _ name: String, in range: ClosedRange<Int>, default fallback: Int
  ) throws -> Int {
    guard let text = value(name) else { return fallback }
    return try ArgumentList.integer(text, "--\(name)", in: range)
  }

  /// The positional argument at `index`, called `name` when it is missing.
  package func argument(_ index: Int, _ name: String) throws -> String {
    guard index < positional.count else { throw UsageError("\(name) is missing") }
    return positional[index]
  }

  /// Whether JSON was asked for.
  package var wantsJSON: Bool { value("output") == "json" }

  /// Reads a whole number in `range`; `name` says which in the refusal.
  package static func integer(
    _ text: String, _ name: String, in range: ClosedRange<Int>
  ) throws -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "\(name) is '\(text)': expected a whole number from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return number
  }

  private mutating func append(_ value: String, for option: Option) throws {
    guard option.choices.isEmpty || option.choices.contains(value) else {
      throw UsageError(
        "--\(option.name) is '\(value)': expected \(option.choices.joined(separator: " or "))")
    }
    values.append((option.name, value))
  }

  private static func split(_ argument: String) -> (name: String, attached: String?) {
    guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else {
      return (argument, nil)
    }
    return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
  }

  private static func find(_ written: String, in options: [Option]) throws -> Option {
    for option in options {
      if written == "--\(option.name)" { return option }
      if let letter = option.letter, written == "-\(letter)" { return option }
    }
    let known = options.map { "--\($0.name)" }
    throw UsageError("unknown option \(written)" + Suggestion.text(for: written, among: known))
  }
}
