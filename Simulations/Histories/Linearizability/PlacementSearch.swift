/// Looks for an order of one key's operations that a register could have gone through.
///
/// A depth-first search in the manner of Wing and Gong: the next operation in the order must have
/// been called before the first return among those not placed. Configurations that were tried are
/// remembered (Lowe). Four rules cut the search without changing its answer:
///
/// 1. An operation that can happen now and changes nothing is placed at once: in every order that
///    has it later, it can be moved here.
/// 2. Writes of known version are placed in the order of their versions.
/// 3. A write does not replace or pass a version that definite operations still have to see.
/// 4. An unknown write is not followed by an unconditional one: without it the order holds too.
struct PlacementSearch {
  /// A definite operation by its index, or `-1 - class` for one of a possible class.
  private typealias Choice = Int32

  private struct Frame {
    let choice: Choice
    let register: Register
    let isAfterPossible: Bool
    /// Where the alternatives to this choice begin; they end where those of the next frame begin.
    let alternatives: Int
  }

  /// Placements that a dead end keeps for its explanation.
  static let lastMax = 8

  /// Configurations that are remembered, about 150 bytes each.
  static let configurationsMax = 1_000_000

  private let history: KeyHistory
  private var events: EventList
  private var register = Register()
  private var requirers: [Int32]
  private var used: [Int32]
  private var placedWrites = 0
  private var placedCount = 0
  private var isAfterPossible = false

  private var frames: [Frame] = []
  private var alternatives: [Choice] = []
  private var candidates: [Int32] = []
  private var tried: Set<[UInt64]> = []
  private var deadEnd = DeadEnd()
  /// Configurations looked at, each weighing the operations that were candidates in it.
  private(set) var steps = 0

  init(_ history: KeyHistory) {
    self.history = history
    events = EventList(history.definite)
    requirers = history.requirers
    used = [Int32](repeating: 0, count: history.possible.count)
  }

  /// Searches, with at most about `stepsMax` steps.
  mutating func run(stepsMax: Int) -> Outcome {
    while placedCount < history.definite.count {
      guard steps < stepsMax, tried.count < Self.configurationsMax else { return .exhausted }
      let first = events.candidates(into: &candidates)
      steps += 1 + candidates.count
      if let free = candidates.first(where: { isFree(Int($0)) }) {
        place(free, alternatives: alternatives.count)
        continue
      }
      let start = alternatives.count
      if !isKnown(first) { collectAlternatives(until: first) }
      if start == alternatives.count {
        noteDeadEnd()
        guard backtrack() else { return .stuck(deadEnd) }
      } else {
        // The first collected is the last tried: alternatives are taken from the end.
        alternatives[start...].reverse()
        place(alternatives.removeLast(), alternatives: start)
      }
    }
    return .placed
  }
}

// MARK: - Choices

extension PlacementSearch {
  /// Whether the operation can happen now and changes nothing (rule 1).
  private func isFree(_ index: Int) -> Bool {
    let step = history.definite[index].step
    return step.effect == .none && step.applied(to: register) == register
  }

  private mutating func collectAlternatives(until first: Int?) {
    for index in candidates where canPlace(history.definite[Int(index)]) {
      alternatives.append(index)
    }
    let end = first.flatMap { history.definite[$0].answered } ?? .max
    if register.value != Register.absent {
      // Of the classes that require a version, those whose version the register can have.
      let groups = register.isExact ? history.versioned : history.revealing
      var (low, high) = (0, groups.count)
      while low < high {
        let middle = (low + high) / 2
        if groups[middle].version < register.version { low = middle + 1 } else { high = middle }
      }
      while low < groups.count, !register.isExact || groups[low].version == register.version {
        collect(groups[low].group, until: end)
        low += 1
      }
    }
    for group in history.versionless { collect(group, until: end) }
  }

  private mutating func collect(_ group: Int, until end: UInt64) {
    steps += 1
    let possible = history.possible[group]
    let count = Int(used[group])
    guard count < possible.calls.count, possible.calls[count].call <= end,
      canPlace(possible.step, isRequirer: false)
    else { return }
    alternatives.append(-1 - Int32(group))
  }

  private func canPlace(_ operation: KeyHistory.Definite) -> Bool {
    if operation.rank >= 0 {
      guard operation.rank == placedWrites else { return false }  // Rule 2.
      let own = operation.step.requiredPlace
      for place in lastPlace..<Int(operation.step.place) {
        guard requirers[place] == (own == place ? 1 : 0) else { return false }  // Rule 3.
      }
    }
    // A version that a known write has is not that of an unknown write.
    let required = Int(operation.step.requiredPlace)
    if !register.isExact, required >= 0, history.isWritten[required] { return false }
    return canPlace(operation.step, isRequirer: true)
  }

