internal import Configuration
internal import Histories
internal import JSONText
internal import Primitives
internal import SQLiteStorage
internal import Simulator
internal import Synchronization

/// Looks at what the nodes of a drill hold in the end.
struct ScenarioJudge {
  /// How long the nodes may take to become equal before the drill stops waiting, in milliseconds.
  private static let patienceMilliseconds = 60_000

  private let scenario: Scenario
  private let stage: DrillStage
  private let monitor: DrillMonitor
  private let addresses: [PlainAddress]
  private let console: Console

  init(
    _ scenario: Scenario, stage: DrillStage, monitor: DrillMonitor, addresses: [PlainAddress],
    console: Console
  ) {
    self.scenario = scenario
    self.stage = stage
    self.monitor = monitor
    self.addresses = addresses
    self.console = console
  }

  /// The nodes that count in the end.
  private var members: [Int] { addresses.indices.filter { !stage.removed.contains($0) } }

  /// Fills a verdict, and stops the nodes.
  func judge(
    _ verdict: inout ControlVerdict, books: ScenarioBooks, token: String, from start: UInt64,
    to end: UInt64, silence: UInt64, directory: String
  ) throws {
    verdict.nanoseconds = end - start
    verdict.hadFaults = stage.marks.contains(where: \.isHarm)
    judgeHealing(&verdict, silence: silence)
    read(books, token)
    let state = books.snapshot
    let harms = stage.marks.filter(\.isHarm).map(\.at)
    let attempts = state.attempts + state.history.records.compactMap { WriteAttempt($0) }
    verdict.tiers = WriteGaps.ofAllTiers(in: attempts, faults: harms, from: start, to: end)
    verdict.leaderChanges = max(0, monitor.reigns.count - 1)
    verdict.judge(state.history)
    for write in try missing(state.acknowledged) { verdict.addLost(write) }
    try listConflicts(&verdict)
    judgeExpectations(&verdict, state)
    try judgeStorage(&verdict, directory)
  }

  // MARK: Healing

  private func judgeHealing(_ verdict: inout ControlVerdict, silence: UInt64) {
    let healed = stage.healedAt ?? silence
    let level = waitUntilLevel()
    // While clients write nobody can be equal: the time counts from when they are silent, when
    // everything was given back before.
    verdict.healNanoseconds = level.map { $0 - min(max(healed, silence), $0) }
    let limit = scenario.convergence
    verdict.expectations.append(
      .init(
        "all nodes equal within \(text(limit.nanoseconds))",
        found: verdict.healNanoseconds.map(text) ?? "never",
        isMet: verdict.healNanoseconds.map { $0 <= limit.nanoseconds } ?? false))
    let view = monitor.agreedAt.map { $0 - min(healed, $0) }
    verdict.expectations.append(
      .init(
        "one leader, everybody alive, no division within \(text(limit.nanoseconds)) of healing",
        found: view.map(text) ?? "never", isMet: view.map { $0 <= limit.nanoseconds } ?? false))
  }

  /// Waits until lanes, rows and control state are the same everywhere and there is one view; when
  /// that was.
  private func waitUntilLevel() -> UInt64? {
    let connections = addresses.map { PlainConnection($0) }
    let check = DrillCheck(endpoints: members.map { stage.cluster.file.nodes[$0].api })
    let deadline = MonotonicClock.milliseconds + ScenarioJudge.patienceMilliseconds
    while MonotonicClock.milliseconds < deadline {
      stage.tellNodes()
      let views = members.map { ControlView.ask(connections[$0], timeoutMilliseconds: 500) }
      // A node that cannot be asked is not equal.
      let equal = try? check.waitUntilEqual(milliseconds: 0)
      if monitor.agreedAt != nil, ControlView.areLevel(views), equal != nil {
        return BenchClock.nanoseconds
      }
      DrillClient.pause(milliseconds: 5)
    }
    return nil
  }

  /// Reads every key once through every node: what was acknowledged and is gone shows up in the
  /// history.
  private func read(_ books: ScenarioBooks, _ token: String) {
    let reader = FinalReader(books.snapshot.history)
    books.replace(history: reader.read(members.map { ($0, addresses[$0]) }, token: token))
  }

  // MARK: Lanes

  /// Acknowledged writes that some node lacks; the nodes are asked at once.
  private func missing(_ writes: [ScenarioBooks.LaneWrite]) throws -> [String] {
    console.error("looking for \(writes.count) acknowledged writes on every node")
    let found = Mutex<[Result<[String], DrillError>]>([])
    let threads = members.map { node in
      let address = addresses[node]
      return WorkerThread {
        let result = Result { () throws(DrillError) in
          try ScenarioJudge.missing(writes, at: address, node)
        }
        found.withLock { $0.append(result) }
      }
    }
    for thread in threads { thread.join() }
    return try found.withLock { results in try results.flatMap { try $0.get() } }
  }

  private static func missing(
    _ writes: [ScenarioBooks.LaneWrite], at address: PlainAddress, _ node: Int
  ) throws(DrillError) -> [String] {
    let connection = PlainConnection(address)
    var missing: [String] = []
    for write in writes {
      for operation in write.operations {
        let request = PlainRequest("GET", "/v1/operations/\(operation)/proof")
        let status = try status(of: request, connection)
        if status == 404 {
          missing.append("node \(node + 1) lacks \(operation), acknowledged \(write.tier.rawValue)")
        } else if status != 200 {
          throw DrillError("node \(node + 1) answered \(status) when asked for \(operation)")
        }
      }
    }
    return missing
  }

