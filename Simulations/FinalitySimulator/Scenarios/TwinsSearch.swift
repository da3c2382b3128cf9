internal import BFTCore
internal import Primitives

/// Every schedule of one twin, depth first: worlds are values, so that schedules which begin alike
/// share their beginning.
struct TwinsSearch<Engine: FinalityEngine> {
  /// How long a round may last before the network heals: no view takes longer to run out.
  static var roundMax: TimeSpan { .milliseconds(1_500) }
  /// The same for a round that nobody can leave: everybody has given up by then.
  static var stalledMax: TimeSpan { .milliseconds(600) }

  let options: [Partition]
  let rounds: Int
  let place: Int
  /// What was checked in one branch need not be in another.
  var door: FinalityDoor
  var row: TwinsRow
  /// The traces of worlds that were healed: from equal ones only equal things can follow.
  private var healed: Set<UInt64> = []

  init(options: [Partition], rounds: Int, place: Int, door: FinalityDoor, row: TwinsRow) {
    self.options = options
    self.rounds = rounds
    self.place = place
    self.door = door
    self.row = row
  }

  /// Tries every partition of the next round, or one, each on a copy of the world so far.
  mutating func explore(
    _ world: FinalityWorld<Engine>, after before: [Partition], isMirrored: Bool,
    only single: Partition? = nil
  ) {
    for option in single.map({ [$0] }) ?? options {
      // As long as nothing told the twins apart, what one may do the other may, too.
      let mirror = option.swapping(place, 4)
      if isMirrored, mirror.sides.lexicographicallyPrecedes(option.sides) { continue }
      let schedule = before + [option]
      var branch = world
      branch.setup.network.scripted.append(FinalityNetwork.masks(option.sides))
      swap(&branch.door, &door)
      let patience = option.isStalled ? Self.stalledMax : Self.roundMax
      let hasLeft = branch.advance(
        beyond: UInt64(schedule.count), until: branch.now + patience)
      if hasLeft && schedule.count < rounds {
        swap(&branch.door, &door)
        explore(branch, after: schedule, isMirrored: isMirrored && mirror == option)
        continue
      }
      branch.heal()
      guard healed.insert(branch.trace).inserted else {
        swap(&branch.door, &door)
        row.repeated += 1
        continue
      }
      let run = branch.runToGoal()
      swap(&branch.door, &door)
      row.add(
        run, contradicted: branch.observer.sawContradiction,
        schedule.map(\.description).joined(separator: " / "))
    }
  }
}
