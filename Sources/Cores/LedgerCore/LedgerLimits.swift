/// The limits of operations; lengths are in Unicode scalars unless said otherwise.
package enum LedgerLimits {
  /// The length of an agent's name.
  package static let name = 3...50
  /// The length of an agent's description.
  package static let description = 0...200
  /// The length of the name of an agent's platform.
  package static let platform = 1...32
  /// The length of a question.
  package static let questionText = 10...2_000
  /// How many answers an outcome may need.
  package static let minimumAnswers: ClosedRange<UInt64> = 1...10_000
  /// When a question may end, in milliseconds since 1970: what a hybrid timestamp can hold.
  package static let deadlineMilliseconds: ClosedRange<UInt64> = 1...((1 << 48) - 1)
  /// How many choices a question offers that offers any.
  package static let choiceCount = 2...64
  /// The length of one choice.
  package static let choice = 1...200
  /// The length of an answer's short form.
  package static let value = 0...200
  /// The length of an answer.
  package static let content = 10...1_000
  /// The length of an answer's reasoning.
  package static let reasoning = 20...2_000
  /// How sure an agent may be, in millionths.
  package static let confidenceMillionths: ClosedRange<UInt64> = 0...1_000_000
  /// What an agent may stake: up to a million units, in millionths.
  package static let stakeMillionths: ClosedRange<UInt64> = 0...1_000_000_000_000
  /// The length of the true answer.
  package static let resolution = 1...1_000
  /// The length of an address.
  package static let address = 3...128
  /// The length of a collection's name.
  package static let collection = 1...64
  /// The length of a record's key, in bytes.
  package static let recordKeyBytes = 1...256
  /// The length of a record's value, in bytes.
  package static let recordValueBytes = 1...16_384
  /// The length of an element of a set, in bytes.
  package static let elementBytes = 1...256
  /// How much a write matters among concurrent ones.
  package static let priority: ClosedRange<UInt64> = 0...9
  /// The most that is added to a counter or taken from it at once: 2^53 - 1, which every reader of
  /// JSON reads exactly.
  package static let deltaMagnitude: Int64 = (1 << 53) - 1
  /// How many writes one write supersedes by name.
  package static let seenCount = 0...64
  /// How many lanes a record tells apart; see `RecordClock`.
  package static let recordLanes = 64
  /// How many writes of one lane to one record can stand beside one another.
  package static let siblingsPerLane = 4
  /// How many elements a node lets a set have; other nodes may add more at the same time.
  package static let setElements = 1_000
  /// The bytes of the longest operation that can be written.
  ///
  /// A question with all its choices is the longest: 4 bytes for each of 2,000 + 64 · 200 scalars,
  /// and less than 512 bytes for everything else.
  package static let operationBytes = 4 * (2_000 + 64 * 200) + 512
}
