import ControlStorage
import Primitives
import Records
import Testing

/// Crashes at any operation: what was reported is there, and nothing is there that nobody wrote.
@Suite struct CrashTests {
  @Test(arguments: 1...16)
  func `a crash at any operation keeps what was reported durable`(_ seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var random = Xoshiro256(seed: seed, purpose: "crashes")
    var source = StepSource(seed: seed)
    var model = Model()
    for round in 0..<12 {
      let reports = Reports()
      let crash = Crash(after: random.next(below: 60), seed: seed &* 100 &+ UInt64(round))
      guard
        let opened = try open(directory, reports, crash, model, source, "seed \(seed) \(round)")
      else { continue }
      model = Model(opened.recovery)
      let base = source.sequence
      var states: [[Model]] = [[model]]
      while !crash.hasHappened && states.count < 120 {
        let step = source.next(&model)
        let before = states[states.count - 1]
        states.append(before[before.count - 1].states(of: step))
        _ = opened.storage.submit(step)
        if random.chance(Ratio(1, in: 3)) { try? opened.storage.flush() }
      }
      if !crash.hasHappened { try? opened.storage.flush() }
      // A failure is what a crash is made of here: closing only lets the directory go.
      try? opened.storage.close()
      let reported = Int(max(reports.lastDurable, base) - base)
      let image = try ControlStorage.open(directory.control)
      try expect(
        image.recovery, in: states, reported: reported, source, "seed \(seed) round \(round)")
      model = Model(image.recovery)
      try image.storage.close()
    }
  }

  /// Opens with a crash ahead, which may come while opening: then nothing has changed.
  private func open(
    _ directory: TemporaryDirectory, _ reports: Reports, _ crash: Crash, _ model: Model,
    _ source: StepSource, _ place: String
  ) throws -> ControlStorage.Opened? {
    do {
      let opened = try ControlStorage.open(
        directory.control, reports, interception: crash.interception)
      try expect(opened.recovery, in: [[model]], reported: 0, source, place)
      return opened
    } catch let error as OpenControlStorageError {
      guard case .system = error.reason else { throw error }
      return nil
    }
  }

  /// Whether a recovery is what some step not before the reported one has led to, in whole or in
  /// part.
  private func expect(
    _ recovery: ControlRecovery, in states: [[Model]], reported: Int, _ source: StepSource,
    _ place: String
  ) throws {
    let whole = states.map { $0[$0.count - 1] }
    let possible = [whole[reported]] + states.dropFirst(reported + 1).flatMap(\.self)
    try #require(
      possible.contains { $0.hasLog(of: recovery) },
      "\(place): a log that is none of those after step \(reported)")
    try #require(
      whole.dropFirst(reported).contains { $0.hasPromises(of: recovery) },
      "\(place): promises that are none of those after step \(reported)")
    let entries = recovery.entries
    let reflected = recovery.snapshot?.head.index ?? 0
    try #require(zip(entries, entries.dropFirst()).allSatisfy { $0.index + 1 == $1.index })
    try #require(entries.first.map { $0.index <= reflected + 1 } ?? true, "\(place): a gap")
    for entry in entries where entry.index <= reflected {
      try #require(source.final[entry.index] == entry, "\(place): entry \(entry.index)")
    }
    let committed = whole.map(\.hardState.commit).max() ?? 0
    try #require(recovery.hardState.commit <= committed, "\(place): never ahead")
    try #require(recovery.hardState.commit <= entries.last?.index ?? reflected)
    try #require(recovery.hardState.commit >= reflected)
  }

  @Test(arguments: 0...6)
  func `a step of several frames leaves its first ones and no commit beyond them`(
    _ count: Int
  ) throws {
    let directory = try TemporaryDirectory()
    let crash = Crash(after: nil, tears: false)
    let storage = try ControlStorage.open(
      directory.control, interception: crash.interception
    ).storage
    let entries = RaftEntry.run(1...3, term: 1, byteCount: 100_000)
    crash.arm(after: count)
    _ = storage.submit(.step(1, term: 1, commit: 3, entries: entries))
    // It may have failed, which is what is tried here.
    try? storage.close()
    let recovery = try ControlStorage.open(directory.control).recovery
    #expect(recovery.entries == Array(entries.prefix(recovery.entries.count)))
    #expect(recovery.hardState.commit == UInt64(recovery.entries.count))
  }

  @Test(arguments: 100...105)
  func `a log that is closed comes back exactly, round after round`(_ seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var source = StepSource(seed: seed)
    var model = Model()
    for round in 0..<6 {
      let opened = try ControlStorage.open(directory.control)
      try #require(model.hasLog(of: opened.recovery), "seed \(seed) round \(round)")
      try #require(model.hasPromises(of: opened.recovery), "seed \(seed) round \(round)")
      try #require(opened.recovery.hardState.commit == model.hardState.commit)
      for _ in 0..<40 {
        try #require(opened.storage.submit(source.next(&model)) == .accepted)
        if source.random.chance(Ratio(1, in: 4)) { try opened.storage.flush() }
      }
      try opened.storage.close()
      try #require(try ControlStorage.inspect(directory.control).damages.isEmpty)
    }
  }

  @Test(arguments: [true, false])
  func `an install interrupted at any operation leaves the old state or the new`(
    _ tears: Bool
  ) throws {
    let original = try TemporaryDirectory()
    let first = try ControlStorage.open(original.control).storage
    for index in UInt64(1)...40 {
      let entries = RaftEntry.run(index...index, term: 1)
      try first.write(.step(index, term: 1, commit: index / 2, entries: entries))
    }
    try first.close()
    var sawOld = 0
    var sawNew = 0
    for count in 0..<24 {
      let directory = try TemporaryDirectory()
      try TestFiles.copyTree(from: original.control, to: directory.control)
      let crash = Crash(after: nil, seed: UInt64(count), tears: tears)
      let reports = Reports()
      let storage = try ControlStorage.open(
        directory.control, reports, interception: crash.interception
      ).storage
      crash.arm(after: count)
      let install = ControlWrite.step(
        1, term: 2, vote: 1, commit: 60, entries: RaftEntry.run(61...62, term: 2)
      ) { $0.installedSnapshot = .made(60, term: 2, byteCount: 1_100_000) }
      _ = storage.submit(install)
      // It may have failed, which is what is tried here.
      try? storage.close()
      let recovery = try ControlStorage.open(directory.control).recovery
      if let snapshot = recovery.snapshot {
        sawNew += 1
        #expect(snapshot == install.installedSnapshot)
        #expect([[], RaftEntry.run(61...61, term: 2), install.entries].contains(recovery.entries))
      } else {
        sawOld += 1
        #expect(recovery.entries == RaftEntry.run(1...40, term: 1))
      }
      #expect(reports.lastDurable == 0 || recovery.entries == install.entries)
    }
    #expect(sawOld > 3)
    #expect(sawNew > 3)
  }
}