  /// A node that is asked for much says so; then it is asked again a little later.
  private static func status(
    of request: PlainRequest, _ connection: PlainConnection
  ) throws(DrillError) -> Int {
    var last = "overloaded"
    for _ in 0..<200 {
      do throws(PlainConnection.Failure) {
        let status = try connection.send(request, timeoutMilliseconds: 10_000).status
        if status != 503 { return status }
      } catch {
        last = "\(error)"
      }
      DrillClient.pause(milliseconds: 10)
    }
    throw DrillError("a node could not be asked for what it holds: \(last)")
  }

  private func listConflicts(_ verdict: inout ControlVerdict) throws {
    guard let first = members.first else { return }
    let connection = PlainConnection(addresses[first])
    for status in ["open", "resolved"] {
      var cursor = ""
      while true {
        let request = PlainRequest("GET", "/v1/conflicts?status=\(status)&limit=100\(cursor)")
        let response: ResponseReader.Response
        do throws(PlainConnection.Failure) {
          response = try connection.send(request, timeoutMilliseconds: 10_000)
        } catch {
          throw DrillError("the conflicts could not be read: \(error)")
        }
        let page = try JSONValue.parse(response.body)
        for entry in page["conflicts"]?.array ?? [] {
          let writes = entry["writes"]?.array?.count ?? 0
          let name = "\(entry["collection"]?.string ?? "?")/\(entry["key"]?.string ?? "?")"
          verdict.addConflict(
            .init(
              key: name, policy: entry["policy"]?.string ?? "?",
              detail: status == "open"
                ? "\(writes) writes stand" : "\(writes) writes, resolved by a later one"))
        }
        guard let next = page["next"]?.string else { break }
        cursor = "&cursor=\(next)"
      }
    }
  }

  // MARK: Expectations

  private func judgeExpectations(
    _ verdict: inout ControlVerdict, _ state: ScenarioBooks.State
  ) {
    if let limit = scenario.orderedGap {
      let longest = verdict.tiers.first { $0.tier == .ordered }?.pauseMax
      verdict.expectations.append(
        .init(
          "no \(text(limit.nanoseconds)) without a confirmed command",
          found: longest.map(text) ?? "nobody tried",
          isMet: longest.map { $0 <= limit.nanoseconds } ?? false))
    }
    if let limit = scenario.leadersMax {
      let count = monitor.reigns.count
      verdict.expectations.append(
        .init("at most \(limit) leaders", found: "\(count)", isMet: count <= limit))
    }
    let found =
      state.surpriseCount == 0
      ? "none" : "\(state.surpriseCount): \(state.surprises.joined(separator: "; "))"
    verdict.expectations.append(
      .init("no answer that nothing explains", found: found, isMet: state.surpriseCount == 0))
  }

  private func judgeStorage(_ verdict: inout ControlVerdict, _ directory: String) throws {
    let running = stage.cluster.running
    var bad = members.map { $0 + 1 }.filter { !running.contains($0) }
    bad += try stage.endProcesses(atOnce: false)
    verdict.expectations.append(
      .init(
        "every node ends only when told to",
        found: bad.isEmpty ? "so it was" : "not nodes \(bad)", isMet: bad.isEmpty))
    var findings: [String] = []
    let places = try VerifyVerb.swarms(in: directory)
    for place in places {
      findings += try VerifyVerb.report(on: place).findings.map { "\(place): \($0)" }
    }
    let first = findings.prefix(3).joined(separator: "; ")
    verdict.expectations.append(
      .init(
        "what \(places.count) nodes stored is sound",
        found: findings.isEmpty ? "so it is" : "\(findings.count) findings: \(first)",
        isMet: findings.isEmpty && places.count == addresses.count))
  }

  private func text(_ nanoseconds: UInt64) -> String { "\(nanoseconds / 1_000_000) ms" }

  // MARK: Picture

  /// The picture of a run.
  func timeline(
    _ verdict: ControlVerdict, _ state: ScenarioBooks.State, from start: UInt64, to end: UInt64
  ) -> Timeline {
    var timeline = Timeline(title: scenario.name, start: start, end: end)
    timeline.subtitle = "\(addresses.count) processes, \(text(end - start))"
    timeline.verdict = verdict
    for index in addresses.indices { _ = timeline.addNode("node \(index + 1)") }
    for reign in monitor.reigns {
      timeline.add(
        .leader(term: UInt64(clamping: reign.term)), node: reign.node, from: reign.start,
        to: reign.end)
    }
    for spell in stage.spells {
      let end = spell.end ?? end
      switch spell.kind {
      case .down: timeline.add(.down, node: spell.node, from: spell.start, to: end)
      case .paused: timeline.add(.paused, node: spell.node, from: spell.start, to: end)
      case .divided(let groups): timeline.addPartition(groups, from: spell.start, to: end)
      }
    }
    for mark in stage.marks { timeline.addFault(mark.label, at: mark.at, node: mark.node) }
    timeline.addWrites(state.attempts)
    timeline.addWrites(state.history.records.lazy.compactMap { WriteAttempt($0) })
    return timeline
  }
}
