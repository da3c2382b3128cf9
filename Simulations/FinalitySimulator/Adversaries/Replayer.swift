internal import BFTCore
internal import Primitives

extension AdversaryState {
  /// The message and something from long ago.
  mutating func sayAgain(
    _ message: FinalityMessage, from memory: [FinalityMessage]
  ) -> [FinalityMessage] {
    guard !memory.isEmpty else { return [message] }
    return [message, memory[random.next(below: memory.count)]]
  }
}
