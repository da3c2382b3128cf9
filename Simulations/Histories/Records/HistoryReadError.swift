package import JSONText

/// What a text may cost its reader.
package struct HistoryLimits: Equatable, Sendable {
  /// Operations of the whole text.
  package var recordsMax = History.capacityDefault
  /// Bytes of one line, which bounds a watch's delivery too.
  package var lineBytesMax = 1 << 20

  /// The default limits.
  package init() {}
}

/// Why and where a text is no history.
package struct HistoryReadError: Error, Equatable, CustomStringConvertible {
  /// The rule that the text breaks.
  package enum Reason: Equatable, Sendable {
    /// The line is not JSON.
    case notJSON(JSONError)
    /// The line is longer than the limit.
    case lineTooLong(limit: Int)
    /// The text has more operations than the limit.
    case tooManyRecords(limit: Int)
    /// A member is missing, or its value is of the wrong kind.
    case invalidMember(String, expected: String)
    /// A member that the format does not have here.
    case unexpectedMember(String)
    /// An operation that the format does not have.
    case unknownOperation(String)
    /// A result that this operation cannot have.
    case unfittingResult(operation: String, status: String)
    /// The answer is earlier than the call.
    case answeredBeforeCall
    /// There is a result other than `unknown`, and no `return`.
    case answerWithoutInstant
  }

  /// The line, counted from 1.
  package let line: Int
  /// The broken rule.
  package let reason: Reason

  /// A sentence for people, such as `line 3: "call" must be a whole number from 0`.
  package var description: String {
    let sentence =
      switch reason {
      case .notJSON(let error): error.description
      case .lineTooLong(let limit): "longer than \(limit) bytes"
      case .tooManyRecords(let limit): "more than \(limit) operations"
      case .invalidMember(let name, let expected): "\"\(name)\" must be \(expected)"
      case .unexpectedMember(let name): "\"\(name)\" does not belong here"
      case .unknownOperation(let name): "\"\(name)\" is no operation"
      case .unfittingResult(let operation, let status):
        "\(operation) cannot have this result of status \"\(status)\""
      case .answeredBeforeCall: "\"return\" is earlier than \"call\""
      case .answerWithoutInstant: "\"return\" is null, but the result is not unknown"
      }
    return "line \(line): \(sentence)"
  }
}
