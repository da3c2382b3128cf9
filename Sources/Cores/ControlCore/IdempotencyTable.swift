internal import Primitives

/// The results of the latest operations that clients gave names to.
///
/// Every decision is remembered, refusals too: a name is decided once, so that a client that was
/// refused through one node cannot see its first attempt, sent through another, take effect later.
struct IdempotencyTable: Sendable {
  /// What a name stands for.
  struct Entry: Sendable {
    /// The operation.
    let operation: Digest
    /// What it came to.
    let result: ControlResult
    /// Its place in the order of arrival.
    let ordinal: UInt64
  }

  /// The entries by name.
  private(set) var entries = ChunkedMap<Identifier<ControlIdempotency>, Entry>()
  /// The names in the order of arrival.
  private(set) var order = ChunkedMap<UInt64, Identifier<ControlIdempotency>>()

  /// What is remembered of a name.
  subscript(name: Identifier<ControlIdempotency>) -> Entry? { entries[name] }

  /// Remembers a name that is not known, and forgets the oldest to keep the bound.
  mutating func remember(
    _ name: Identifier<ControlIdempotency>, operation: Digest, result: ControlResult,
    _ bounds: ControlBounds
  ) {
    let ordinal = order.last.map { $0.key + 1 } ?? 0
    let position = entries.search(name)
    entries.insert(
      name, Entry(operation: operation, result: result, ordinal: ordinal), at: position)
    order.append(ordinal, name)
    if order.count > bounds.idempotencyNames, let oldest = order.popFirst() {
      entries.removeValue(forKey: oldest.value)
    }
  }
}
