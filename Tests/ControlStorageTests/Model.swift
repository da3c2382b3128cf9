import ControlStorage
import Primitives
import Records

/// What a control log holds after some steps, in its own arithmetic.
struct Model: Equatable {
  var incarnation: UInt64 = 0
  var hardState = RaftHardState()
  var snapshot: RaftSnapshot?
  /// The entries after the snapshot, by index.
  var entries: [UInt64: RaftEntry] = [:]

  var reflected: UInt64 { snapshot?.head.index ?? 0 }
  var lastIndex: UInt64 { entries.keys.max() ?? reflected }

  /// All states that a step goes through, the final one last.
  func states(of step: ControlWrite) -> [Model] {
    var model = self
    var states: [Model] = []
    if let incarnation = step.incarnation {
      model.incarnation = max(model.incarnation, incarnation)
    }
    if let hardState = step.hardState {
      let commit = max(hardState.commit, model.hardState.commit)
      model.hardState = RaftHardState(term: hardState.term, vote: hardState.vote, commit: commit)
    }
    states.append(model)
    if let snapshot = step.installedSnapshot {
      model.snapshot = snapshot
      model.entries = [:]
      states.append(model)
    }
    for entry in step.entries {
      if entry == step.entries.first {
        model.entries = model.entries.filter { $0.key < entry.index }
      }
      model.entries[entry.index] = entry
      states.append(model)
    }
    if let snapshot = step.takenSnapshot, snapshot.head.index > model.reflected {
      model.snapshot = snapshot
      model.entries = model.entries.filter { $0.key > snapshot.head.index }
      states.append(model)
    }
    return states
  }

  /// Whether a recovery has this log and snapshot; the kept entries before it are not compared.
  func hasLog(of recovery: ControlRecovery) -> Bool {
    guard recovery.snapshot == snapshot else { return false }
    let after = recovery.entries.filter { $0.index > reflected }
    return after.count == entries.count && after.allSatisfy { entries[$0.index] == $0 }
  }

  /// Whether a recovery has these promises.
  func hasPromises(of recovery: ControlRecovery) -> Bool {
    recovery.incarnation == incarnation && recovery.hardState.term == hardState.term
      && recovery.hardState.vote == hardState.vote
  }

  init() {}

  /// Takes over what was recovered.
  init(_ recovery: ControlRecovery) {
    incarnation = recovery.incarnation
    hardState = recovery.hardState
    snapshot = recovery.snapshot
    let reflected = recovery.snapshot?.head.index ?? 0
    for entry in recovery.entries where entry.index > reflected { entries[entry.index] = entry }
  }
}

/// Draws steps that a correct control plane could ask for.
struct StepSource {
  var random: Xoshiro256
  var sequence: UInt64 = 0
  /// Entries that a snapshot has covered: they are final.
  private(set) var final: [UInt64: RaftEntry] = [:]

  init(seed: UInt64) {
    random = Xoshiro256(seed: seed, purpose: "control steps")
  }

  /// The next step on top of `model`, which it advances.
  mutating func next(_ model: inout Model) -> ControlWrite {
    sequence += 1
    var step = ControlWrite(sequence: sequence)
    if random.chance(Ratio(1, in: 8)) { step.incarnation = model.incarnation + 1 }
    switch random.next(below: 20) {
    case 0..<8: append(&step, model)
    case 8..<12: changeTerm(&step, model)
    case 12..<15: advanceCommit(&step, model)
    case 15..<18: takeSnapshot(&step, model)
    case 18: install(&step, model)
    default: break
    }
    let before = model
    model = model.states(of: step).last ?? model
    if step.takenSnapshot != nil {
      for (index, entry) in before.entries where index <= model.reflected { final[index] = entry }
    }
    return step
  }

  private mutating func append(
    _ step: inout ControlWrite, _ model: Model, from first: UInt64? = nil, term: UInt64? = nil
  ) {
    let term = term ?? model.hardState.term
    guard term > 0 else { return }
    let first = first ?? model.lastIndex + 1
    let count = random.next(below: 4)
    for index in first...first + UInt64(count) {
      let length = random.chance(Ratio(1, in: 30)) ? 60_000 : random.next(below: 300)
      let payload = TestBytes.make(length, seed: random.next())
      step.entries.append(
        RaftEntry(term: term, index: index, kind: .command, payload: payload))
    }
  }

  /// A new term, or the vote of this one; often with entries that replace uncommitted ones.
  private mutating func changeTerm(_ step: inout ControlWrite, _ model: Model) {
    let term = model.hardState.term + 1
    let vote = random.chance(Ratio(1, in: 2)) ? RaftID(random.next(in: 1...5)) : nil
    step.hardState = RaftHardState(term: term, vote: vote, commit: model.hardState.commit)
    let lowest = max(model.hardState.commit, model.reflected) + 1
    guard random.chance(Ratio(2, in: 3)) else { return }
    append(
      &step, model, from: random.next(in: lowest...max(lowest, model.lastIndex + 1)), term: term)
  }

  private mutating func advanceCommit(_ step: inout ControlWrite, _ model: Model) {
    var state = model.hardState
    state.commit = random.next(in: min(state.commit, model.lastIndex)...model.lastIndex)
    step.hardState = state
    if random.chance(Ratio(1, in: 2)) { append(&step, model) }
  }

  private mutating func takeSnapshot(_ step: inout ControlWrite, _ model: Model) {
    guard model.hardState.commit > model.reflected else { return }
    let index = random.next(in: model.reflected + 1...model.hardState.commit)
    guard let entry = model.entries[index] else { return }
    step.takenSnapshot = .made(index, term: entry.term, byteCount: random.next(below: 3_000))
    if random.chance(Ratio(2, in: 3)) { step.compactedThrough = index }
  }

  private mutating func install(_ step: inout ControlWrite, _ model: Model) {
    let index = max(model.lastIndex, model.hardState.commit) + random.next(in: 1...20)
    let term = model.hardState.term + 1
    step.hardState = RaftHardState(term: term, vote: nil, commit: index)
    step.installedSnapshot = .made(index, term: term)
    if random.chance(Ratio(1, in: 2)) { append(&step, model, from: index + 1, term: term) }
  }
}
