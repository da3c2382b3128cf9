/// The operations of one key, prepared for the search.
///
/// Operations that must have happened are *definite*: answered ones, and unknown writes whose value
/// nobody else wrote and somebody read, which tells their version too. The other unknown writes
/// are *possible*. Equal ones among them are exchangeable, so each class of them is used in the
/// order of its calls.
struct KeyHistory {
  struct Definite {
    var step: RegisterStep
    let call: UInt64
    /// `nil` for an unknown write that was observed.
    let answered: UInt64?
    /// The index of the record.
    let record: Int
    /// The rank of the write by its version, among those of known version; -1 for others.
    var rank: Int32 = -1
  }

  struct Possible {
    var step: RegisterStep
    /// Calls in ascending order, with the record of each.
    var calls: [(call: UInt64, record: Int)]
  }

  /// In the order of calls.
  private(set) var definite: [Definite] = []
  private(set) var possible: [Possible] = []
  /// For each known version, in ascending order: how many definite steps require it.
  private(set) var requirers: [Int32] = []
  /// The places of the versions that writes have, by the rank of the write.
  private(set) var places: [Int32] = []
  /// Classes that may happen at any version.
  private(set) var versionless: [Int] = []
  /// Classes that require a version, in the order of the versions.
  private(set) var versioned: [(version: UInt64, group: Int)] = []
  /// Those of them that can find their version at a write of unknown version, and are of use there:
  /// no write is known to have that version, and what they leave can be told from what they found.
  private(set) var revealing: [(version: UInt64, group: Int)] = []
  /// For each known version, whether a definite write has it.
  private(set) var isWritten: [Bool] = []
  /// The value's text by number.
  private(set) var values: [String] = []

  /// Takes the records of the key; `records` are their indices in `history`.
  init(_ records: [Int], of history: [HistoryRecord]) {
    var numbers: [[UInt8]: Int32] = [:]
    var unknown: [Definite] = []
    for index in records {
      let record = history[index]
      guard let step = step(of: record, &numbers) else { continue }
      let isUnknown = record.result == .unknown
      let entry = Definite(
        step: step, call: record.call, answered: isUnknown ? nil : record.answered, record: index)
      if isUnknown { unknown.append(entry) } else { definite.append(entry) }
    }
    resolve(unknown)
    definite.sort { ($0.call, $0.record) < ($1.call, $1.record) }
    rank()
  }

  /// Finds out which unknown writes must have happened, and classes the others.
  private mutating func resolve(_ unknown: [Definite]) {
    guard !unknown.isEmpty else { return }
    var writers = [Int](repeating: 0, count: values.count)
    var seen = [UInt64?](repeating: nil, count: values.count)
    for entry in definite + unknown {
      if case .write(let value) = entry.step.effect { writers[Int(value)] += 1 }
    }
    for entry in definite {
      if case .present(let value?, let version?) = entry.step.requirement {
        seen[Int(value)] = seen[Int(value)] ?? version
      }
    }
    var classes: [RegisterStep: Int] = [:]
    for var entry in unknown.sorted(by: { ($0.call, $0.record) < ($1.call, $1.record) }) {
      if case .write(let value) = entry.step.effect {
        if let version = seen[Int(value)], writers[Int(value)] == 1 {
          entry.step.version = version
          definite.append(entry)
          continue
        }
        if seen[Int(value)] == nil { entry.step.effect = .write(Register.unseen) }
      }
      let place = (call: entry.call, record: entry.record)
      if let index = classes[entry.step] {
        possible[index].calls.append(place)
      } else {
        classes[entry.step] = possible.count
        possible.append(Possible(step: entry.step, calls: [place]))
      }
    }
  }

  /// Numbers the known versions, and the writes that have one, in ascending order.
  private mutating func rank() {
    let writes = definite.indices.filter { definite[$0].step.version != nil }
      .sorted { (definite[$0].step.version ?? 0, $0) < (definite[$1].step.version ?? 0, $1) }
    var versions = definite.compactMap(\.step.requiredVersion)
    versions += writes.compactMap { definite[$0].step.version }
    versions.sort()
    var place: [UInt64: Int32] = [:]
    for version in versions where place[version] == nil { place[version] = Int32(place.count) }
    requirers = [Int32](repeating: 0, count: place.count)
    for index in definite.indices {
      definite[index].step.place = definite[index].step.version.flatMap { place[$0] } ?? -1
      guard let required = definite[index].step.requiredVersion.flatMap({ place[$0] }) else {
        continue
      }
      definite[index].step.requiredPlace = required
      requirers[Int(required)] += 1
    }
    isWritten = [Bool](repeating: false, count: place.count)
    for (rank, index) in writes.enumerated() {
      isWritten[Int(definite[index].step.place)] = true
      definite[index].rank = Int32(rank)
      places.append(definite[index].step.place)
    }
    for index in possible.indices {
      if let version = possible[index].step.requiredVersion {
        possible[index].step.requiredPlace = place[version] ?? -1
        versioned.append((version, index))
      } else {
        versionless.append(index)
      }
    }
    versioned.sort { ($0.version, $0.group) < ($1.version, $1.group) }
    revealing = versioned.filter { _, group in
      let step = possible[group].step
      let isTaken = step.requiredPlace >= 0 && isWritten[Int(step.requiredPlace)]
      return !isTaken && step.effect != .write(Register.unseen)
    }
  }
}

// MARK: - Steps

extension KeyHistory {
  /// What the record says about the register; `nil` when it says nothing.
  private mutating func step(
    of record: HistoryRecord, _ numbers: inout [[UInt8]: Int32]
  ) -> RegisterStep? {
    switch (record.operation, record.result) {
    case (_, .refused), (.get, .unknown): return nil
    case (.get, .value(let value, let version)):
      return RegisterStep(
        requirement: .present(value: number(of: value, &numbers), version: version))
    case (_, .absent): return RegisterStep(requirement: .absent)
    case (_, .conflict(let version)): return RegisterStep(requirement: Self.at(version))
    case (.put(let value), let result):
      return RegisterStep(
        requirement: .anything, effect: .write(number(of: value, &numbers)),
        version: Self.version(result))
    case (.compareAndSet(let expected, let value), let result):
      return RegisterStep(
        requirement: Self.at(expected), effect: .write(number(of: value, &numbers)),
        version: Self.version(result))
    case (.delete(let expected), let result):
      return RegisterStep(
        requirement: .present(value: nil, version: expected), effect: .remove,
        version: Self.version(result))
    case (.get, _), (.lock, _), (.unlock, _), (.watch, _): return nil
    }
  }

  /// The demand that the register has this version, 0 for none.
  private static func at(_ version: UInt64) -> RegisterStep.Requirement {
    version == 0 ? .absent : .present(value: nil, version: version)
  }

  private static func version(_ result: HistoryResult) -> UInt64? {
    switch result {
    case .written(let version): version
    case .deleted(let version): version
    case .unknown, .refused, .absent, .value, .conflict, .acquired, .held, .released, .lost,
      .observed:
      nil
    }
  }

  /// The number of a value; values are equal when their bytes are.
  private mutating func number(of value: String, _ numbers: inout [[UInt8]: Int32]) -> Int32 {
    let bytes = Array(value.utf8)
    if let number = numbers[bytes] { return number }
    let number = Int32(values.count)
    numbers[bytes] = number
    values.append(value)
    return number
  }
}