  private func canPlace(_ step: RegisterStep, isRequirer: Bool) -> Bool {
    if isAfterPossible, step.requirement == .anything { return false }  // Rule 4.
    let place = register.place
    if step.effect != .none, place >= 0 {
      let own: Int32 = isRequirer && step.requiredPlace == place ? 1 : 0
      guard requirers[Int(place)] == own else { return false }  // Rule 3.
    }
    return step.applied(to: register) != nil
  }

  /// Where the versions begin that nothing placed is above.
  private var lastPlace: Int {
    placedWrites > 0 ? Int(history.places[placedWrites - 1]) : 0
  }

  /// Whether this configuration was tried before; remembers it if not.
  ///
  /// What was called before the first open return and is no candidate is placed, and nothing that
  /// was called later is: so the candidates and that return stand for the set of all placed ones.
  private mutating func isKnown(_ first: Int?) -> Bool {
    // Without an alternative to fall back to, this configuration cannot be met again, and if none
    // was remembered, it was not met before.
    guard !alternatives.isEmpty || !tried.isEmpty else { return false }
    var key: [UInt64] = []
    key.reserveCapacity(candidates.count + 8)
    key.append(first.map { UInt64($0) } ?? .max)
    key.append(register.version)
    let isExact: UInt64 = register.isExact ? 1 : 0
    let isAfter: UInt64 = isAfterPossible ? 2 : 0
    key.append(UInt64(UInt32(bitPattern: register.value)) << 2 | isExact | isAfter)
    key.append(UInt64(UInt32(bitPattern: register.place)) << 32 | UInt64(candidates.count))
    for candidate in candidates { key.append(UInt64(candidate)) }
    for (group, count) in used.enumerated() where count > 0 {
      key.append(UInt64(group) << 32 | UInt64(count))
    }
    return !tried.insert(key).inserted
  }
}

// MARK: - Moves

extension PlacementSearch {
  private mutating func place(_ choice: Choice, alternatives start: Int) {
    frames.append(
      Frame(
        choice: choice, register: register, isAfterPossible: isAfterPossible, alternatives: start))
    if choice < 0 {
      let group = Int(-1 - choice)
      apply(history.possible[group].step)
      used[group] += 1
      isAfterPossible = true
      return
    }
    let operation = history.definite[Int(choice)]
    apply(operation.step)
    if operation.step.requiredPlace >= 0 { requirers[Int(operation.step.requiredPlace)] -= 1 }
    if operation.rank >= 0 { placedWrites += 1 }
    isAfterPossible = false
    placedCount += 1
    events.lift(Int(choice))
  }

  private mutating func apply(_ step: RegisterStep) {
    guard let next = step.applied(to: register) else {
      preconditionFailure("\(step) was chosen for \(register)")
    }
    register = next
  }

  /// Undoes placements up to the last with an alternative, and takes that; `false` without one.
  private mutating func backtrack() -> Bool {
    while let frame = frames.popLast() {
      undo(frame)
      if frame.alternatives < alternatives.count {
        place(alternatives.removeLast(), alternatives: frame.alternatives)
        return true
      }
    }
    return false
  }

  private mutating func undo(_ frame: Frame) {
    register = frame.register
    isAfterPossible = frame.isAfterPossible
    if frame.choice < 0 {
      used[Int(-1 - frame.choice)] -= 1
      return
    }
    let operation = history.definite[Int(frame.choice)]
    events.giveBack(Int(frame.choice))
    placedCount -= 1
    if operation.rank >= 0 { placedWrites -= 1 }
    if operation.step.requiredPlace >= 0 { requirers[Int(operation.step.requiredPlace)] += 1 }
  }

  private mutating func noteDeadEnd() {
    guard placedCount > deadEnd.placedCount else { return }
    deadEnd.placedCount = placedCount
    deadEnd.register = register
    deadEnd.placedWrites = placedWrites
    deadEnd.candidates = candidates
    deadEnd.last = lastRecords()
  }

  /// The records of the last placements, the possible ones included.
  private func lastRecords() -> [Int] {
    var used = self.used
    var records: [Int] = []
    for frame in frames.reversed().prefix(Self.lastMax) {
      if frame.choice >= 0 {
        records.append(history.definite[Int(frame.choice)].record)
      } else {
        let group = Int(-1 - frame.choice)
        used[group] -= 1
        records.append(history.possible[group].calls[Int(used[group])].record)
      }
    }
    return records.reversed()
  }
}
