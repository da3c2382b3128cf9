/// The place of a value in a slot table; the generation tells a reused place from the old one.
struct Slot: Hashable, Sendable {
  let index: UInt32
  let generation: UInt32

  /// Both numbers in one word, for the kernel to carry.
  var tag: UInt64 { UInt64(generation) << 32 | UInt64(index) }

  init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }

  init(tag: UInt64) {
    self.init(index: UInt32(truncatingIfNeeded: tag), generation: UInt32(tag >> 32))
  }
}

/// Values in reusable places, found in constant time and never confused with a place's former
/// value.
struct SlotTable<Value> {
  private var values: [Value?] = []
  private var generations: [UInt32] = []
  private var free: [UInt32] = []

  mutating func insert(_ value: Value) -> Slot {
    if let index = free.popLast() {
      values[Int(index)] = value
      return Slot(index: index, generation: generations[Int(index)])
    }
    values.append(value)
    generations.append(1)
    return Slot(index: UInt32(values.count - 1), generation: 1)
  }

  func contains(_ slot: Slot) -> Bool { value(at: slot) != nil }

  func value(at slot: Slot) -> Value? {
    let index = Int(slot.index)
    guard index < values.count, generations[index] == slot.generation else { return nil }
    return values[index]
  }

  func value(taggedBy tag: UInt64) -> Value? { value(at: Slot(tag: tag)) }

  mutating func remove(_ slot: Slot) {
    guard contains(slot) else { return }
    let index = Int(slot.index)
    values[index] = nil
    generations[index] &+= 1
    free.append(slot.index)
  }
}
