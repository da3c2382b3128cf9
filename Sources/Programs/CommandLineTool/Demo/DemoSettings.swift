/// What the demonstration is asked to do.
package struct DemoSettings: Sendable {
  /// How many questions are asked.
  package var questionCount = 100
  /// What chooses the questions.
  package var seed: UInt64 = 1
  /// The file of misspellings.
  package var dictionaryPath = MisspellingDictionary.path
  /// Where the results are written as JSON, if anywhere.
  package var jsonPath: String?
  /// Whether the cluster's directory is left.
  package var keepsDirectory = false
  /// Whether fewer checkers than all will do.
  package var allowsMissing = false

  /// The nodes that are started.
  package static let nodeCount = 4
  /// The least checkers among which there is anything to agree on.
  package static let programsLeast = 3
  /// How many questions an agent may be ahead of the last one that was settled.
  package static let leadMax = 4
  /// The place of the node that is killed; the clients of the demonstration itself use the first.
  package static let victim = 2

  /// The defaults.
  package init() {}

  /// The question, by its place, before whose settling the node is killed.
  package var killPlace: Int { questionCount / 2 }
  /// How many questions are settled when it is started again.
  package var restartPlace: Int { min(questionCount, killPlace + max(1, questionCount / 10)) }
}
