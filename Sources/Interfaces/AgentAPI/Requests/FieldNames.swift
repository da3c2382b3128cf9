internal import LedgerCore

/// The names of operations' fields in requests.
enum FieldNames {
  static func name(of field: LedgerFault.Field) -> String {
    switch field {
    case .name: "name"
    case .description: "description"
    case .platform: "platform"
    case .specialties: "specialties"
    case .capabilities: "capabilities"
    case .text: "text"
    case .deadline: "deadline"
    case .minimumAnswers: "minimumAnswers"
    case .choices: "choices"
    case .value: "value"
    case .content: "content"
    case .reasoning: "reasoning"
    case .confidence: "confidence"
    case .stake: "stake"
    case .transportAddress: "transportAddress"
    case .apiAddress: "apiAddress"
    case .collection: "collection"
    case .key: "key"
    case .priority: "priority"
    case .seen: "context"
    case .delta: "delta"
    case .element: "element"
    }
  }
}
