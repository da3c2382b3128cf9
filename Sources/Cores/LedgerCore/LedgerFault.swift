/// The rule that an operation breaks and the field that breaks it.
package struct LedgerFault: Error, Hashable, Sendable {
  /// A field of an operation.
  package enum Field: String, CaseIterable, Sendable {
    /// An agent's name.
    case name
    /// An agent's description.
    case description
    /// An agent's platform.
    case platform
    /// An agent's specialties.
    case specialties
    /// An agent's capabilities.
    case capabilities
    /// A question's text.
    case text
    /// A question's deadline.
    case deadline
    /// A question's minimum of answers.
    case minimumAnswers = "minimum_answers"
    /// A question's choices.
    case choices
    /// An answer's short form, or the true answer.
    case value
    /// An answer's content.
    case content
    /// An answer's reasoning.
    case reasoning
    /// An answer's confidence.
    case confidence
    /// An answer's stake.
    case stake
    /// A member's address for its peers.
    case transportAddress = "transport_address"
    /// A member's address for agents.
    case apiAddress = "api_address"
    /// A collection's name.
    case collection
    /// A record's key.
    case key
    /// A write's priority.
    case priority
    /// The writes that a write supersedes.
    case seen
    /// What is added to a counter.
    case delta
    /// An element of a set.
    case element
  }

  /// What is wrong with a field.
  package enum Rule: Hashable, Sendable {
    /// The text has `actual` characters, fewer than `minimum`.
    case tooShort(minimum: Int, actual: Int)
    /// The text has `actual` characters, more than `maximum`.
    case tooLong(maximum: Int, actual: Int)
    /// The text has `actual` bytes, more than `maximum`.
    case tooManyBytes(maximum: Int, actual: Int)
    /// The text has nothing but spaces, tabs and line feeds.
    case blank
    /// The text has a control character that is not allowed in it.
    case controlCharacter
    /// The number lies outside the bounds.
    case outOfRange(minimum: UInt64, maximum: UInt64)
    /// The number is zero, or further from zero than `maximum`.
    case notAnAmount(maximum: Int64)
    /// The list has `actual` elements and may have none, or `minimum` to `maximum`.
    case wrongCount(minimum: Int, maximum: Int, actual: Int)
    /// Two elements mean the same, or the list is out of order.
    case repeated
    /// A flag is set that means nothing.
    case unknownFlag
    /// The text is no word of ASCII letters, digits, `.`, `-` and `_`.
    case notAWord
    /// The text is no address of the form that the field asks for.
    case notAnAddress
  }

  /// The field.
  package let field: Field
  /// What is wrong with it.
  package let rule: Rule

  /// Names a field and the rule that it breaks.
  package init(_ field: Field, _ rule: Rule) {
    self.field = field
    self.rule = rule
  }
}

extension LedgerFault: CustomStringConvertible {
  /// One sentence without the closing stop, to be shown to whoever sent the operation.
  package var description: String {
    let rule =
      switch rule {
      case .tooShort(let minimum, let actual):
        "must have at least \(minimum) characters, not \(actual)"
      case .tooLong(let maximum, let actual):
        "must have at most \(maximum) characters, not \(actual)"
      case .tooManyBytes(let maximum, let actual):
        "must have at most \(maximum) bytes in UTF-8, not \(actual)"
      case .blank: "must not be blank"
      case .controlCharacter: "must not contain control characters"
      case .outOfRange(let minimum, let maximum): "must be between \(minimum) and \(maximum)"
      case .notAnAmount(let maximum):
        "must be between -\(maximum) and \(maximum), and not 0"
      case .wrongCount(let minimum, let maximum, let actual):
        "must have none or \(minimum) to \(maximum) elements, not \(actual)"
      case .repeated: "must not name the same thing twice"
      case .unknownFlag: "must only name known capabilities"
      case .notAWord: "must be a word of ASCII letters, digits, '.', '-' and '_'"
      case .notAnAddress: "must be an address with a port"
      }
    return "\(field.rawValue) \(rule)"
  }
}
