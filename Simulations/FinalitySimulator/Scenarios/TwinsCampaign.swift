package import BFTCore
internal import Primitives

/// What came of the schedules of one place of the twins among the leaders.
package struct TwinsRow: Hashable, Sendable {
  /// What was run.
  package let name: String
  /// Schedules that were run to their end.
  package var schedules = 0
  /// Schedules that deliver just what another does until the network heals: they were not run on.
  package var repeated = 0
  /// Schedules in which a rule about safety was broken.
  package var broken = 0
  /// Schedules after which the healed network finalized nothing.
  package var stuck = 0
  /// Schedules in which the twins were seen to contradict each other.
  package var contradictions = 0
  /// The first schedule that broke a rule, and the rule.
  package var firstBad: String?

  /// Whether every schedule kept every rule.
  package var isPassed: Bool { schedules > 0 && broken == 0 && stuck == 0 }

  mutating func add(_ run: FinalityRun, contradicted: Bool, _ schedule: @autoclosure () -> String) {
    schedules += 1
    if !run.safetyViolations.isEmpty { broken += 1 }
    if run.isStuck { stuck += 1 }
    if contradicted { contradictions += 1 }
    if firstBad == nil, let violation = run.violations.first {
      firstBad = "\(schedule()): \(violation)"
    }
  }

  /// Adds what came of further schedules.
  mutating func add(_ other: TwinsRow) {
    schedules += other.schedules
    repeated += other.repeated
    broken += other.broken
    stuck += other.stuck
    contradictions += other.contradictions
    firstBad = firstBad ?? other.firstBad
  }
}

/// Schedules of partitions for validators of which some run twice, unmodified, with one key.
///
/// Bano et al., "Twins: BFT Systems Made Robust" (OPODIS 2021). A round is a view: a message gets
/// through where the partition of the view it is about lets it, whenever it is sent. After the last
/// round, or when nobody can leave a round, the network heals and blocks must become final.
///
/// The engine's leaders take turns, so who leads which round follows from the twins' place. Honest
/// validators are told apart by nothing but their turns: all names of them are covered by one.
package enum TwinsCampaign<Engine: FinalityEngine> {
  /// Every schedule of one twin among four validators, a row for each place of the twin. Schedules
  /// that begin with one partition are a piece of work.
  package static func exhaustive(
    rounds: Int, places: Range<Int> = 0..<4, bug: BFTBug? = nil, spread: Spread? = nil
  ) -> [TwinsRow] {
    let partitions = Partition.relevant(nodes: 5, twins: [(0, 4)])
    let count = partitions.count
    let parts = SpreadWork.map(places.count * count, spread ?? SpreadWork.inOrder) { index in
      let place = places.lowerBound + index / count
      var world = FinalityWorld<Engine>(setup(4, twins: [place], bug: bug), seed: 1)
      world.begin()
      let options = partitions.map { $0.swapping(0, place) }
      var search = TwinsSearch<Engine>(
        options: options, rounds: rounds, place: place, door: world.door,
        row: TwinsRow(name: "twin at place \(place)"))
      search.explore(world, after: [], isMirrored: true, only: options[index % count])
      return search.row
    }
    return places.indices.map { offset in
      let own = parts[
        (offset - places.lowerBound) * count..<(offset - places.lowerBound + 1) * count]
      return own.reduce(into: TwinsRow(name: "twin at place \(offset)")) { $0.add($1) }
    }
  }

  /// Schedules drawn by seed, with as many twins as the validators tolerate.
  package static func sampled(
    validators: Int, rounds: Int, seeds: ClosedRange<UInt64>, bug: BFTBug? = nil,
    spread: Spread? = nil
  ) -> TwinsRow {
    let faults = (validators - 1) / 3
    let parts = SpreadWork.map(seeds.count, spread ?? SpreadWork.inOrder) { index in
      var row = TwinsRow(name: "drawn")
      let seed = seeds.lowerBound + UInt64(index)
      var random = Xoshiro256(seed: seed, purpose: "twins-campaign")
      var places = Array(0..<validators)
      random.shuffle(&places)
      let twins = Array(places.prefix(faults))
      let pairs = twins.indices.map { (twins[$0], validators + $0) }
      var world = FinalityWorld<Engine>(setup(validators, twins: twins, bug: bug), seed: seed)
      let schedule = (0..<rounds).map { _ in
        Partition.drawn(nodes: validators + faults, twins: pairs, &random)
      }
      world.setup.network.scripted = schedule.map { FinalityNetwork.masks($0.sides) }
      world.begin()
      for round in 1...UInt64(rounds) {
        guard world.advance(beyond: round, until: world.now + TwinsSearch<Engine>.roundMax) else {
          break
        }
      }
      world.heal()
      let run = world.runToGoal()
      row.add(
        run, contradicted: world.observer.sawContradiction,
        "seed \(seed), \(schedule.map(\.description).joined(separator: " / "))")
      return row
    }
    return parts.reduce(into: TwinsRow(name: "drawn")) { $0.add($1) }
  }

  private static func setup(_ validators: Int, twins: [Int], bug: BFTBug?) -> FinalitySetup {
    var setup = FinalitySetup(validators: validators)
    setup.twins = twins
    setup.network.jitter = .zero
    setup.bundleInterval = .milliseconds(40)
    // Twins that lead at the same time must have different blocks to show.
    setup.clockErrors = Array(repeating: 0, count: validators) + twins.map { _ in 1 }
    setup.goal = 3
    setup.hasForgers = false
    setup.bug = bug
    return setup
  }
}

extension TwinsRow {
  /// Rows as a table for people.
  package static func table(_ rows: [TwinsRow]) -> String {
    var lines = [
      line([
        "schedules of", "all", "run", "pruned", "broken", "stuck", "twins clash", "first bad",
      ])
    ]
    for row in rows {
      lines.append(
        line([
          row.name, "\(row.schedules + row.repeated)", "\(row.schedules)", "\(row.repeated)",
          "\(row.broken)", "\(row.stuck)", "\(row.contradictions)", row.firstBad ?? "-",
        ]))
    }
    let run = rows.reduce(0) { $0 + $1.schedules }
    let pruned = rows.reduce(0) { $0 + $1.repeated }
    return lines.joined(separator: "\n")
      + "\n\(run + pruned) schedules, \(pruned) pruned as equal to others, "
      + "\(rows.reduce(0) { $0 + $1.broken }) broken, \(rows.reduce(0) { $0 + $1.stuck }) stuck"
  }

  private static func line(_ cells: [String]) -> String {
    let widths = [18, 8, 8, 8, 7, 6, 12, 0]
    return zip(cells, widths).map { cell, width in
      cell + String(repeating: " ", count: max(0, width - cell.count))
    }.joined(separator: " ")
  }
}
